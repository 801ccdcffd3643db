"""Beats and seconds: a grid is a value, the tracker that makes it lives in `hearing/`."""

from __future__ import annotations

import math
from dataclasses import dataclass

TICKS_PER_BEAT = 12  # thirds and quarters of a beat both land on a tick

MIN_BPM, MAX_BPM = 30.0, 300.0


@dataclass(frozen=True, slots=True)
class Grid:
    """Metered time around the present moment. Beats are numbered from the downbeat of bar 0."""

    tempo_bpm: float
    """beats a minute, MIN_BPM..MAX_BPM"""
    origin: float = 0.0
    """s, audio time of beat 0"""
    beats_per_bar: int = 4
    """beats, 2..12"""
    confidence: float = 1.0
    """0..1; under the threshold of the settings time is free"""
    swing: float = 0.5
    """share of a beat taken by its first eighth: 0.5 straight, 0.667 triplet shuffle"""

    def __post_init__(self) -> None:
        if not MIN_BPM <= self.tempo_bpm <= MAX_BPM:
            raise ValueError(f"tempo {self.tempo_bpm} bpm is outside {MIN_BPM:.0f}..{MAX_BPM:.0f}")

    @property
    def beat_s(self) -> float:
        return 60.0 / self.tempo_bpm

    def beat(self, t: float) -> float:
        """Beats since the origin at audio time `t` (s); fractional."""
        return (t - self.origin) / self.beat_s

    def time(self, beat: float) -> float:
        """Audio time (s) of `beat`."""
        return self.origin + beat * self.beat_s

    def next_time(self, t: float, step_beats: float = 1.0) -> float:
        """The first grid line of `step_beats` at or after `t` (s)."""
        return self.time(math.ceil(self.beat(t) / step_beats - 1e-6) * step_beats)

    def bar_beat(self, t: float) -> tuple[int, float]:
        """(bar, beat within the bar), both counted from 0."""
        beat = self.beat(t)
        bar = math.floor(beat / self.beats_per_bar)
        return bar, beat - bar * self.beats_per_bar
