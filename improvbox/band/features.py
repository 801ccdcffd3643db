"""What the event model sees, computed event by event: one code for training and for the stage.

Causal by construction: `hear` takes one event at a time, in the order in which events become known (the human's late,
by the hearing delay), and a row never changes afterwards. The end of a human note is an event of its own; until it
comes, only "it sounds" is known. Pitch is seen relative to the human's last note, so everything learnt in one key
holds in all twelve.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from improvbox.band import vocabulary as v
from improvbox.band.types import IDIOMS as IDIOM_NAMES
from improvbox.band.types import Controls, Ended, Fed, Played
from improvbox.tempo import TICKS_PER_BEAT, Grid

HUMAN = 0
NEVER = -1e9  # s; the onset and end of a part that has not played
_ON_WEIGHT_S = 0.08  # a note counts at once, as if it had sounded this long
_INDEX = {name: i for i, name in enumerate(v.STREAMS)}
_DECAY = -math.log(2.0) / np.array(v.HALF_LIVES_S)[:, None]
_EVERYBODY = np.array([False, False, True, True])
_TURN = (np.arange(12)[None, :] + np.arange(12)[:, None]) % 12  # _TURN[r]: classes counted from r
_CORE_OFFSETS = v.offsets(v.CORE_CATEGORIES)
_QUERY_OFFSETS = v.offsets(v.QUERY_CATEGORIES)
_LOWEST = [int(p) for p in v.LOWEST]
_LOG_DURATIONS_TICKS = np.log(v.DURATIONS_TICKS)


def log_time(seconds: float) -> float:
    """A time span on a log scale, about 0..1 for 10 ms to 8 s."""
    return (math.log2(min(max(seconds, 0.0), 8.0) + 0.02) + 2.0) / 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One input row before its expansion to one-hot."""

    categories: tuple[int, ...]
    floats: np.ndarray
    """float32"""


@dataclass(frozen=True, slots=True, eq=False)
class _Books:
    """Per stream, the categories that all players' rows share; made once an event."""

    grid: Grid | None
    tick: int | None
    classes: list[int]
    since: list[int]
    ioi: list[int]
    remain: list[int]
    intervals: list[int]
    floats: np.ndarray


@dataclass(slots=True)
class _Line:
    """What is known of one stream."""

    pitch: int = -1
    before: int = -1
    """the pitch before that"""
    onset: float = NEVER
    previous: float = NEVER
    """onset before that, s"""
    end: float = NEVER
    """s; planned, of a player; of the human: when it ended, or infinite while it sounds"""

    def copy(self) -> _Line:
        return _Line(self.pitch, self.before, self.onset, self.previous, self.end)


class Features:
    """The state behind the rows. `hear` an event, then read `core` and, for each player, `query`."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.lines = [_Line() for _ in v.STREAMS]
        self.profiles = np.zeros((len(v.HALF_LIVES_S), 12))
        self.now = NEVER
        """s, the latest event time heard; -1e9: nothing yet"""
        self.reference = 0
        """pitch class that classes are counted from: the human's last"""
        self.core: Row | None = None
        self.event_s = 0.0
        """s, time of the last event: onsets are counted from it"""
        self._books: _Books | None = None

    def copy(self) -> Features:
        """An independent copy."""
        twin = Features.__new__(Features)
        twin.lines = [line.copy() for line in self.lines]
        twin.profiles = self.profiles.copy()
        twin.now, twin.reference, twin.core = self.now, self.reference, self.core
        twin.event_s, twin._books = self.event_s, self._books
        return twin

    @property
    def heard(self) -> bool:
        """Something was played."""
        return self.core is not None

    def hear(self, event: Fed, grid: Grid | None) -> bool:
        """Takes one event. False: no new row; a player's note was cut short, or an end said nothing new.

        Raises ValueError for a player's note without a duration.
        """
        stream = _INDEX.get(event.part)
        if stream is None:
            return False
        line = self.lines[stream]
        if isinstance(event, Ended):
            if event.pitch != line.pitch or line.end <= event.t:
                return False
            self._pass_time(event.t)
            self._books = None
            line.end = event.t
            if stream != HUMAN:
                return False
            self._core_row(v.KINDS - 1, line, line.onset, event, grid)
            return True
        if stream != HUMAN and event.duration is None:
            raise ValueError(f"a note of {event.part} needs its planned duration; only the human's is unknown")
        self._pass_time(event.onset)
        before = line.onset
        line.previous, line.before = line.onset, line.pitch
        line.onset, line.pitch = event.onset, event.pitch
        line.end = math.inf if event.duration is None else event.onset + event.duration
        pc = event.pitch % 12
        self.profiles[_EVERYBODY, pc] += _ON_WEIGHT_S
        if stream == HUMAN:
            self.profiles[~_EVERYBODY, pc] += _ON_WEIGHT_S
        if stream == HUMAN or self.lines[HUMAN].pitch < 0:
            self.reference = pc
        self._core_row(stream, line, before, event, grid)
        return True

    def _pass_time(self, t: float) -> None:
        """Profiles fade and what sounds is added, up to `t` (s)."""
        step = t - self.now
        if step <= 0.0:
            return
        if self.now > NEVER:
            self.profiles *= np.exp(_DECAY * step)
            for stream, line in enumerate(self.lines):
                heard = min(step, line.end - self.now)
                if heard > 0.0 and line.pitch >= 0:
                    self.profiles[2:, line.pitch % 12] += heard
                    if stream == HUMAN:
                        self.profiles[:2, line.pitch % 12] += heard
        self.now = t

    def normalised(self) -> np.ndarray:
        """Profiles with their strongest class near 1; float[4, 12], absolute classes."""
        made: np.ndarray = self.profiles / (self.profiles.max(axis=1, keepdims=True) + 0.1)
        return made

    def _core_row(self, kind: int, line: _Line, own: float, event: Fed, grid: Grid | None) -> None:
        """Makes the core's row; `own`: onset (s) of the stream's note before this event."""
        note = event if isinstance(event, Played) else None
        t = event.onset if isinstance(event, Played) else event.t
        last, self.event_s, self._books = self.event_s if self.core else NEVER, t, None
        tick = None if grid is None else tick_of(t, grid)
        bass, reference = self.lines[1].pitch, self.reference
        if note is not None and note.duration is not None:
            planned = note.duration
            if grid is None:
                length = int(np.argmin(np.abs(v.DURATIONS_S - planned)))
            else:
                ticks = max(planned / grid.beat_s * TICKS_PER_BEAT, 1.0)
                length = int(np.argmin(np.abs(_LOG_DURATIONS_TICKS - math.log(ticks))))
        else:
            planned, length = 0.0, v.DURATION_NONE
        sounding = [each.pitch >= 0 and each.end > t for each in self.lines]
        interval = v.INTERVAL_NONE
        if note is not None and line.before >= 0:
            interval = min(max(line.pitch - line.before, -24), 24) + 24
        categories = (
            kind,
            v.PHASE_FREE if tick is None else tick % TICKS_PER_BEAT,
            _since(tick, last, grid),
            _since(tick, own, grid),
            v.SECOND_NONE if last == NEVER else v.second_bin(t - last),
            v.SECOND_NONE if own == NEVER else v.second_bin(t - own),
            interval,
            (line.pitch - reference) % 12,
            v.CLASS_NONE if bass < 0 else (line.pitch - bass) % 12,
            min(max((line.pitch - 24) // 4, 0), v.HEIGHTS - 1),
            length,
        )
        floats = np.empty(v.CORE_OWN_FLOATS + v.PROFILE_FLOATS, np.float32)
        floats[0] = note.velocity / 64.0 - 1.0 if note is not None else 0.0
        floats[1] = log_time(planned) if planned else 0.0
        floats[2:6] = sounding
        floats[6] = 0.0 if grid is None else math.log2(grid.beat_s)
        floats[7] = 0.0 if grid is None else 1.0
        floats[8:] = self.normalised()[:, _TURN[reference]].ravel()
        self.core = Row(categories, floats)

    def query(self, band: int, grid: Grid | None) -> Row:
        """The row of player `band` (0 bass, 1 mid, 2 high) after the last event, without its conditions.

        `grid` may be newer than the one the event was heard with.
        """
        if self.core is None:
            raise ValueError("nothing was heard yet: feed an event before querying")
        books = self._books
        if books is None or books.grid is not grid:
            books = self._books = self._look(self.event_s, grid)
        own, (second, third) = 1 + band, (1 + b for b in v.OTHERS[band])
        height = self.lines[own].pitch - _LOWEST[band]
        categories = (
            band,
            v.PHASE_FREE if books.tick is None else books.tick % TICKS_PER_BEAT,
            books.classes[own],
            books.classes[second],
            books.classes[third],
            height if 0 <= height < v.PITCHES else v.PITCHES,
            books.since[own],
            books.ioi[own],
            books.remain[own],
            books.remain[second],
            books.remain[third],
            books.since[HUMAN],
            books.intervals[own],
            books.intervals[HUMAN],
        )
        line, t = self.lines[own], self.event_s
        floats = books.floats.copy()
        floats[0] = log_time(t - line.onset)
        floats[1] = log_time(line.end - t)
        return Row(categories, floats)

    def _look(self, t: float, grid: Grid | None) -> _Books:
        """The categories of every stream at `t` (s), the time of the last event."""
        lines, reference = self.lines, self.reference
        tick = None if grid is None else tick_of(t, grid)
        since, ioi, remain = [v.SINCE_FREE] * 4, [v.SINCE_FREE] * 4, [v.REMAIN_FREE] * 4
        if grid is not None and tick is not None:
            for i, line in enumerate(lines):
                since[i] = ioi[i] = v.SINCE_NONE
                remain[i] = v.REMAIN_NONE
                if line.pitch < 0:
                    continue
                on = tick_of(line.onset, grid)
                since[i] = v.SINCE_OF[min(max(tick - on, 0), 97)]
                if line.previous != NEVER:
                    ioi[i] = v.SINCE_OF[min(max(on - tick_of(line.previous, grid), 0), 97)]
                if i != HUMAN:
                    left = tick_of(line.end, grid) - tick
                    remain[i] = min(max(left, v.REMAIN_LOW), v.REMAIN_HIGH) - v.REMAIN_LOW
        human = lines[HUMAN]
        floats = np.empty(v.QUERY_OWN_FLOATS + 2 + v.PROFILE_FLOATS, np.float32)
        floats[2] = log_time(t - human.onset)
        floats[4] = human.end > t
        floats[3] = 0.0 if human.end > t else log_time(t - human.end)
        assert self.core is not None
        floats[5], floats[6] = (0.0, 0.0) if grid is None else (math.log2(grid.beat_s), 1.0)
        floats[7:] = self.core.floats[v.CORE_OWN_FLOATS :]
        return _Books(
            grid,
            tick,
            [v.CLASS_NONE if line.pitch < 0 else (line.pitch - reference) % 12 for line in lines],
            since,
            ioi,
            remain,
            [
                v.INTERVAL_NONE if line.before < 0 else min(max(line.pitch - line.before, -24), 24) + 24
                for line in lines
            ],
            floats,
        )


def tick_of(t: float, grid: Grid) -> int:
    """The nearest tick to `t` (s), counted from the grid's origin."""
    return math.floor((t - grid.origin) / grid.beat_s * TICKS_PER_BEAT + 0.5)


def _since(tick: int | None, then: float, grid: Grid | None) -> int:
    """Category of the ticks from a past moment (s)."""
    if tick is None or grid is None:
        return v.SINCE_FREE
    if then == NEVER:
        return v.SINCE_NONE
    return v.SINCE_OF[min(max(tick - tick_of(then, grid), 0), 97)]


def conditions(controls: Controls) -> np.ndarray:
    """Controls as floats: values in -1..1 (0 where not set), flags, one-hot idiom; float32[CONDITION_FLOATS]."""
    made = np.zeros(v.CONDITION_FLOATS, np.float32)
    count = len(v.CONDITIONS)
    for i, name in enumerate(v.CONDITIONS):
        value = getattr(controls, name)
        if value is not None:
            made[i] = 2.0 * value - 1.0
            made[count + i] = 1.0
    if controls.idiom is not None:
        made[2 * count + IDIOM_NAMES.index(controls.idiom)] = 1.0
    return made


def expand_core(row: Row) -> np.ndarray:
    """The core's input; float32[1, CORE_INPUTS]."""
    made = np.zeros((1, v.CORE_INPUTS), np.float32)
    made[0, _CORE_OFFSETS + row.categories] = 1.0
    made[0, v.CORE_ONE_HOT :] = row.floats
    return made


def expand_query(row: Row, condition: np.ndarray) -> np.ndarray:
    """The heads' input; float32[1, QUERY_INPUTS]."""
    made = np.zeros((1, v.QUERY_INPUTS), np.float32)
    made[0, _QUERY_OFFSETS + row.categories] = 1.0
    end = v.QUERY_ONE_HOT + len(row.floats)
    made[0, v.QUERY_ONE_HOT : end] = row.floats
    made[0, end:] = condition
    return made
