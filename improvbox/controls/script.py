"""Moves of feet and hands written down, for demonstrations and tests.

`12.5:fs1` (a press at 12.5 s), `14:fs4:hold`, `16:fs3:double`, `20:fs1+fs2` (both at once), `25:k1=0.8` (a knob).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from improvbox.controls.gestures import DOUBLE_S, GESTURES, HOLD_S
from improvbox.controls.pinmap import PinMap
from improvbox.errors import UsageError, nearest

STOMP_S = 0.12  # a quick stomp stays down for 80..200 ms


@dataclass(frozen=True, slots=True)
class Move:
    """A switch goes down (1) or up (0), or a knob goes to a place."""

    t: float
    """s of audio time"""
    name: str
    """of a switch or knob of the pin map"""
    value: float
    """0..1"""


# gesture -> when its switch goes down and up, s after the beginning
_SHAPES = {
    "press": ((0.0, STOMP_S),),
    "hold": ((0.0, HOLD_S + STOMP_S),),
    "double": ((0.0, STOMP_S), (DOUBLE_S - 0.08, DOUBLE_S - 0.08 + STOMP_S)),
}


def parse(texts: Iterable[str], pinmap: PinMap) -> tuple[Move, ...]:
    """The moves in order of time. Raises UsageError naming what is wrong and what would be right."""
    return tuple(sorted((m for text in texts for m in _moves(text, pinmap)), key=lambda move: move.t))


def _moves(text: str, pinmap: PinMap) -> list[Move]:
    when, _, what = text.partition(":")
    try:
        t = float(when)
    except ValueError:
        t = math.nan
    if not 0 <= t < math.inf:
        raise UsageError(f"move {text!r}: {when!r} is not a time in seconds, 0 or more; e.g. 12.5:fs1 or 25:k1=0.8")
    name, is_knob, value = what.partition("=")
    if is_knob:
        return [Move(t, _known(text, name, pinmap.knobs), _place(text, value))]
    names, _, gesture = what.partition(":")
    shape = _SHAPES.get(gesture or "press")
    if shape is None:
        raise UsageError(f"move {text!r}: {gesture!r} is no gesture; {nearest(gesture, GESTURES)}")
    switches = [_known(text, name, pinmap.switches) for name in names.split("+")]
    edges = [(at, value) for down, up in shape for at, value in ((down, 1.0), (up, 0.0))]
    return [Move(t + at, switch, value) for at, value in edges for switch in switches]


def _known(text: str, name: str, names: Iterable[str]) -> str:
    if name not in names:
        raise UsageError(f"move {text!r}: {name!r} is not on the panel; {nearest(name, names)}")
    return name


def _place(text: str, value: str) -> float:
    try:
        place = float(value)
    except ValueError:
        place = math.nan
    if not 0 <= place <= 1:
        raise UsageError(f"move {text!r}: {value!r} is not a number in 0..1")
    return place
