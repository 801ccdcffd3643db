"""When a string is picked although the level does not rise: the treble of the pick over that of the ringing note."""

from __future__ import annotations

import math

import numpy as np

from improvbox.hearing.level import RATE_HZ, UNIT_FRAMES, period_units

RISE_DB = 5.0  # over the last period of the lowest note. 8 misses one pluck in 100 more, 4 gains none
GAP_S = 0.03  # two plucks of a string are further apart
FLOOR = 1e-4  # of full scale: the treble of hiss


class PluckDetector:
    """Follows the largest step between two samples: a first-order high-pass that costs one subtraction.

    `lowest`: MIDI number of the lowest note of the instrument.
    """

    def __init__(self, lowest: float) -> None:
        self.last: float | None = None  # s, when the last pluck began
        self._sample = np.zeros(1, np.float32)
        self._past = [FLOOR] * period_units(lowest)

    def push(self, samples: np.ndarray, t: float) -> None:
        """Samples that end at `t` (s), a multiple of UNIT_FRAMES."""
        joined = np.concatenate((self._sample, samples))
        self._sample = joined[-1:]
        steps = np.abs(np.diff(joined)).reshape(-1, UNIT_FRAMES).max(axis=1).tolist()
        for i, step in enumerate(steps):
            begins = t - (len(steps) - i) * UNIT_FRAMES / RATE_HZ
            past = max(self._past)
            if (
                step > FLOOR
                and 20 * math.log10(step / past) > RISE_DB
                and (self.last is None or begins > self.last + GAP_S)
            ):
                self.last = begins
            self._past.append(max(step, FLOOR))
            del self._past[0]
