"""Voices: something that sounds one note with a given pitch curve. Recorded notes resampled, or a modal string."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.signal import butter, lfilter

from improvbox.hearing.frontend import INNER_RATE_HZ as RATE
from models.training.pitch.notes import LEAD, Note


class RecordedVoice:
    """Plays the notes of one instrument, each resampled to the pitch asked for."""

    def __init__(self, notes: list[Note], rng: np.random.Generator, lift: bool) -> None:
        self._notes, self._rng = notes, rng
        # How far a note may be shifted, in semitones: a far one is a new timbre. Basses are lifted into the range.
        self._reach = (0.0, 17.0) if lift else (-1.0, 1.0) * np.array(rng.choice([0.8, 2.2, 5.0], p=[0.35, 0.4, 0.25]))
        self._midis = np.array([n.midi for n in notes])

    def sound(self, midi: float, curve: np.ndarray) -> np.ndarray:
        """float32 with the release at sample LEAD; `curve`: semitones against `midi`, one a sample."""
        shift = midi - self._midis
        near = np.flatnonzero((shift >= self._reach[0]) & (shift <= self._reach[1]))
        if not len(near):
            near = np.argsort(np.abs(shift))[:2]
        note = self._notes[self._rng.choice(near)]
        step = 2 ** ((midi - note.midi + curve) / 12)
        place = np.cumsum(step) - step[0]
        place += LEAD - place[LEAD]
        inside = (place >= 0) & (place < len(note.spline) - 2)
        out = map_coordinates(note.spline, [np.clip(place, 0, len(note.spline) - 1)], order=3, prefilter=False)
        return np.where(inside, out, 0).astype(np.float32)


class ModalVoice:
    """A made-up plucked string: decaying stiff partials, places of pick and pickup, a body, the noise of a pick."""

    def __init__(self, rng: np.random.Generator) -> None:
        u = rng.uniform
        self._rng = rng
        self._tilt = u(0.3, 1.7)
        self._pluck, self._pickup, self._pickup_share = u(0.06, 0.45), u(0.03, 0.4), u(0, 1)
        self._decay_s, self._decay_rise = u(0.25, 3.0), 10 ** u(-4, -1.8)
        self._stiffness = 10 ** u(-5.3, -3.5)
        self._body = [(10 ** u(2.1, 3.7), u(0.1, 1.2), u(-12, 12)) for _ in range(4)]
        self._noise, self._noise_s, self._noise_hz = 10 ** u(-3, -0.3), 10 ** u(-3, -1.7), u(300, 7000)
        self._attack_s = 10 ** u(-3.7, -2.4)
        self._scattered = rng.random() < 0.3  # partials start in phase, or not
        self._beating = rng.random() < 0.4  # two polarisations, a little apart

    def sound(self, midi: float, curve: np.ndarray) -> np.ndarray:
        """As RecordedVoice.sound."""
        rng, n = self._rng, len(curve)
        since = (np.arange(n, dtype=np.float32) - LEAD) / RATE
        after = np.maximum(since, 0)
        f0_hz = 440 * 2 ** ((midi + curve - 69) / 12)
        turns = np.cumsum(f0_hz) / RATE
        turns -= turns[LEAD]
        base = float(f0_hz[LEAD])
        out = np.zeros(n, np.float32)
        pluck = self._pluck * rng.uniform(0.85, 1.15)
        apart = rng.uniform(0.0002, 0.0015) if self._beating else 0.0
        for k in range(1, min(45, int(10_500 / base)) + 1):
            stretch = np.sqrt(1 + self._stiffness * k * k)
            decay_s = self._decay_s * (82 / base) ** 0.5 / (1 + self._decay_rise * k * k * base / 82)
            last = min(n, LEAD + int(7 * decay_s * RATE))
            phase = rng.random() if self._scattered else 0.25
            angle = ((turns[:last] * (k * stretch) + phase) % 1).astype(np.float32)
            wave = np.sin(np.float32(2 * np.pi) * angle)
            if apart:
                wave = 0.7 * wave + 0.3 * np.sin(
                    np.float32(2 * np.pi) * ((angle + turns[:last] * k * apart) % 1).astype(np.float32)
                )
            out[:last] += self._size(k, base, pluck) * np.exp(-after[:last] / np.float32(decay_s)) * wave
        out *= np.clip(since / self._attack_s + 0.05, 0, 1)
        out /= np.abs(out[LEAD : LEAD + 2000]).max() + 1e-6
        hiss = rng.standard_normal(n) * np.where(
            since < 0, 0.3 * np.exp(np.minimum(since, 0) / 0.003), np.exp(-after / self._noise_s)
        )
        band = butter(1, np.clip(np.array([0.5, 1.5]) * self._noise_hz / (RATE / 2), 0, 0.95), "band")
        return (out + self._noise * lfilter(*band, hiss)).astype(np.float32)

    def _size(self, k: int, base_hz: float, pluck: float) -> float:
        comb = 1 - self._pickup_share + self._pickup_share * abs(np.sin(np.pi * k * self._pickup * (base_hz / 147)))
        size = k**-self._tilt * np.sin(np.pi * k * pluck) * comb
        for centre, octaves, gain_db in self._body:
            size *= 10 ** (gain_db / 20 * np.exp(-((np.log2(k * base_hz / centre) / octaves) ** 2)))
        return float(size)
