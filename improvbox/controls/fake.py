"""Fake pins and knobs, shipped: the panel without a board. From the edge onward nothing tells them from real ones."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import ClassVar

from improvbox.clock import monotonic_s
from improvbox.controls.knobs import FULL_SCALE
from improvbox.controls.pinmap import Line, PinMap
from improvbox.controls.pins import Edge, EdgeQueue, Reservations
from improvbox.controls.script import Move
from improvbox.errors import DeviceError


class FakePins:
    """Pins without a board: feet are `press` and `release`, or a script of moves at audio times.

    Contract: any thread may press and release; the rest is one thread's, as for all Pins. A scripted edge carries the
    time it was meant for, however late the thread woke, so that a measurement from the edge is an honest one.
    """

    def __init__(self, pinmap: PinMap, moves: Iterable[Move] = (), now: Callable[[], float] | None = None) -> None:
        """`moves` need `now`, the audio time (s)."""
        self._pinmap = pinmap
        self._now = now
        self._moves = deque(move for move in moves if move.name in pinmap.switches)
        self._levels = {line.bcm: not line.active_high for line in pinmap.switches.values()}
        self._reserved = Reservations()
        self._edges = EdgeQueue()

    def press(self, switch: str, t: float | None = None) -> None:
        """The switch goes down at `t` (s of CLOCK_MONOTONIC; None: now)."""
        line = self._pinmap.switches[switch]
        self.set_level(line.bcm, line.active_high, t)

    def release(self, switch: str, t: float | None = None) -> None:
        """The switch goes up."""
        line = self._pinmap.switches[switch]
        self.set_level(line.bcm, not line.active_high, t)

    def set_level(self, bcm: int, level: bool, t: float | None = None) -> None:
        """A line takes a level; where it changes and is reserved as an input, there is an edge."""
        changed = self._levels.get(bcm) != level
        self._levels[bcm] = level
        if changed and bcm in self._reserved.all():
            self._edges.put(Edge(bcm, level, monotonic_s() if t is None else t))

    def led(self, name: str) -> bool:
        """Whether an LED is lit."""
        line: Line = self._pinmap.leds[name]
        return self._levels.get(line.bcm, False) is line.active_high

    @property
    def reserved(self) -> list[int]:
        """The lines in use."""
        return self._reserved.all()

    def start(self) -> None:
        pass

    def stop(self) -> None:
        self._reserved.clear()

    def setup_input(self, bcm: int, pull: str, owner: str) -> None:
        self._reserved.take(bcm, owner, output=False)
        self._levels.setdefault(bcm, pull == "up")

    def setup_output(self, bcm: int, level: bool, owner: str) -> None:
        self._reserved.take(bcm, owner, output=True)
        self._levels[bcm] = level

    def read(self, bcm: int) -> bool:
        self._reserved.check(bcm, output=False)
        return self._levels[bcm]

    def write(self, bcm: int, level: bool) -> None:
        self._reserved.check(bcm, output=True)
        self._levels[bcm] = level

    def wait(self, timeout_s: float) -> list[Edge]:
        until = monotonic_s() + timeout_s
        while True:
            self._play()
            left = until - monotonic_s()
            edges = self._edges.take(min(left, self._moves[0].t - self._time()) if self._moves else left)
            if edges or self._edges.woken or left <= 0:
                return edges

    def wake(self) -> None:
        self._edges.wake()

    def _play(self) -> None:
        while self._moves and self._moves[0].t <= self._time():
            move = self._moves.popleft()
            t = monotonic_s() - (self._time() - move.t)
            (self.press if move.value else self.release)(move.name, t)

    def _time(self) -> float:
        if self._now is None:
            raise DeviceError("FakePins has moves to play but no clock; give it `now`")
        return self._now()


class FakeKnobs:
    """A converter without a chip: knobs are `set`, or a script of moves at audio times."""

    MIDDLE: ClassVar[int] = FULL_SCALE // 2

    def __init__(self, pinmap: PinMap, moves: Iterable[Move] = (), now: Callable[[], float] | None = None) -> None:
        self._channels = dict(pinmap.knobs)
        self._moves = deque(move for move in moves if move.name in pinmap.knobs)
        self._now = now
        self._counts = dict.fromkeys(range(8), self.MIDDLE)

    def set(self, knob: str, place: float) -> None:
        """Turns a knob to 0..1."""
        self._counts[self._channels[knob]] = round(place * FULL_SCALE)

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def read(self, channel: int) -> int:
        while self._moves and self._now is not None and self._moves[0].t <= self._now():
            move = self._moves.popleft()
            self.set(move.name, move.value)
        return self._counts[channel]
