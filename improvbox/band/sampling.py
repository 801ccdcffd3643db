"""From logits to one draw: candidate onsets, masks, hazard, temperatures. Pure functions on small arrays.

Every function takes the uniform number that it may use, so a query draws the same count of numbers whatever happens.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from improvbox.band import vocabulary as v
from improvbox.band.features import HUMAN, NEVER, Features, tick_of
from improvbox.band.types import Limits
from improvbox.tempo import TICKS_PER_BEAT, Grid

_TIME = v.slices(v.TIME_OUTPUTS)
_PITCH = v.slices(v.PITCH_OUTPUTS)
_EARLY_S = 1e-6  # rounding slack of a grid line against `earliest`


def _strongest_ticks() -> np.ndarray:
    """Candidate offsets by phase of the last event: each coarse bin of three ticks stands for its strongest tick."""
    table = np.empty((TICKS_PER_BEAT, len(v.STEP_TICKS)), np.int64)
    for phase in range(TICKS_PER_BEAT):
        for i, step in enumerate(v.STEP_TICKS):
            options = [step] if step <= 48 else [step - 2, step - 1, step]
            table[phase, i] = max(options, key=lambda d: [(phase + d) % n == 0 for n in (12, 6, 3, 4, 2)])
    return table


STRONGEST = _strongest_ticks()
_STALE_TICKS = 48  # a silence is stepped over by four beats at a time, so that phase and bar position stay


@dataclass(frozen=True, slots=True, eq=False)
class Onsets:
    """Candidate onsets of one query, in order of time, with the logits of each; the last logit is 'none'."""

    times: np.ndarray
    """s, float[n]; free: the latest moment of each bin"""
    logits: np.ndarray
    """float[n + 1]"""
    ticks: np.ndarray | None
    """absolute ticks, int[n]; None in free time"""
    base: float
    """s, moment that free bins are counted from"""


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Natural logarithms of the probabilities."""
    top = logits.max()
    shifted = logits - top
    made: np.ndarray = shifted - np.log(np.exp(shifted).sum())
    return made


def draw(log_p: np.ndarray, uniform: float) -> int:
    """Index drawn by one uniform number in [0, 1)."""
    mass = np.exp(log_p).cumsum()
    return int(min(np.searchsorted(mass, uniform * mass[-1], side="right"), len(log_p) - 1))


def tilt(log_p: np.ndarray, hazard: float) -> np.ndarray:
    """Scales the hazard of an ordered distribution whose last outcome is 'never': h -> 1 - (1 - h) ** hazard."""
    if hazard == 1.0:
        return log_p
    p = np.exp(log_p)
    left = np.cumsum(p[::-1])[::-1]
    survive = np.clip(1.0 - p / np.maximum(left, 1e-12), 1e-12, 1.0) ** hazard
    survive[-1] = 0.0
    reached = np.concatenate(([1.0], np.cumprod(survive)[:-1]))
    with np.errstate(divide="ignore"):
        made: np.ndarray = np.log(reached * (1.0 - survive))
    return made


def metered_onsets(out: np.ndarray, features: Features, band: int, earliest: float, grid: Grid) -> Onsets:
    """Candidates on the ticks of `grid`; `out`: the time head's outputs."""
    base = tick_of(features.event_s, grid)
    late = tick_of(earliest, grid) - base - _STALE_TICKS
    if late > 0:
        base += late // _STALE_TICKS * _STALE_TICKS
    ticks = base + STRONGEST[base % TICKS_PER_BEAT]
    line = features.lines[1 + band]
    logits = out[_TIME["step"]].copy()
    logits[:-1] += out[_TIME["phase"]][ticks % TICKS_PER_BEAT]
    since, end = out[_TIME["since"]], out[_TIME["end"]]
    if line.pitch < 0:
        logits[:-1] += since[v.VIEW_SINCE_NONE] + end[v.VIEW_END_NONE]
    else:
        logits[:-1] += since[np.minimum(np.maximum(ticks - tick_of(line.onset, grid), 0), 97)]
        gap = np.minimum(np.maximum(ticks - tick_of(line.end, grid), v.VIEW_END_LOW), v.VIEW_END_HIGH)
        logits[:-1] += end[gap - v.VIEW_END_LOW]
    return Onsets(grid.origin + ticks * (grid.beat_s / TICKS_PER_BEAT), logits, ticks, features.event_s)


def free_onsets(out: np.ndarray, features: Features, band: int, earliest: float) -> Onsets:
    """Candidates in log bins of seconds after the last event."""
    base = features.event_s
    if earliest - base > v.ONSET_EDGES_S[-8]:  # about 5 s: the bins are too wide and too few by then
        base = earliest - 1.0
    line = features.lines[1 + band]
    logits = out[_TIME["gap"]].copy()
    ends = out[_TIME["free_end"]]
    if line.end <= NEVER:
        logits[:-1] += ends[v.VIEW_FREE_END_NONE]
    else:
        own = int(v.gap_bin(line.end - base))
        logits[:-1] += ends[np.clip(np.arange(v.GAP_NONE) - own, -8, 8) + 8]
    return Onsets(base + v.ONSET_EDGES_S, logits, None, base)


def limited(onsets: Onsets, limits: Limits, earliest: float) -> np.ndarray | None:
    """Log-probabilities of the candidates and of 'none' (last) under the limits; None: nothing is possible.

    What is too early or off the grid is ruled out; what is too late counts as 'none', so that a short horizon does
    not make a player busier.
    """
    logits = onsets.logits.astype(np.float64) / limits.time_temperature
    allowed = onsets.times >= earliest - _EARLY_S
    if onsets.ticks is not None:
        phases = onsets.ticks % TICKS_PER_BEAT
        if limits.phase_bias is not None:
            logits[:-1] += limits.phase_bias[phases]
        if limits.step_ticks > 1:
            allowed &= phases % limits.step_ticks == 0
    late = onsets.times > limits.latest + _EARLY_S
    if not (allowed & ~late).any():
        return None
    logits[:-1][~allowed] = -np.inf
    plain = log_softmax(logits)
    log_p = tilt(plain, limits.hazard)
    rest = np.append(late, True)
    if limits.must:
        log_p[rest] = -np.inf
        if not np.isfinite(log_p).any():  # the model was as good as sure to wait: its order of preference is left
            log_p = np.where(rest, -np.inf, plain)
    else:
        log_p[-1] = np.logaddexp.reduce(log_p[rest])
        log_p[:-1][late] = -np.inf
    return log_softmax(log_p)


def pick_onset(onsets: Onsets, log_p: np.ndarray, earliest: float, draws: np.ndarray) -> tuple[int, float] | None:
    """(candidate, onset in s), or None for 'rest'."""
    index = draw(log_p, draws[0])
    if index == len(onsets.times):
        return None
    if onsets.ticks is not None:
        return index, float(onsets.times[index])
    if index == 0:
        return index, max(onsets.base, earliest)
    low, high = onsets.times[index - 1] - onsets.base, onsets.times[index] - onsets.base
    return index, max(onsets.base + float(low * (high / low) ** float(draws[1])), earliest)


def onset_row(
    onsets: Onsets, chosen: tuple[int, float], features: Features, band: int, grid: Grid | None
) -> np.ndarray:
    """The pitch head's view of the chosen (candidate, onset in s); float32[1, ONSET_ONE_HOT]."""
    index, onset = chosen
    line = features.lines[1 + band]
    if onsets.ticks is not None and grid is not None:
        tick = int(onsets.ticks[index])
        end = v.VIEW_END_NONE
        if line.pitch >= 0:
            end = min(max(tick - tick_of(line.end, grid), v.VIEW_END_LOW), v.VIEW_END_HIGH) - v.VIEW_END_LOW
        categories = (index, tick % TICKS_PER_BEAT, end, v.GAPS)
    else:
        categories = (v.STEPS, v.PHASE_FREE, v.VIEW_END, int(v.gap_bin(onset - onsets.base)))
    made = np.zeros((1, v.ONSET_ONE_HOT), np.float32)
    made[0, _ONSET_OFFSETS + categories] = 1.0
    return made


_ONSET_OFFSETS = v.offsets(v.ONSET_CATEGORIES)


def pitch_logits(out: np.ndarray, features: Features, band: int) -> np.ndarray:
    """Sum of the views: absolute, interval to own last, class to the human and to the others, profiles; float[33]."""
    pitches = _PITCHES[band]
    lines = features.lines
    logits = out[_PITCH["absolute"]].astype(np.float64)
    own = lines[1 + band].pitch
    if own >= 0:
        logits += out[_PITCH["interval"]][np.minimum(np.maximum(pitches - own, -24), 24) + 24]
    else:
        logits += out[_PITCH["interval"]][v.INTERVAL_NONE]
    second, third = v.OTHERS[band]
    for name, stream in (("human", HUMAN), ("other", 1 + second), ("third", 1 + third)):
        pitch = lines[stream].pitch
        logits += out[_PITCH[name]][(pitches - pitch) % 12] if pitch >= 0 else out[_PITCH[name]][v.CLASS_NONE]
    made: np.ndarray = logits + out[_PITCH["profile"]] @ features.normalised()[:, pitches % 12]
    return made


_PITCHES = [low + np.arange(v.PITCHES) for low in v.LOWEST]


def limited_pitches(logits: np.ndarray, band: int, limits: Limits) -> np.ndarray | None:
    """Log-probabilities of the band's 33 pitches under the limits; None: every pitch is forbidden."""
    pitches = _PITCHES[band]
    logits = logits / limits.pitch_temperature
    if limits.pitch_bias is not None:
        logits = logits + limits.pitch_bias[pitches]
    high = min(limits.high, int(v.HIGHEST[band]))
    logits = np.where((pitches >= limits.low) & (pitches <= high), logits, -np.inf)
    if not np.isfinite(logits).any():
        return None
    log_p = log_softmax(logits)
    if limits.pitch_share < 1.0:
        order = np.argsort(-log_p, kind="stable")
        before = np.cumsum(np.exp(log_p[order])) - np.exp(log_p[order])
        log_p[order[before >= limits.pitch_share]] = -np.inf
        log_p = log_softmax(log_p)
    return log_p


def pick_duration(out: np.ndarray, limits: Limits, grid: Grid | None, uniform: float) -> tuple[float, float]:
    """(s, log-probability)."""
    if grid is None:
        log_p, values = log_softmax(out[_PITCH["duration_s"]].astype(np.float64)), v.DURATIONS_S
    else:
        log_p = log_softmax(out[_PITCH["duration_ticks"]].astype(np.float64))
        values = v.DURATIONS_TICKS * (grid.beat_s / TICKS_PER_BEAT)
    index = draw(log_p, uniform)
    return min(max(float(values[index]), limits.min_duration), limits.max_duration), float(log_p[index])


def step_of(onset: float, features: Features, grid: Grid) -> int:
    """Candidate of an onset (s) on the grid."""
    ticks = tick_of(onset, grid) - tick_of(features.event_s, grid)
    return int(v.step_bin(np.array(ticks)))


def duration_bin(duration: float, grid: Grid | None) -> int:
    """The nearest duration, on a log scale: of ticks on a grid, of seconds without."""
    if grid is None:
        return int(np.argmin(np.abs(_LOG_DURATIONS_S - math.log(max(duration, 0.02)))))
    ticks = max(duration / grid.beat_s * TICKS_PER_BEAT, 1.0)
    return int(np.argmin(np.abs(_LOG_DURATIONS_TICKS - math.log(ticks))))


_LOG_DURATIONS_S, _LOG_DURATIONS_TICKS = np.log(v.DURATIONS_S), np.log(v.DURATIONS_TICKS)


def log_duration(out: np.ndarray, duration: float, grid: Grid | None) -> float:
    """Log-probability of a duration (s)."""
    name = "duration_s" if grid is None else "duration_ticks"
    return float(log_softmax(out[_PITCH[name]].astype(np.float64))[duration_bin(duration, grid)])


def log_velocity(out: np.ndarray, velocity: int) -> float:
    """Log-probability of a velocity's class."""
    return float(log_softmax(out[_PITCH["velocity"]].astype(np.float64))[min(velocity // 8, v.VELOCITIES - 1)])


def pick_velocity(out: np.ndarray, uniform: float) -> tuple[int, float]:
    """(1..127, log-probability); the place within a class of 8 follows from the same number."""
    log_p = log_softmax(out[_PITCH["velocity"]].astype(np.float64))
    index = draw(log_p, uniform)
    return min(max(8 * index + int(uniform * 1000) % 8, 1), 127), float(log_p[index])
