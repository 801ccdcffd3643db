"""Capture and hearing of the live box: two threads' work, each a round of a Worker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from improvbox.audio.source import Block
from improvbox.box.budget import Budget
from improvbox.box.feed import Feed
from improvbox.clock import Stopwatch, StreamClock, monotonic_s, sleep_s
from improvbox.errors import StreamError
from improvbox.events import HumanEvent, Level
from improvbox.hearing.listener import MODES, Listener

ENDED_S = 0.01  # between two looks at whether the thread is to end, when the source has
WAIT_S = 0.1  # how long hearing waits for sound before it shows that it is alive
LONGEST_HOP_FRAMES = max(MODES.values())


class LiveSource(Protocol):
    """What capture asks of a source; `audio.patient.PatientSource` is the real one."""

    def start(self) -> None: ...
    def read(self) -> Block | None: ...


class Capture:
    """Reads periods and hands them on. Its round blocks for a period, and does nothing else worth a microsecond."""

    def __init__(self, source: LiveSource, clock: StreamClock, feed: Feed, budget: Budget) -> None:
        self.frames = 0
        """read since the start, lost ones not counted"""
        self.ends = False
        """set when the box stops: the end of the source is then no fault"""
        self._started = False
        self._source = source
        self._clock = clock
        self._feed = feed
        self._budget = budget

    def round(self) -> None:
        """One period. The first one opens the source: sound that came before this thread runs would be an overrun."""
        if not self._started:
            self._source.start()
            self._started = True
        block = self._source.read()
        if block is None:
            if self.ends:
                sleep_s(ENDED_S)
                return
            raise StreamError("the source of sound has ended")
        captured = block.captured_s if block.captured_s is not None else monotonic_s()
        self._clock.observe(block.end_frame, captured)
        self._feed.put(block)
        self.frames += len(block.samples)
        if len(block.samples):
            self._budget.note("capture", max(0.0, monotonic_s() - captured))


class Ears:
    """Turns blocks into events. Its round waits for sound for at most WAIT_S."""

    def __init__(
        self, listener: Listener, hop_frames: int, feed: Feed, budget: Budget, tell: Callable[[HumanEvent], None]
    ) -> None:
        """hop_frames: the hop of the budget, to which compute is scaled. tell: called in the hearing thread with every
        event but levels; must not block."""
        self.level: Level | None = None
        """the last one"""
        self.wanted_mode = listener.mode
        """set by another thread; taken over between two rounds"""
        self._listener = listener
        self._hop_frames = hop_frames
        self._feed = feed
        self._budget = budget
        self._tell = tell
        self._next = 0  # frame that follows what was heard
        self._spent_s, self._spent_frames = 0.0, 0  # since the budget was last told

    @property
    def mode(self) -> str:
        return self._listener.mode

    def round(self) -> None:
        """All the sound that waits."""
        blocks = self._feed.take(WAIT_S)
        if self.wanted_mode != self._listener.mode:
            self._listener.switch(self.wanted_mode)
        watch = Stopwatch()
        frames = 0
        for block in blocks:
            if block.first_frame > self._next:
                self._pass(self._listener.skip(block.first_frame - self._next))
            self._next = block.end_frame
            frames += len(block.samples)
            self._pass(self._listener.push(block.samples))
        self._spend(watch.elapsed_s(), frames)

    def _spend(self, seconds: float, frames: int) -> None:
        """Told once a longest hop: a period that completes no hop costs nothing, and its neighbour costs it all."""
        self._spent_s += seconds
        self._spent_frames += frames
        if self._spent_frames >= LONGEST_HOP_FRAMES:
            self._budget.note("hearing", self._spent_s * self._hop_frames / self._spent_frames)
            self._spent_s, self._spent_frames = 0.0, 0

    def finish(self) -> None:
        """The end: what sounds, ends."""
        self._pass(self._listener.flush())

    def _pass(self, events: Sequence[HumanEvent]) -> None:
        for event in events:
            if isinstance(event, Level):
                self.level = event
            else:
                self._tell(event)
