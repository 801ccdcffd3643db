"""A setting becomes a performance as the box would live it, and the performance becomes rows and targets.

Players' notes become known 40 ms before they sound (the commit horizon), the human's late by the hearing delay, with
jitter, wrong and missing notes. The rows come from the runtime's own `Features`; targets are each player's next note.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from improvbox.band import sampling
from improvbox.band import vocabulary as v
from improvbox.band.features import Features, tick_of
from improvbox.band.types import IDIOMS, Ended, Played
from improvbox.events import BANDS
from improvbox.tempo import Grid
from models.training.band import attributes
from models.training.band.settings import Setting

COMMIT_S = 0.04
FREE_SHARE = 0.25  # of the renditions for training: rubato, no grid
ABSENT_SHARE = 0.1  # of the players: the others must do without
_HORIZON_S = 8.0


@dataclass(slots=True)
class Performance:
    """Events in the order in which they become known."""

    events: list[tuple[float, Played | Ended]]
    """(moment it is known in s, event)"""
    grid: Grid | None
    """what the box knows of the beat"""
    beat_s: float
    """true length of a beat, for attributes"""
    end: float
    """s"""


def perform(setting: Setting, rng: np.random.Generator, plain: bool = False) -> Performance:
    """`plain`: metered, exact, 25 ms delay; what scores are taken on."""
    beat_s = 60.0 / setting.tempo_bpm
    free = not plain and rng.random() < FREE_SHARE
    beats = np.arange(0.0, setting.end + 8.0)
    lengths = beat_s * (1.0 + (0.08 * _wander(len(beats), rng) if free else 0.0))
    moments = np.concatenate(([0.0], np.cumsum(np.broadcast_to(lengths, len(beats)))[:-1]))

    def at(beat: float) -> float:
        return float(np.interp(beat, beats, moments)) if free else beat * beat_s

    delay = 0.025 if plain else rng.uniform(0.012, 0.045)
    jitter = 0.0 if plain else float(rng.choice((0.0, 0.006, 0.015)))
    clumsy = 0.0 if plain or rng.random() < 0.5 else 0.03
    loud = 80.0 if plain else rng.uniform(55, 105)
    known: list[tuple[float, float, Played | Ended]] = []
    for onset, duration, pitch, _ in setting.human:
        if clumsy and rng.random() < clumsy:
            continue
        wrong = int(rng.choice((-12, -1, 1, 12))) if clumsy and rng.random() < clumsy else 0
        t = at(onset) + (rng.normal(0, jitter) if jitter else 0.0)
        off = max(at(onset + duration) * 1.0 - 0.01 * float(rng.random()), t + 0.04)
        note = Played("human", int(pitch) + wrong, t, _velocity(loud, onset, rng))
        known.append((t + delay, rng.random(), note))
        known.append((off + rng.uniform(0.005, 0.08), rng.random(), Ended("human", note.pitch, off)))
    for band in BANDS:
        if not plain and rng.random() < ABSENT_SHARE:
            continue
        own = loud if plain else float(np.clip(loud + rng.normal(0, 12), 30, 120))
        for onset, duration, pitch, _ in setting.bands[band]:
            t, off = at(onset), at(onset + duration)
            known.append((t - COMMIT_S, rng.random(), Played(band, int(pitch), t, _velocity(own, onset, rng), off - t)))
    known.sort(key=lambda k: k[:2])
    grid = None if free else Grid(min(max(setting.tempo_bpm, 30.0), 300.0))
    return Performance([(k, e) for k, _, e in known], grid, beat_s, at(setting.end))


def _wander(count: int, rng: np.random.Generator) -> np.ndarray:
    """Slow noise of unit size."""
    raw = np.convolve(rng.normal(0, 1, count + 8), np.ones(8) / np.sqrt(8.0), "same")[:count]
    return np.clip(raw, -2.0, 2.0)


def _velocity(base: float, beat: float, rng: np.random.Generator) -> int:
    """Accents on the beat and a human spread: corpora have one velocity for all notes."""
    accent = 6.0 if abs(beat - round(beat)) < 0.01 else 0.0
    return int(np.clip(rng.normal(base + accent, 5.0), 8, 126))


FIELDS: dict[str, tuple[type, tuple[int, ...]]] = {
    "core": (np.uint8, (len(v.CORE_CATEGORIES),)),
    "floats": (np.float16, (v.CORE_OWN_FLOATS + v.PROFILE_FLOATS,)),
    "query": (np.uint8, (3, len(v.QUERY_CATEGORIES))),
    "query_floats": (np.float16, (3, v.QUERY_OWN_FLOATS + 2)),
    "last": (np.int8, (4,)),
    "own_on": (np.int16, (3,)),
    "own_end": (np.int16, (3,)),
    "own_gap": (np.int8, (3,)),
    "reference": (np.uint8, ()),
    "step": (np.int16, (3,)),
    "gap": (np.uint8, (3,)),
    "phase": (np.uint8, ()),
    "pitch": (np.uint8, (3,)),
    "length": (np.uint8, (3,)),
    "velocity": (np.uint8, (3,)),
    "asked": (np.bool_, (3,)),
    "attributes": (np.float16, (3, len(v.CONDITIONS))),
}
FAR = 200  # step of a note beyond the horizon: it is 'none'


def extract(performance: Performance, limit: int | None = None) -> dict[str, np.ndarray]:
    """Rows and targets after each event that the core hears; see FIELDS. Target times are exact ticks or gap bins."""
    features, grid = Features(), performance.grid
    heard: list[tuple[int, Played | Ended]] = []
    rows: dict[str, list] = {name: [] for name in FIELDS}
    for index, (_, event) in enumerate(performance.events):
        if not features.hear(event, grid):
            continue
        assert features.core is not None
        heard.append((index, event))
        tick = 0 if grid is None else tick_of(features.event_s, grid)
        queries = [features.query(b, grid) for b in range(3)]
        rows["core"].append(features.core.categories)
        rows["floats"].append(features.core.floats)
        rows["query"].append([q.categories for q in queries])
        rows["query_floats"].append([q.floats[: v.QUERY_OWN_FLOATS + 2] for q in queries])
        rows["last"].append([line.pitch for line in features.lines])
        own = features.lines[1:]
        known = [line.pitch >= 0 for line in own]
        rows["own_on"].append(
            [tick_of(x.onset, grid) - tick if k and grid else -999 for x, k in zip(own, known, strict=True)]
        )
        rows["own_end"].append(
            [tick_of(x.end, grid) - tick if k and grid else -999 for x, k in zip(own, known, strict=True)]
        )
        rows["own_gap"].append(
            [int(v.gap_bin(x.end - features.event_s)) if k else -1 for x, k in zip(own, known, strict=True)]
        )
        rows["reference"].append(features.reference)
        rows["phase"].append(tick % 12)
        if limit is not None and len(heard) >= limit:
            break
    _targets(performance, heard, rows)
    rows["attributes"] = list(attributes.of(performance, [_moment(e) for _, e in heard]))
    return {name: np.asarray(rows[name]).astype(kind) for name, (kind, _) in FIELDS.items()}


def _moment(event: Played | Ended) -> float:
    return event.onset if isinstance(event, Played) else event.t


def _targets(performance: Performance, heard: list[tuple[int, Played | Ended]], rows: dict[str, list]) -> None:
    """Each player's next note after each event, in the order in which events become known."""
    grid, events = performance.grid, performance.events
    following: list[Played | None] = [None, None, None]
    after: list[list[Played | None]] = [[None] * 3 for _ in events]
    for index in range(len(events) - 1, -1, -1):
        after[index] = list(following)
        event = events[index][1]
        if isinstance(event, Played) and event.part != "human":
            following[BANDS.index(event.part)] = event
    present = [n is not None for n in following]
    for index, event in heard:
        moment = _moment(event)
        tick = 0 if grid is None else tick_of(moment, grid)
        made: dict[str, list] = {k: [] for k in ("step", "gap", "pitch", "length", "velocity", "asked")}
        for band, note in enumerate(after[index]):
            ending = performance.end - moment < _HORIZON_S
            made["asked"].append(present[band] and not (note is None and ending))
            step = FAR if note is None or grid is None else min(max(tick_of(note.onset, grid) - tick, 0), FAR)
            made["step"].append(step)
            made["gap"].append(v.GAP_NONE if note is None else int(v.gap_bin(note.onset - moment)))
            made["pitch"].append(0 if note is None else note.pitch - int(v.LOWEST[band]))
            made["velocity"].append(0 if note is None else min(note.velocity // 8, v.VELOCITIES - 1))
            made["length"].append(0 if note is None else sampling.duration_bin(note.duration or 0.0, grid))
        for name, values in made.items():
            rows[name].append(values)


def idiom_of(setting: Setting) -> int:
    """Index of the setting's idiom."""
    return IDIOMS.index(setting.idiom)
