"""How long each stage takes while the box plays, against what it may take. Bounded memory, no locks.

`Budget.note` is called by the one thread that runs a stage; everybody else only reads. A reader may see a value more
or less than the writer has written, which is what a percentile of hundreds can bear.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from improvbox.events import StageStats

WINDOW = 1024  # durations kept a stage: 2.7 s of hearing at hop 128, minutes of anything rarer


@dataclass(frozen=True, slots=True)
class Limit:
    """One row of the budget table."""

    budget_ms: float
    what: str
    """from where to where"""


def limits(rate_hz: int, period_frames: int, hop_frames: int) -> MappingProxyType[str, Limit]:
    """The budget table for the sizes in use."""
    period_ms, hop_ms = (1e3 * frames / rate_hz for frames in (period_frames, hop_frames))
    return MappingProxyType(
        {
            "capture": Limit(period_ms, "a period is there .. it is in the ring"),
            "hearing": Limit(0.5 * hop_ms, "a hop .. its events"),
            "band": Limit(10.0, "an event .. every player has planned anew (3 ms a query on the slowest board)"),
            "stage": Limit(1.0, "a note is due .. synth and sockets were told"),
            "command": Limit(5.0, "an edge or packet .. every player has it"),
        }
    )


class Window:
    """Durations of one stage: the last WINDOW of them, and counts since the start. One writer."""

    def __init__(self, budget_ms: float) -> None:
        self.budget_s = budget_ms / 1e3
        self.count = 0
        self.over = 0
        self.total_s = 0.0
        """sum of all durations since the start"""
        self._recent = np.zeros(WINDOW)

    def note(self, seconds: float) -> None:
        self._recent[self.count % WINDOW] = seconds
        self.total_s += seconds
        self.over += seconds > self.budget_s
        self.count += 1

    def recent(self) -> np.ndarray:
        """float64[n <= WINDOW], s, in no order."""
        return self._recent[: min(self.count, WINDOW)].copy()


class Budget:
    """All stages."""

    def __init__(self, table: MappingProxyType[str, Limit]) -> None:
        self.table = table
        self.windows = {stage: Window(row.budget_ms) for stage, row in table.items()}
        self._seen = dict.fromkeys(table, (0, 0.0))

    def note(self, stage: str, seconds: float) -> None:
        """A stage took `seconds`. Hot path: allocates nothing, never blocks."""
        self.windows[stage].note(seconds)

    def stats(self) -> tuple[StageStats, ...]:
        """Percentiles of each stage's window; None where nothing was measured."""
        return tuple(_stats(stage, window) for stage, window in self.windows.items())

    def loads(self) -> dict[str, float | None]:
        """Mean duration since the last call, as a share of the budget, by stage; None: nothing happened.

        A mean, because one stall of the machine is no load; the ladder looks at these twice a second.
        """
        found: dict[str, float | None] = {}
        for stage, window in self.windows.items():
            count, total = self._seen[stage]
            now_count, now_total = window.count, window.total_s
            self._seen[stage] = (now_count, now_total)
            new = now_count - count
            found[stage] = (now_total - total) / new / window.budget_s if new > 0 else None
        return found


def _stats(stage: str, window: Window) -> StageStats:
    recent = window.recent() * 1e3
    budget_ms = window.budget_s * 1e3
    if not len(recent):
        return StageStats(stage, None, None, None, budget_ms, 0)
    p50, p99 = np.percentile(recent, (50, 99))
    return StageStats(stage, float(p50), float(p99), float(recent.max()), budget_ms, window.over)
