"""Where the human's phrases end: silence longer than a breath, measured against how fast they play."""

from __future__ import annotations

import math
import statistics
from collections import deque
from dataclasses import dataclass

BREATH_S = 0.25  # no silence shorter than this ends a phrase, however fast the playing
BREATH_IOIS = 1.5  # nor one shorter than this many median inter-onset intervals
RING_S, RING_IOIS = 1.5, 4.0  # a string left ringing this long is as good as silence
USUAL_IOI_S = 0.5  # until something else is known


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stretch of the human's playing between two breaths."""

    start: float
    """s, its first onset"""
    end: float
    """s, where the silence after it began"""
    notes: int
    """moments of the line"""


class Phrases:
    """Causal: told of onsets and of how many notes sound, it says when the present phrase is over."""

    def __init__(self, remembered: int = 256) -> None:
        self.ended: deque[Phrase] = deque(maxlen=remembered)
        self._iois: deque[float] = deque(maxlen=16)
        self._start: float | None = None  # None: no phrase is going on
        self._last_onset = -math.inf
        self._silent_from: float | None = None
        self._notes = 0

    @property
    def going_on(self) -> bool:
        return self._start is not None

    @property
    def start(self) -> float:
        """s, the first onset of the present phrase; inf between phrases."""
        return math.inf if self._start is None else self._start

    @property
    def median_ioi(self) -> float:
        """s, of the last onsets inside phrases."""
        return statistics.median(self._iois) if self._iois else USUAL_IOI_S

    @property
    def breath_s(self) -> float:
        """How long a silence must be to end a phrase."""
        return max(BREATH_S, BREATH_IOIS * self.median_ioi)

    def onset(self, t: float, new_moment: bool) -> bool:
        """A note began; `new_moment` is False for the other notes of a strum. True: it begins a phrase."""
        begins = self._start is None
        if begins:
            self._start, self._notes = t, 0
        elif new_moment:
            self._iois.append(t - self._last_onset)
        if new_moment:
            self._last_onset = t
            self._notes += 1
        self._silent_from = None
        return begins

    def silence(self, t: float) -> None:
        """The last sounding note ended at `t`."""
        if self._start is not None:
            self._silent_from = max(t, self._last_onset)

    def due(self) -> float:
        """s, when the phrase will be over if nothing more is played; inf between phrases."""
        if self._start is None:
            return math.inf
        ringing = self._last_onset + max(RING_S, RING_IOIS * self.median_ioi)
        quiet = ringing if self._silent_from is None else min(self._silent_from, ringing)
        return quiet + self.breath_s

    def advance(self, now: float) -> Phrase | None:
        """The phrase that `now` (s) turns out to be over, once."""
        due = self.due()
        if self._start is None or now < due:
            return None
        phrase = Phrase(self._start, due - self.breath_s, self._notes)
        self.ended.append(phrase)
        self._start, self._silent_from = None, None
        return phrase

    def forget(self, before: float) -> None:
        """Drops phrases that ended before `before` (s)."""
        while self.ended and self.ended[0].end < before:
            self.ended.popleft()
