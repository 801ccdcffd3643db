"""The tracker without a model: one note at a time, plain periodicity. The degradation ladder falls back to it.

Windows end at the newest sample and never reach back before the attack, so that neither the pick nor the note before
blurs the new period; the shortest that holds the period twice decides. Cost: about a tenth of a hop.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from improvbox.events import HumanEvent
from improvbox.hearing.level import RATE_HZ, LevelMeter
from improvbox.hearing.periodicity import INNER_RATE_HZ, Periodicity
from improvbox.hearing.pluck import PluckDetector
from improvbox.hearing.voices import Voice, Voices

HOP_FRAMES = 128

# Window in samples at 24 kHz and the clarity (height of the NSDF peak) it needs: a short window sees little and must
# be nearly a perfect period. 6.5 ms is two periods of E4, 42 ms three of D2.
WINDOWS = ((156, 0.96), (240, 0.95), (384, 0.93), (624, 0.91), (1008, 0.90))
SETTLED_PERIODS = 3.0  # a window that holds so many cannot be a multiple of the true pitch


@dataclass(frozen=True, slots=True)
class DspTuning:
    """Constants of the segmenter, with what each trades."""

    agree: int = 2
    """estimates in a row that must agree before a note leaves; 3 costs 2.7 ms and saves a false note in 50"""
    within: float = 0.4
    """semitones they may differ by"""
    young_s: float = 0.06
    """after an attack every hop is analysed; later every third, which is enough for a vibrato"""
    attack_s: float = 0.35
    """an attack that found no pitch in this time was noise"""
    follow: float = 0.5
    """semitones that a sounding note may move between estimates: faster is another note"""
    legato_s: float = 0.010
    """a new pitch without an attack must hold this long; 25 ms loses every fourth hammer-on in fast playing"""
    pluck_after_s: float = 0.02
    """a pluck so soon after an attack is part of it"""
    legato_jump: float = 0.7
    """semitones, least size of a hammer-on"""
    unclear_s: float = 0.06
    """without a clear period for so long the note is over"""
    floor_db: float = -58.0
    """dBFS peak under which nothing is a note"""
    drop_db: float = 40.0
    """a note ends this far under its own peak"""


class DspTracker:
    """Sound to events, hop by hop. `lowest` and `highest` are MIDI numbers.

    `push` is called by the hearing thread for HOP_FRAMES samples at a time; it does not block.
    """

    warm_s = 0.0  # it trusts what it has; windows that reach back to before its start are not clear

    def __init__(
        self, lowest: int, highest: int, voices: Voices | None = None, tuning: DspTuning | None = None
    ) -> None:
        self.voices = voices or Voices()
        self.tuning = tuning or DspTuning()
        self._lowest, self._highest = lowest - 0.6, highest + 0.6
        self._periodicity = Periodicity(HOP_FRAMES, self._lowest, self._highest)
        self._start: float | None = None  # s, nothing before it is looked at; None: nothing heard yet
        self._pending: float | None = None  # s, the attack that waits for its pitch
        self._run: list[float] = []  # estimates in a row that agree
        self._run_began = 0.0
        self._hops = 0
        self._plucks = PluckDetector(lowest)
        self._own: set[int] = set()  # notes whose pitch it has seen; others it only hears fade

    def reset(self) -> None:
        """Forgets the sound before; notes that sound stay."""
        self._start = self._pending = None
        self._run.clear()
        self._own.clear()

    def push(self, samples: np.ndarray, t: float, level: LevelMeter, muted: bool = False) -> list[HumanEvent]:
        """Float32 [HOP_FRAMES] that end at `t` (s); `level` has heard them already."""
        self._periodicity.push(samples)
        if muted:
            return []
        self._hops += 1
        tune = self.tuning
        self._plucks.push(samples, t)
        start = self._hear_attack(t - HOP_FRAMES / RATE_HZ, level)
        peak_db = level.peak_db(t - 0.014)  # one period of the lowest note
        events = self._fade(peak_db, t)
        if self._pending is not None and t - self._pending > tune.attack_s:
            self._pending = None
        busy = t - start < tune.young_s or self._pending is not None
        if peak_db < tune.floor_db or not (busy or (self.voices.sounding and self._hops % 3 == 0)):
            return events
        pitch = self._estimate(t - start)
        if pitch is None:
            self._run.clear()
        elif self._pending is not None:
            self._after_attack(pitch, t, level, events)
        elif self.voices.sounding:
            self._while_sounding(pitch, t, level, events)
        return events

    def _hear_attack(self, t: float, level: LevelMeter) -> float:
        """Since when the sound counts: nothing before the last attack does, and that one waits for its pitch.

        `t`: s, where this hop begins. The first one begins the tracker's work: an attack just before it waits too,
        unless another tracker has named it.
        """
        attack, pluck = level.attack, self._plucks.last
        if self._start is None:
            self._start = t
            if attack is not None and t - attack < self.tuning.young_s:
                named = any(voice.onset > attack - 0.02 for voice in self.voices.sounding.values())
                self._pending = None if named else attack
        if pluck is not None and pluck > max(self._start, attack or 0.0) + self.tuning.pluck_after_s:
            attack = pluck
        if attack is not None and attack > self._start:
            self._start = self._pending = attack
            self._run.clear()
        return self._start

    def _estimate(self, since_s: float) -> float | None:
        """MIDI number by the shortest window within the last `since_s` that is clear; None: no period."""
        available = int(since_s * INNER_RATE_HZ)
        found = None
        for length, clarity in WINDOWS:
            if length > available:
                break
            lag, height = self._periodicity.of_last(length)
            if height > clarity:
                found = lag
                if lag * SETTLED_PERIODS < length:
                    break
        return None if found is None else 69 + 12 * math.log2(INNER_RATE_HZ / found / 440)

    def _agrees(self, pitch: float, t: float) -> None:
        if self._run and max(abs(pitch - p) for p in self._run) > self.tuning.within:
            self._run.clear()
        if not self._run:
            self._run_began = t
        self._run = [*self._run[-7:], pitch]

    def _after_attack(self, pitch: float, t: float, level: LevelMeter, events: list[HumanEvent]) -> None:
        self._agrees(pitch, t)
        if len(self._run) >= self.tuning.agree and self._pending is not None:
            self._note(float(np.median(self._run)), self._pending, t, level, events)

    def _while_sounding(self, pitch: float, t: float, level: LevelMeter, events: list[HumanEvent]) -> None:
        tune = self.tuning
        voice = max(self.voices.sounding.values(), key=lambda v: v.emitted)
        jump = pitch - voice.pitch
        if abs(jump) < tune.follow:
            self._run.clear()
            voice.unheard_s = 0.0
            self._own.add(voice.id)
            bend = self.voices.move(voice, voice.pitch + 0.6 * jump, t)
            if bend is not None:
                events.append(bend)
            return
        self._agrees(pitch, t)
        held = t - self._run_began
        octaves = abs(jump) > 11 and min(abs(abs(jump) - h) for h in (12, 19, 24)) < 0.6  # a partial, not a finger
        if not octaves and held >= tune.legato_s and abs(jump) >= tune.legato_jump:
            self._note(float(np.median(self._run)), self._run_began, t, level, events)

    def _note(self, pitch: float, onset: float, t: float, level: LevelMeter, events: list[HumanEvent]) -> None:
        if self._lowest <= pitch <= self._highest:
            events.extend(self.voices.end_all(t))
            note = self.voices.start(pitch, level.velocity(onset), onset, t, level.peak_db(onset))
            self._own = {note.id}
            events.append(note)
        self._pending = None
        self._run.clear()

    def _fade(self, peak_db: float, t: float) -> list[HumanEvent]:
        events: list[HumanEvent] = []
        for voice in list(self.voices.sounding.values()):
            voice.loudest_db = max(voice.loudest_db, peak_db)
            voice.unheard_s += HOP_FRAMES / RATE_HZ
            if self._over(voice, peak_db, t):
                events.append(self.voices.end(voice, t))
        return events

    def _over(self, voice: Voice, peak_db: float, t: float) -> bool:
        tune = self.tuning
        inaudible = peak_db < max(tune.floor_db, voice.loudest_db - tune.drop_db)
        unclear = voice.id in self._own and min(voice.unheard_s, t - voice.emitted) > tune.unclear_s
        return inaudible or unclear
