"""The stage's thread plays: it owns the weaver, every sink and every witness, and is never busy thinking.

A player's plan takes milliseconds; a note that is due must not wait for it. So the session, in the band's thread, hands
on what it decides through `Curtain`, which looks to it like a weaver and a witness.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from improvbox.box.budget import Budget
from improvbox.box.inbox import Inbox
from improvbox.box.session import Onlooker, Witness
from improvbox.clock import Clock, monotonic_s
from improvbox.events import BandEvent, Command, HumanEvent, PlannedNote
from improvbox.stage.weaver import Tally, Weaver
from improvbox.tempo import Grid

LONGEST_WAIT_S = 0.05

Deed = Callable[[float], None]
"""what is to be done, with `now` (s of audio time)"""


class Stagehand:
    """Its round waits until a note is due or something comes in. All of it in the stage's thread, but for `inbox`."""

    def __init__(self, weaver: Weaver, witnesses: Sequence[Witness], clock: Clock, budget: Budget) -> None:
        self.weaver = weaver
        self.inbox: Inbox[Deed | HumanEvent] = Inbox()
        self._witnesses = tuple(witnesses)
        self._clock = clock
        self._budget = budget
        self._now = 0.0
        self._looked = 0.0  # s, when there was last nothing left to play

    def now(self) -> float:
        """Audio time (s); it never runs backwards."""
        self._now = max(self._now, self._clock.now())
        return self._now

    def round(self) -> None:
        """Waits, does what came, plays what is due."""
        self._take(min(LONGEST_WAIT_S, max(0.0, self.weaver.next_due() - self.now())))
        self._play()

    def finish(self) -> None:
        """What still waits is done, every note ends, the sinks are closed."""
        self._take(0.0)
        self.weaver.close(self.now())

    def _take(self, timeout_s: float) -> None:
        for given in self.inbox.take(timeout_s):
            if callable(given.thing):
                given.thing(self.now())
            else:  # what the human did leaves the box before anybody thinks about it
                for witness in self._witnesses:
                    witness.human(given.thing, self.now())
                self._budget.note("stage", monotonic_s() - given.at_s)
            self._play()

    def _play(self) -> None:
        due, now = self.weaver.next_due(), self.now()
        if due <= now:
            self.weaver.advance(now)
            # A note that was handed on too late was not kept waiting here: it counts from when we last looked.
            self._budget.note("stage", self.now() - max(due, self._looked))
        self._looked = now


class _Knobs:
    """The part of a sink that the session turns by itself."""

    def __init__(self, hand: Stagehand) -> None:
        self._hand = hand

    @property
    def faults(self) -> int:
        """Of all sinks, since the start."""
        return self._hand.weaver.fan.faults

    @property
    def last_fault(self) -> str:
        return self._hand.weaver.fan.last_fault

    def program(self, part: str, program: int) -> None:
        self._hand.inbox.give(lambda now: self._hand.weaver.fan.program(part, program))

    def gain(self, part: str, level: float) -> None:
        self._hand.inbox.give(lambda now: self._hand.weaver.fan.gain(part, level))


class Curtain(Onlooker):
    """What the session sees of the stage. Every call is handed on and comes back at once."""

    def __init__(self, hand: Stagehand, witnesses: Sequence[Witness]) -> None:
        self.fan = _Knobs(hand)
        self._hand = hand
        self._witnesses = tuple(witnesses)

    @property
    def tally(self) -> Tally:
        return self._hand.weaver.tally

    def take(self, event: BandEvent) -> None:
        self._hand.inbox.give(lambda now: self._hand.weaver.take(event))

    def advance(self, now: float) -> None:
        """The stage's thread sees to it."""

    def next_due(self) -> float:
        """Never: as above."""
        return math.inf

    def panic(self, now: float) -> None:
        self._hand.inbox.give(self._hand.weaver.panic)

    def close(self, now: float) -> None:
        """Comes with the end of the stage's thread."""

    def command(self, command: Command, now: float) -> None:
        self._each(lambda witness, t: witness.command(command, t))

    def beat(self, grid: Grid, bar: int, beat: int, now: float) -> None:
        self._each(lambda witness, t: witness.beat(grid, bar, beat, t))

    def plan(self, part: str, notes: tuple[PlannedNote, ...], now: float) -> None:
        self._each(lambda witness, t: witness.plan(part, notes, t))

    def state(self, state: Mapping[str, Any], now: float) -> None:
        self._each(lambda witness, t: witness.state(state, t))

    def _each(self, tell: Callable[[Witness, float], None]) -> None:
        def deed(now: float) -> None:
            for witness in self._witnesses:
                tell(witness, now)

        self._hand.inbox.give(deed)
