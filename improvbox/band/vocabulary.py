"""The event model's categories: what the numbers in its input rows and output logits mean.

A row is `one-hot of every category` then `floats`. Sizes live here once; the trainer, the runtime and the model's
card read them. Changing anything here is a new contract: raise CONTRACT and train again.
"""

from __future__ import annotations

import bisect
from types import MappingProxyType

import numpy as np

from improvbox.band.types import IDIOMS
from improvbox.events import BANDS, REGISTERS
from improvbox.tempo import TICKS_PER_BEAT

CONTRACT = 1
STREAMS = ("human", *BANDS)
LOWEST = np.array([REGISTERS[b][0] for b in BANDS])
HIGHEST = np.array([REGISTERS[b][1] for b in BANDS])
PITCHES = 33  # of the widest register; a band's pitch 0 is its lowest
CLASSES = 12
HALF_LIVES_S = (1.0, 6.0, 2.0, 16.0)  # of the pitch-class profiles: human, human, everybody, everybody

# Ticks since something: exact to two beats, then by half beats and beats.
_SINCE_EDGES = (*range(25), 30, 36, 42, 48, 60, 72, 84, 96)
SINCE_LONG, SINCE_NONE, SINCE_FREE = 33, 34, 35
SINCE = 36
SINCE_OF = [bisect.bisect_left(_SINCE_EDGES, t) for t in range(97)] + [SINCE_LONG]

# Ticks from now to a planned end: -12 (ended long ago) .. 48 (far).
REMAIN_LOW, REMAIN_HIGH = -12, 48
REMAIN_NONE, REMAIN_FREE = 61, 62
REMAIN = 63

INTERVAL_NONE, INTERVALS = 49, 50  # -24..24 semitones
CLASS_NONE = 12
PHASE_FREE = 12
SECOND_EDGES = [float(x) for x in np.geomspace(0.015, 8.0, 20)]
SECOND_NONE, SECONDS = 21, 22
HEIGHTS = 20  # thirds (4 semitones) from MIDI 24

KINDS = 5  # a note of human, bass, mid, high; the human's note ended
DURATIONS_TICKS = np.array([1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 18, 21, 24, 30, 36, 42, 48, 60, 72, 84, 96, 144, 192])
DURATIONS_S = np.geomspace(0.05, 8.0, 24)
DURATION_NONE = 24
VELOCITIES = 16  # steps of 8

CORE_CATEGORIES: MappingProxyType[str, int] = MappingProxyType(
    {
        "kind": KINDS,
        "phase": 13,
        "dt_ticks": SINCE,
        "own_ticks": SINCE,
        "dt_seconds": SECONDS,
        "own_seconds": SECONDS,
        "interval": INTERVALS,
        "class_to_human": 13,
        "class_to_bass": 13,
        "height": HEIGHTS,
        "duration": 25,
    }
)
QUERY_CATEGORIES: MappingProxyType[str, int] = MappingProxyType(
    {
        "band": 3,
        "phase": 13,
        "own_class": 13,
        "other_class": 13,
        "third_class": 13,
        "own_height": 34,
        "own_since": SINCE,
        "own_ioi": SINCE,
        "own_remain": REMAIN,
        "other_remain": REMAIN,
        "third_remain": REMAIN,
        "human_since": SINCE,
        "own_interval": INTERVALS,
        "human_interval": INTERVALS,
    }
)
PROFILE_FLOATS = CLASSES * len(HALF_LIVES_S)
CORE_OWN_FLOATS = 8  # velocity, seconds planned, four sounding flags, log2 seconds a beat, metered
QUERY_OWN_FLOATS = 5  # log seconds since own onset, to own end, since the human's onset, since its end; it sounds
CONDITIONS = ("density", "order", "variation", "texture", "level", "on_beat", "fit", "leap", "height")
CONDITION_FLOATS = 2 * len(CONDITIONS) + len(IDIOMS)

# Candidate onsets, metered: ticks after the last event's tick; past four beats in steps of three ticks; then none.
STEP_TICKS = np.array([*range(49), *range(51, 97, 3)])
STEP_NONE = len(STEP_TICKS)
STEPS = STEP_NONE + 1
# Candidate onsets, free: at once (20 ms), 96 log bins to 8 s (6 % wide), none.
ONSET_EDGES_S = np.geomspace(0.02, 8.0, 97)
GAP_NONE = 97
GAPS = GAP_NONE + 1
# Views of a candidate: ticks since the player's last onset (0..97), from its planned end (-24..48), phase;
# in free time bins from its planned end (-8..8).
VIEW_SINCE, VIEW_SINCE_NONE = 99, 98
VIEW_END, VIEW_END_NONE, VIEW_END_LOW, VIEW_END_HIGH = 74, 73, -24, 48
VIEW_FREE_END, VIEW_FREE_END_NONE = 18, 17
TIME_OUTPUTS: MappingProxyType[str, int] = MappingProxyType(
    {"step": STEPS, "since": VIEW_SINCE, "end": VIEW_END, "phase": CLASSES, "gap": GAPS, "free_end": VIEW_FREE_END}
)
ONSET_CATEGORIES: MappingProxyType[str, int] = MappingProxyType(
    {"step": STEPS + 1, "phase": 13, "end": VIEW_END + 1, "gap": GAPS + 1}
)
PITCH_OUTPUTS: MappingProxyType[str, int] = MappingProxyType(
    {
        "absolute": PITCHES,
        "interval": INTERVALS,
        "human": 13,
        "other": 13,
        "third": 13,
        "profile": len(HALF_LIVES_S),
        "velocity": VELOCITIES,
        "duration_ticks": len(DURATIONS_TICKS),
        "duration_s": len(DURATIONS_S),
    }
)
OTHERS = ((1, 2), (0, 2), (0, 1))  # of each band, the two others


def offsets(table: MappingProxyType[str, int]) -> np.ndarray:
    """Where each category starts in the one-hot row."""
    return np.cumsum([0, *table.values()])[:-1]


def slices(table: MappingProxyType[str, int]) -> dict[str, slice]:
    """Where each group of outputs lies."""
    starts = offsets(table)
    return {name: slice(int(a), int(a) + size) for (name, size), a in zip(table.items(), starts, strict=True)}


CORE_ONE_HOT = sum(CORE_CATEGORIES.values())
QUERY_ONE_HOT = sum(QUERY_CATEGORIES.values())
ONSET_ONE_HOT = sum(ONSET_CATEGORIES.values())
CORE_INPUTS = CORE_ONE_HOT + CORE_OWN_FLOATS + PROFILE_FLOATS
QUERY_INPUTS = QUERY_ONE_HOT + QUERY_OWN_FLOATS + 2 + PROFILE_FLOATS + CONDITION_FLOATS
TIME_LOGITS = sum(TIME_OUTPUTS.values())
PITCH_LOGITS = sum(PITCH_OUTPUTS.values())


def second_bin(seconds: float) -> int:
    """Log bin of a time span, 0 (at once) .. 20 (8 s or more)."""
    return bisect.bisect_right(SECOND_EDGES, seconds)


def step_bin(ticks: np.ndarray) -> np.ndarray:
    """Category of an onset `ticks` after the last event's tick; negative counts as 0."""
    d = np.asarray(ticks)
    coarse = 49 + (d - 49) // 3
    return np.where(d <= 48, np.maximum(d, 0), np.where(d <= 96, coarse, STEP_NONE))


def gap_bin(seconds: np.ndarray | float) -> np.ndarray:
    """Category of an onset `seconds` after the last event."""
    return np.searchsorted(ONSET_EDGES_S, np.asarray(seconds), side="left")


def check() -> dict[str, int]:
    """The sizes that a model's card states, to be compared when it is loaded."""
    return {
        "ticks_per_beat": TICKS_PER_BEAT,
        "core_inputs": CORE_INPUTS,
        "query_inputs": QUERY_INPUTS,
        "onset_inputs": ONSET_ONE_HOT,
        "time_logits": TIME_LOGITS,
        "pitch_logits": PITCH_LOGITS,
    }
