"""What the controls mean, measured on music: one value a block of four beats, over 8 beats back and 24 ahead.

Wide windows, so that a control describes a style and does not give the next note away. Raw values become 0..1 by
their rank among all training values of the same player (`Ranks`), so that 0.5 is the usual and 0.1 the sparsest tenth.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from improvbox.band import vocabulary as v
from improvbox.band.types import Played
from improvbox.events import BANDS, REGISTERS

if TYPE_CHECKING:
    from models.training.band.renditions import Performance

BLOCK, BACK, AHEAD = 4, 8, 24  # beats
TOGETHER_S = 0.035
POINTS = 41  # of the rank tables


def of(performance: Performance, moments: list[float]) -> np.ndarray:
    """Raw attributes at each moment (s); float[len(moments), 3, len(CONDITIONS)], NaN where there is no part."""
    notes: dict[str, list[tuple]] = {p: [] for p in v.STREAMS}
    for _, event in performance.events:
        if isinstance(event, Played):
            notes[event.part].append((event.onset, event.pitch, event.velocity))
    arrays = {p: np.array(sorted(n), float).reshape(-1, 3) for p, n in notes.items()}
    beat_s = performance.beat_s
    blocks = int(max([*moments, 0.0]) / (BLOCK * beat_s)) + 1
    table = np.full((blocks, 3, len(v.CONDITIONS)), np.nan)
    for block in range(blocks):
        start, stop = (BLOCK * block - BACK) * beat_s, (BLOCK * block + AHEAD) * beat_s
        span = min(stop, performance.end) - max(start, 0.0)
        human = _between(arrays["human"], start - 16 * beat_s, stop)
        for band, name in enumerate(BANDS):
            part = _between(arrays[name], start, stop)
            if len(part) >= 3 and span > 0:
                table[block, band] = _measure(part, human, name, beat_s, span)
    index = [min(int(max(t, 0.0) / (BLOCK * beat_s)), blocks - 1) for t in moments]
    return table[index]


def _between(notes: np.ndarray, start: float, stop: float) -> np.ndarray:
    return notes[np.searchsorted(notes[:, 0], start) : np.searchsorted(notes[:, 0], stop)]


def _entropy(values: np.ndarray) -> float:
    _, counts = np.unique(values, return_counts=True)
    p = counts / counts.sum()
    return float(-(p * np.log2(p)).sum())


def _measure(part: np.ndarray, human: np.ndarray, name: str, beat_s: float, span: float) -> list[float]:
    onsets, pitches = part[:, 0], part[:, 1]
    gaps = np.round(np.diff(onsets) / beat_s * 12)
    moves = np.diff(pitches)
    low, high = REGISTERS[name]
    sync = parallel = echo = fit = 0.0
    if len(human):
        index = np.searchsorted(human[:, 0], onsets)
        before, after = np.clip(index - 1, 0, len(human) - 1), np.clip(index, 0, len(human) - 1)
        nearest = np.where(np.abs(human[before, 0] - onsets) <= np.abs(human[after, 0] - onsets), before, after)
        together = np.abs(human[nearest, 0] - onsets) <= TOGETHER_S
        sync = float(together.mean())
        theirs = np.sign(human[nearest, 1] - human[np.maximum(nearest - 1, 0), 1])[1:]
        parallel = float(((np.sign(moves) == theirs) & (moves != 0) & together[1:]).mean())
        steps = np.diff(human[:, 1]).astype(int)
        known = set(itertools.pairwise(steps))
        mine = moves.astype(int)
        runs = list(itertools.pairwise(mine))
        echo = sum(r in known and r != (0, 0) for r in runs) / max(len(runs), 1)
        classes = human[:, 1].astype(int) % 12
        first = np.searchsorted(human[:, 0], onsets - 2.0)
        last = np.searchsorted(human[:, 0], onsets + TOGETHER_S)
        fit = float(np.mean([int(p) % 12 in classes[a:b] for p, a, b in zip(pitches, first, last, strict=True)]))
    on_beat = float(np.mean(np.abs(onsets / beat_s - np.round(onsets / beat_s)) < 0.05))
    return [
        float(np.log2(len(part) / span)),
        -(_entropy(gaps) + _entropy(pitches % 12)),
        -echo,
        -(sync + parallel),
        float(part[:, 2].mean()),
        on_beat,
        fit,
        float(np.abs(moves).mean()),
        float((pitches.mean() - low) / (high - low)),
    ]


class Ranks:
    """Raw attribute -> its rank 0..1 among the training values of the same player."""

    def __init__(self, raw: np.ndarray) -> None:
        """`raw`: float[n, 3, len(CONDITIONS)] with NaN."""
        grid = np.linspace(0, 1, POINTS)
        self.table = np.nanquantile(raw.astype(np.float32), grid, axis=0)

    def __call__(self, raw: np.ndarray) -> np.ndarray:
        """Same shape, 0..1, NaN kept; a value that many share gets the middle of its ranks."""
        made = np.full(raw.shape, np.nan, np.float32)
        for band in range(raw.shape[1]):
            for i in range(raw.shape[2]):
                points = self.table[:, band, i]
                low = np.searchsorted(points, raw[:, band, i] - 1e-3, side="left")
                high = np.searchsorted(points, raw[:, band, i] + 1e-3, side="right")
                middle = (np.clip(low, 0, POINTS) + np.clip(high, 0, POINTS) - 1) / 2 / (POINTS - 1)
                made[:, band, i] = np.where(np.isnan(raw[:, band, i]), np.nan, np.clip(middle, 0, 1))
        return made
