"""Press, hold, double and two at once, from switches going down and up: a pure state machine, time is a parameter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

HOLD_S = 0.6  # longer than any stomp (80..200 ms), shorter than patience
DOUBLE_S = 0.3  # from first to second down edge; slower ones are two presses
TOGETHER_S = 0.06  # one foot on two switches lands within 10..40 ms

GESTURES = ("press", "hold", "double")


@dataclass(frozen=True, slots=True)
class Gesture:
    """Something a foot did."""

    name: str
    """one of GESTURES"""
    switches: tuple[str, ...]
    """one; two for both at once, in the order they went down"""
    down: float
    """s, the down edge that began it"""
    t: float
    """s, when it could be told from every other gesture"""


@dataclass(frozen=True, slots=True)
class Wants:
    """What is bound to one switch beside its press."""

    hold: bool = False
    double: bool = False
    partners: frozenset[str] = frozenset()
    """switches that mean something together with this one"""
    at_once: bool = False
    """the press acts on the down edge although something longer is bound"""

    @property
    def longer(self) -> bool:
        return self.hold or self.double or bool(self.partners)


@dataclass(slots=True)
class _Switch:
    wants: Wants
    is_down: bool = False
    open: bool = False  # a gesture has begun that is not decided, or is pressed and may still become more
    pressed: bool = False  # its press was given
    began: float = -math.inf

    def decided_at(self) -> float:
        """When the clock alone settles the open gesture; inf: never."""
        if not self.open:
            return math.inf
        if not self.is_down:
            return self.began + DOUBLE_S  # released, waiting for a second
        if self.wants.hold:
            return self.began + HOLD_S
        return self.began + (DOUBLE_S if self.wants.double else TOGETHER_S)


@dataclass(slots=True)
class Recognizer:
    """Feed it `change`, and `advance` soon after `due`: a gesture's `t` does not depend on when that was."""

    wants: Mapping[str, Wants]
    _switches: dict[str, _Switch] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._switches = {name: _Switch(wants) for name, wants in self.wants.items()}

    def rebind(self, wants: Mapping[str, Wants]) -> None:
        """Other gestures from now on. What is down stays down and means nothing until it is released."""
        down = {name for name, switch in self._switches.items() if switch.is_down}
        self._switches = {name: _Switch(w, is_down=name in down) for name, w in wants.items()}

    def due(self) -> float:
        """When `advance` has something to say (s); inf: not before the next change."""
        return min((s.decided_at() for s in self._switches.values()), default=math.inf)

    def advance(self, t: float) -> list[Gesture]:
        """The gestures that time has decided by `t` (s), in order."""
        done: list[Gesture] = []
        for name, switch in sorted(self._switches.items(), key=lambda item: item[1].decided_at()):
            at = switch.decided_at()
            if at <= t:
                held = switch.is_down and switch.wants.hold
                if held or not switch.pressed:
                    done.append(Gesture("hold" if held else "press", (name,), switch.began, at))
                switch.open = False
        return done

    def change(self, name: str, down: bool, t: float) -> list[Gesture]:
        """A debounced switch went down or up at `t` (s). Raises KeyError for a switch that is not among the wants."""
        done = self.advance(t)
        switch = self._switches[name]
        if down == switch.is_down:
            return done
        switch.is_down = down
        return done + (self._down(name, switch, t) if down else self._up(name, switch, t))

    def _down(self, name: str, switch: _Switch, t: float) -> list[Gesture]:
        for partner in switch.wants.partners:
            other = self._switches[partner]
            if other.open and other.is_down and t - other.began <= TOGETHER_S:
                other.open = switch.open = False
                return [Gesture("press", (partner, name), other.began, t)]
        if switch.open:  # a second time, within DOUBLE_S
            switch.open = False
            return [Gesture("double", (name,), switch.began, t)]
        switch.began = t
        switch.open = switch.wants.longer
        switch.pressed = switch.wants.at_once or not switch.wants.longer
        return [Gesture("press", (name,), t, t)] if switch.pressed else []

    def _up(self, name: str, switch: _Switch, t: float) -> list[Gesture]:
        if not switch.open or (switch.wants.double and t < switch.began + DOUBLE_S):
            return []  # nothing left to decide, or a second one may follow
        switch.open = False
        return [] if switch.pressed else [Gesture("press", (name,), switch.began, t)]
