"""What the band makes of what it hears: one view of each part, and what the human will probably play next."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass

import numpy as np

from improvbox.events import BANDS, REGISTERS
from improvbox.memory.context import Memory
from improvbox.memory.line import CHORD_S, Line
from improvbox.tempo import TICKS_PER_BEAT, Grid

LOOK_BACK_S = 8.0
HALF_LIFE_S = 2.0  # of the harmony that is in the air
CLASHES = (1, 6, 11)  # interval classes that a listener hears as wrong when nobody meant them
BOUNDS = {"bass": 48.0, "mid": 66.0}  # median pitch above which the human is in the next band
HYSTERESIS = 2.0  # semitones beyond a bound before the human's band changes
SETTLED = 4  # notes before the human's band is believed
_SCALE_FLOOR = 0.03  # share of the human's sounding time that makes a pitch class part of the scale
_PRIOR_INTERVALS = {0: 3.0, 1: 3.0, 2: 6.0, 3: 2.5, 4: 1.5, 5: 1.2, 7: 0.8, 8: 0.2, 9: 0.2, 12: 0.3}  # of any melody
_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])  # Krumhansl and Kessler
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])
_MOVES = np.arange(-12, 13)
_PRIOR = np.array([0.5 * _PRIOR_INTERVALS.get(abs(int(move)), 0.05) for move in _MOVES])
MEMBER = 0.3  # how much a clash counts that is part of the human's own chord
STALE_S = 1.0  # a view older than this is made anew even if nothing happened
_CLASH = np.array([[float((q - h) % 12 in CLASHES) for h in range(12)] for q in range(12)])  # [q, h]


@dataclass(slots=True, eq=False)
class View:
    """A part as the others hear it now."""

    key: int = -1
    """MIDI number of the latest note; -1: nothing yet"""
    onset: float = -math.inf
    """s, of the latest note"""
    end: float = -math.inf
    """s, of the latest note; inf while nobody knows"""
    interval: int = 0
    """semitones, the last move of the line"""
    ioi: float = 0.5
    """s, median of late"""
    notes: int = 0
    """moments within LOOK_BACK_S"""
    classes: np.ndarray | None = None
    """float[12], how much each pitch class is in the air, strongest 1; None: silence"""

    def sounds(self, t: float) -> bool:
        return self.onset <= t < self.end


class Ear:
    """Views are made once an event and kept until `changed`."""

    def __init__(self, memory: Memory, band: str = "auto") -> None:
        self._memory = memory
        self._views: dict[str, tuple[float, View]] = {}  # part -> (when it was made, s; the view)
        self._risks: dict[float, np.ndarray] = {}
        self._moves = np.zeros(len(_MOVES))  # how often the human moved by each of _MOVES, fading
        self._scale = np.zeros(12)  # seconds the human has spent on each pitch class, fading
        self._phases = np.zeros(TICKS_PER_BEAT)  # where in the beat the human's onsets fall, fading
        self._keys: list[int] = []
        self._last_key: int | None = None
        self._last_onset = -math.inf
        self._auto = "mid"
        self.band_setting = band
        self.loudness = 80.0
        """velocity, of the human's last notes"""
        self.started = math.inf
        """s, the human's first onset"""
        self.heard = 0
        """the human's notes since the start"""
        self.phases = self._phases
        """float[12], strongest 1: where in the beat the human plays; zeros when unknown"""
        self.triple = False
        """the human divides the beat by three"""
        self.finer = _finer(self._phases)
        """float[12], 1 at the ticks that divide the beat more finely than the human does, else 0"""

    # -- input ---------------------------------------------------------------------------------------------------

    def human_note(self, key: int, velocity: int, onset: float, grid: Grid | None) -> None:
        """The human began a note."""
        self.changed("human")
        self.heard += 1
        self.started = min(self.started, onset)
        self.loudness += 0.25 * (velocity - self.loudness)
        self._scale *= 0.985
        self._scale[key % 12] += 0.3
        moved = onset - self._last_onset > CHORD_S
        if moved and self._last_key is not None and abs(key - self._last_key) <= 12:
            self._moves *= 0.98
            self._moves[key - self._last_key + 12] += 1.0
        self._last_key, self._last_onset = key, onset
        self._phases *= 0.93
        if grid is not None:
            self._phases[round(grid.beat(onset) * TICKS_PER_BEAT) % TICKS_PER_BEAT] += 1.0
        top = self._phases.max()
        self.phases = self._phases / top if top > 0 else self._phases
        self.finer = _finer(self.phases)
        self.triple = bool(self.phases[[4, 8]].sum() > 1.5 * self.phases[[3, 6, 9]].sum() + 0.1)
        self._keys = [*self._keys[-15:], key]
        self._settle()

    def changed(self, part: str) -> None:
        """The part played or let go: its view is made anew when asked for."""
        self._views.pop(part, None)
        if part == "human":
            self._risks.clear()

    # -- views ---------------------------------------------------------------------------------------------------

    def view(self, part: str, now: float) -> View:
        """The part as heard at `now` (s)."""
        made = self._views.get(part)
        if made is None or now - made[0] > STALE_S:
            made = self._views[part] = now, self._look(part, now)
        return made[1]

    @property
    def line(self) -> Line:
        """The human's line."""
        return self._memory.line

    @property
    def band(self) -> str:
        """The human's band, set or found."""
        return self._auto if self.band_setting == "auto" else self.band_setting

    @property
    def centre(self) -> float:
        """MIDI number, the middle of what the human plays; of their band's register before they have."""
        return statistics.median(self._keys) if self._keys else sum(REGISTERS[self.band]) / 2

    def expected(self, now: float, stays: float) -> np.ndarray:
        """float[12], sum 1: the human's likely pitch class a moment after `now`; `stays`: share of no new note."""
        view = self.view("human", now)
        made = np.zeros(12)
        if view.key < 0:
            return made
        scale = self._scale / max(self._scale.sum(), 1e-9) + _SCALE_FLOOR
        classes = (view.key + _MOVES) % 12
        np.add.at(made, classes, (self._moves + _PRIOR) * scale[classes])
        made *= (1.0 - stays) / made.sum()
        made[view.key % 12] += stays
        return made

    def risk(self, now: float, stays: float) -> np.ndarray:
        """float[12]: the chance that each pitch class clashes with the human; less for a member of their chord."""
        made = self._risks.get(stays)
        if made is None:
            made = _CLASH @ self.expected(now, stays)
            chord = self.chord(now)
            if len(chord) > 1:
                made = (1.0 - stays) * (_CLASH @ self.expected(now, 0.0)) + stays * _CLASH[:, chord].max(axis=1)
                made[chord] *= MEMBER
            self._risks[stays] = made
        return made

    def chord(self, now: float) -> list[int]:
        """The pitch classes that the human sounds at `now` (s)."""
        return sorted({note.key % 12 for note in self._memory.sounding("human", now)})

    def scale(self) -> np.ndarray:
        """bool[12]: the pitch classes that the human uses."""
        total = self._scale.sum()
        made: np.ndarray = self._scale > _SCALE_FLOOR * total if total > 0 else np.ones(12, bool)
        return made

    def tonic(self) -> tuple[int, bool]:
        """(pitch class, minor) of the key that fits best what the human has played."""
        best, found = -math.inf, (0, False)
        for minor, profile in ((False, _MAJOR), (True, _MINOR)):
            for pc in range(12):
                score = float(np.corrcoef(np.roll(profile, pc), self._scale + 1e-9)[0, 1])
                if score > best:
                    best, found = score, (pc, minor)
        return found

    def _look(self, part: str, now: float) -> View:
        view, iois, later = View(), [], None
        classes = np.zeros(12)
        for note in self._memory.recent(part, now - LOOK_BACK_S):
            if later is None:
                view.key, view.onset, view.end = note.key, note.onset, note.offset
                later = note
            elif later.onset - note.onset > CHORD_S:
                if view.notes == 1:
                    view.interval = later.key - note.key
                iois.append(later.onset - note.onset)
                later = note
            else:
                continue
            view.notes += 1
            length = min(note.offset, now + 0.05) - note.onset
            age = max(0.0, now - note.offset)
            classes[note.key % 12] += max(0.05, min(length, 2.0)) * 0.5 ** (age / HALF_LIFE_S)
        if later is None:
            last = self._memory.latest(part)
            if last is not None:
                view.key, view.onset, view.end = last.key, last.onset, last.offset
            return view
        if iois:
            view.ioi = statistics.median(iois[:12])
        view.classes = classes / classes.max()
        return view

    def _settle(self) -> None:
        if len(self._keys) < SETTLED:
            self._auto = _band_of(self.centre)
            return
        low = {"bass": -math.inf, "mid": BOUNDS["bass"], "high": BOUNDS["mid"]}[self._auto]
        high = {"bass": BOUNDS["bass"], "mid": BOUNDS["mid"], "high": math.inf}[self._auto]
        if not low - HYSTERESIS <= self.centre <= high + HYSTERESIS:
            self._auto = _band_of(self.centre)


def _finer(phases: np.ndarray) -> np.ndarray:
    made = np.ones(TICKS_PER_BEAT)
    made[[0, 6]] = 0.0
    for ticks in ((3, 9), (4, 8)):
        made[list(ticks)] = float(phases[list(ticks)].sum() < 0.15)
    return made


def _band_of(pitch: float) -> str:
    return BANDS[0] if pitch < BOUNDS["bass"] else BANDS[1] if pitch < BOUNDS["mid"] else BANDS[2]
