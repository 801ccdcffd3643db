"""Streams of renditions, cut into chunks whose state is carried on, so that short chunks learn long context."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from improvbox.band import vocabulary as v
from improvbox.band.types import IDIOMS
from models.training.band.attributes import Ranks
from models.training.band.net import one_hot

CORPUS_WEIGHT = (1.5, 1.0, 1.0, 1.0)  # chorales, songs, guitar, multitrack: chorales are the best part-writing there is
_QUERY_FIELDS = ("own_on", "own_end", "own_gap", "step", "gap", "pitch", "velocity", "length")


class Streams:
    """`count` parallel walks over random renditions, `length` events at a time."""

    def __init__(self, arrays: dict[str, np.ndarray], ranks: Ranks, count: int, length: int, rng: np.random.Generator):
        self.arrays, self.count, self.length, self.rng = arrays, count, length, rng
        self.ranked = ranks(np.asarray(arrays["attributes"], np.float32)).astype(np.float16)
        sizes = np.diff(arrays["starts"])
        weights = sizes * np.array(CORPUS_WEIGHT)[arrays["corpus"]] * (sizes > length)
        self._weights = weights / weights.sum()
        self._at = np.zeros(count, np.int64)
        self._end = np.zeros(count, np.int64)
        self._of = np.zeros(count, np.int64)

    def next(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(event indices (count, length), which streams began anew, rendition of each stream)."""
        fresh = self._at + self.length > self._end
        for i in np.flatnonzero(fresh):
            r = int(self.rng.choice(len(self._weights), p=self._weights))
            a, b = int(self.arrays["starts"][r]), int(self.arrays["starts"][r + 1])
            start = a if self.rng.random() < 0.4 else int(self.rng.integers(a, b - self.length))
            self._at[i], self._end[i], self._of[i] = start, b, r
        index = self._at[:, None] + np.arange(self.length)[None]
        self._at += self.length
        return index, fresh, self._of.copy()

    def conditions(self, streams: np.ndarray, events: np.ndarray, bands: np.ndarray, renditions: np.ndarray) -> Tensor:
        """Attributes as conditions, many of them dropped at random, the same for a whole chunk."""
        rng, count = self.rng, len(v.CONDITIONS)
        told = (rng.random((self.count, 3, count)) < 0.5) & (rng.random((self.count, 1, 1)) < 0.7)
        idiom_told = rng.random(self.count) < 0.5
        noise = rng.normal(0, 0.04, (self.count, 3, count))
        return condition_rows(
            self.ranked[events, bands] + noise[streams, bands],
            told[streams, bands],
            np.where(idiom_told[streams], self.arrays["idiom"][renditions[streams]].astype(np.int64), -1),
        )


def condition_rows(values: np.ndarray, told: np.ndarray, idiom: np.ndarray) -> Tensor:
    """(N, CONDITION_FLOATS), as `features.conditions` makes them; idiom -1: not told."""
    known = told & ~np.isnan(values)
    scaled = np.where(known, 2.0 * np.clip(values, 0.0, 1.0) - 1.0, 0.0)
    one = (idiom[:, None] == np.arange(len(IDIOMS))[None]).astype(np.float32)
    return torch.from_numpy(np.concatenate([scaled, known, one], 1).astype(np.float32))


def core_rows(arrays: dict[str, np.ndarray], index: np.ndarray) -> Tensor:
    """(*index.shape, CORE_INPUTS)."""
    flat = index.ravel()
    categories = torch.from_numpy(arrays["core"][flat])
    floats = torch.from_numpy(arrays["floats"][flat])
    return one_hot(categories, v.CORE_CATEGORIES, [floats]).view(*index.shape, v.CORE_INPUTS)


def queries(arrays: dict[str, np.ndarray], events: np.ndarray, bands: np.ndarray) -> dict[str, Tensor]:
    """Everything a query of (event, band) needs but its conditions."""
    made = {n: torch.from_numpy(arrays[n][events, bands].astype(np.int64)) for n in _QUERY_FIELDS}
    for name in ("last", "reference", "phase"):
        made[name] = torch.from_numpy(arrays[name][events].astype(np.int64))
    floats = arrays["floats"][events]
    made["profile"] = torch.from_numpy(floats[:, v.CORE_OWN_FLOATS :])
    made["metered"] = torch.from_numpy(floats[:, v.CORE_OWN_FLOATS - 1] > 0.5)
    made["query"] = torch.from_numpy(arrays["query"][events, bands])
    made["query_floats"] = torch.from_numpy(arrays["query_floats"][events, bands])
    made["band"] = torch.from_numpy(bands.astype(np.int64))
    return made
