"""A yardstick for the net: interpolated n-grams (Witten-Bell) over the very categories that the net is given."""

from __future__ import annotations

import numpy as np

from improvbox.band import vocabulary as v

_COLUMN = {name: i for i, name in enumerate(v.QUERY_CATEGORIES)}
# From the shortest context to the longest; each adds to the one before. 'kind' is the event, 'at' the true onset's bin,
# 'beat' its phase, 'loud' the last velocity: what the net's heads know too.
CONTEXTS = {
    "time": ("band", "own_remain", "phase", "own_since", "human_since", "own_ioi", "kind"),
    "pitch": ("band", "own_class", "other_class", "own_interval", "third_class", "beat", "own_height"),
    "velocity": ("band", "loud", "beat", "kind"),
    "duration": ("band", "at", "beat", "own_ioi", "phase"),
}
SIZES = {"time": v.STEPS, "pitch": 67, "velocity": v.VELOCITIES, "duration": len(v.DURATIONS_TICKS)}


def table(arrays: dict[str, np.ndarray], events: np.ndarray, bands: np.ndarray) -> dict[str, np.ndarray]:
    """Context columns, targets and which queries count, of metered queries."""
    rows = arrays["query"][events, bands].astype(np.int64)
    made = {name: rows[:, i] for name, i in _COLUMN.items()}
    step = arrays["step"][events, bands].astype(np.int64)
    made["kind"] = arrays["core"][events, 0].astype(np.int64)
    made["at"] = v.step_bin(step)
    made["beat"] = (arrays["phase"][events].astype(np.int64) + step) % 12
    made["loud"] = ((arrays["floats"][events, 0].astype(np.float64) + 1.0) * 8).astype(np.int64)
    own = arrays["last"][events, bands + 1].astype(np.int64)
    pitch = arrays["pitch"][events, bands].astype(np.int64) + v.LOWEST[bands]
    made["target_time"] = made["at"]
    made["target_pitch"] = np.where(own < 0, 0, np.clip(pitch - own, -33, 33) + 33)
    made["target_velocity"] = arrays["velocity"][events, bands].astype(np.int64)
    made["target_duration"] = arrays["length"][events, bands].astype(np.int64)
    made["played"] = made["at"] != v.STEP_NONE
    made["known"] = own >= 0
    return made


class Grams:
    """One field."""

    def __init__(self, field: str, data: dict[str, np.ndarray]) -> None:
        self.field, self.size = field, SIZES[field]
        use = counts_for(field, data)
        target = data[f"target_{field}"][use]
        self._tables = []
        for length in range(len(CONTEXTS[field]) + 1):
            keys = _keys(data, CONTEXTS[field][:length])[use]
            pairs, pair_counts = np.unique(keys * self.size + target, return_counts=True)
            contexts, starts = np.unique(pairs // self.size, return_index=True)
            kinds = np.diff(np.append(starts, len(pairs)))
            self._tables.append((pairs, pair_counts, contexts, np.add.reduceat(pair_counts, starts), kinds))

    def nats(self, data: dict[str, np.ndarray]) -> tuple[float, int]:
        """(mean cost, number of queries)."""
        use = counts_for(self.field, data)
        target = data[f"target_{self.field}"][use]
        p = np.full(len(target), 1.0 / self.size)
        for length, (pairs, pair_counts, contexts, totals, kinds) in enumerate(self._tables):
            keys = _keys(data, CONTEXTS[self.field][:length])[use]
            total, kind = _find(contexts, keys, totals), _find(contexts, keys, kinds)
            count = _find(pairs, keys * self.size + target, pair_counts)
            p = np.where(total > 0, (count + kind * p) / np.maximum(total + kind, 1), p)
        return float(-np.log(p).mean()), len(p)


def counts_for(field: str, data: dict[str, np.ndarray]) -> np.ndarray:
    """Which queries a field is scored on."""
    if field == "time":
        return np.ones(len(data["band"]), bool)
    return data["played"] & data["known"] if field == "pitch" else data["played"]


def _keys(data: dict[str, np.ndarray], names: tuple[str, ...]) -> np.ndarray:
    made = np.zeros(len(data["band"]), np.int64)
    for name in names:
        made = made * 79 + data[name]  # 79: above every category's size, and 79 ** 7 * 67 fits 63 bits
    return made


def _find(sorted_keys: np.ndarray, keys: np.ndarray, values: np.ndarray) -> np.ndarray:
    """values at keys, 0 where unknown."""
    index = np.minimum(np.searchsorted(sorted_keys, keys), len(sorted_keys) - 1)
    return np.where(sorted_keys[index] == keys, values[index], 0)
