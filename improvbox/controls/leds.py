"""What the LEDs say, as one table: every state has an owner, and a time after which it is no longer believed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

CELL_S = 0.125  # one character of a pattern

STATUS = "status"  # the name of the LED that speaks for the box; every other one belongs to the switch of its name


@dataclass(frozen=True, slots=True)
class LedState:
    """One row. `pattern` repeats: '#' lit, '.' dark, CELL_S each, all LEDs in step."""

    name: str
    pattern: str
    owner: str
    """box or panel: who must say it again before it is forgotten"""
    timeout_s: float
    """s after which it is forgotten"""
    meaning: str


# The first row that holds for an LED wins. States that last are renewed by their owner; the others just pass.
STATES: tuple[LedState, ...] = (
    LedState("panic", "#.", "panel", 0.5, "all LEDs: every note was ended"),
    LedState("chosen", "#", "panel", 1.5, "switch LEDs: whom you address now (1 bass, 2 mid, 3 high, 4 drums)"),
    LedState("not chosen", ".", "panel", 1.5, "as above, the others"),
    LedState("bank", "#.", "panel", 1.0, "switch LEDs: the bank you are in now, first to fourth"),
    LedState("acted", ".", "panel", 0.125, "a switch LED winks: the box took the gesture"),
    LedState("first", "#", "panel", 0.5, "a switch LED: this is in force (the first step where it cycles)"),
    LedState("second", "####....", "panel", 0.5, "a switch LED: the second step of its cycle is in force"),
    LedState("third", "##..", "panel", 0.5, "a switch LED: the third or a later step is in force"),
    LedState("fault", "#.#.#...........", "box", 3.0, "the box cannot go on by itself: read `improvbox status`"),
    LedState("waiting", "#.......", "box", 3.0, "no guitar interface: plug it in"),
    LedState("starting", "##..", "box", 60.0, "the box is starting"),
    LedState("degraded", "####....", "box", 3.0, "playing with less than everything, to keep up"),
    LedState("other bank", "#######.", "panel", 0.5, "playing, and the switches are not in their first bank"),
    LedState("playing", "#", "box", 3.0, "all is well"),
)

# What is left when nobody speaks. For the status LED that is news: whoever owned the last state has stopped.
LOST = "#."
LOST_MEANING = "nobody has said how the box is doing for longer than allowed: it hangs or was stopped"
DARK = "."

_BY_NAME = {state.name: state for state in STATES}


class Leds:
    """Contract: any thread may `show` and `forget`; each touches one dict item. `lit` is for the panel's thread."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._until: dict[tuple[str, str], float] = {}

    def show(self, state: str, t: float, leds: Iterable[str] = (STATUS,)) -> None:
        """From `t` (s) on, for the state's timeout. Raises KeyError for a state that is not in the table."""
        until = t + _BY_NAME[state].timeout_s
        for led in leds:
            self._until[state, led] = until

    def forget(self, state: str, leds: Iterable[str] = (STATUS,)) -> None:
        """The state no longer holds."""
        for led in leds:
            self._until.pop((state, led), None)

    def state(self, led: str, t: float) -> str | None:
        """The name of the state that an LED shows; None: nobody speaks."""
        return next((s.name for s in STATES if self._until.get((s.name, led), t) > t), None)

    def lit(self, t: float) -> dict[str, bool]:
        """Every LED at `t` (s)."""
        cell = int(t / CELL_S)
        shown = {}
        for led in self.names:
            name = self.state(led, t)
            silent = LOST if led == STATUS else DARK
            pattern = silent if name is None else _BY_NAME[name].pattern
            shown[led] = pattern[cell % len(pattern)] == "#"
        return shown
