"""One moment as a player sees it when it plans: values gathered once, read by everything that decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from improvbox.band.ear import Ear, View
from improvbox.events import BANDS
from improvbox.tempo import Grid

SLOWEST_PULSE_S, FASTEST_PULSE_S = 1.0, 0.3  # free time: what counts as a beat


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The moment `now` for the player `name`."""

    name: str
    now: float
    """s"""
    first: float
    """s, the earliest onset that can still be committed"""
    grid: Grid | None
    ear: Ear
    listens_to: tuple[str, ...]
    ending: bool = False
    """the human seems to have stopped: play less"""

    def view(self, part: str) -> View:
        return self.ear.view(part, self.now)

    @property
    def pulse_s(self) -> float:
        """A beat; in free time the human's usual step."""
        if self.grid is not None:
            return self.grid.beat_s
        return min(SLOWEST_PULSE_S, max(FASTEST_PULSE_S, self.view("human").ioi))

    @property
    def leader(self) -> View:
        """Whom it follows: the human if it listens to them, else whoever of its parts played last."""
        if "human" in self.listens_to:
            return self.view("human")
        return max((self.view(part) for part in self.listens_to), key=lambda v: v.onset, default=View())

    def company(self) -> list[tuple[str, View]]:
        """The other bands that sound at `first` or later, lowest band first, whether it listens to them or not."""
        views = ((part, self.view(part)) for part in BANDS if part != self.name)
        return [(part, view) for part, view in views if view.end > self.first]

    def harmony(self) -> np.ndarray:
        """float[12]: the pitch classes in the air among those it listens to, strongest 1; zeros in silence."""
        made = np.zeros(12)
        for part in self.listens_to:
            if part == "drums":
                continue
            classes = self.view(part).classes
            if classes is not None:
                made += classes if part == "human" else 0.5 * classes
        top = made.max()
        return made / top if top > 0 else made

    def next_line(self, t: float, beats: float = 1.0) -> float:
        """The next grid line of `beats` at or after `t` (s); in free time `t` itself."""
        return t if self.grid is None else self.grid.next_time(t, beats)
