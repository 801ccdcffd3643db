"""What is played: random performances as lists of strokes. Nothing here makes a sound."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

OPEN_STRINGS = np.array([40, 45, 50, 55, 59, 64])
LOWEST, HIGHEST = 38, 88
CHORDS = (
    (40, 47, 52, 56, 59, 64), (40, 47, 52, 55, 59, 64), (45, 52, 57, 60, 64), (45, 52, 57, 61, 64),
    (48, 52, 55, 60, 64), (43, 47, 50, 55, 59, 67), (50, 57, 62, 66), (50, 57, 62, 65), (41, 48, 53, 57, 60, 65),
    (47, 54, 59, 63, 66), (47, 51, 57, 59, 66), (40, 47, 52), (45, 52, 57), (43, 50, 55),
    (38, 45, 50, 57, 62, 66), (38, 45, 50),
)  # fmt: skip
CURVE_RATE_HZ = 1000


@dataclass(slots=True)
class Stroke:
    """One release of one string."""

    t: float
    """s"""
    duration: float
    """s until damped; the next stroke on its string cuts it sooner"""
    string: int
    """strokes on one string exclude each other"""
    midi: float
    """at the release"""
    gain_db: float
    curve: np.ndarray = field(default_factory=lambda: np.zeros(1))
    """semitones against `midi`, CURVE_RATE_HZ from the release on; the last value stays"""
    steps: tuple[float, ...] = ()
    """s after the release: hammer-ons, pull-offs, arrivals of a slide: new notes without a pluck"""
    decay_s: float | None = None
    """palm mute: time constant of an extra decay"""


class Player:
    """One performer of one clip: habits first, then strokes."""

    def __init__(self, rng: np.random.Generator, seconds: float) -> None:
        self._rng, self._end = rng, seconds
        self._dynamics_db = rng.uniform(3, 22)
        self._mute_s = rng.uniform(0.03, 0.12) if rng.random() < 0.12 else None
        self._drop_d = rng.random() < 0.15
        detuned = rng.random() < 0.5
        self._tuning = rng.uniform(-0.4, 0.4) if detuned else 0.0
        self._string_tuning = rng.normal(0, 0.12, 16) if rng.random() < 0.6 else np.zeros(16)

    def play(self, kind: str) -> list[Stroke]:
        """Strokes in order of time; `kind` is a key of KINDS."""
        strokes = sorted(KINDS[kind](self), key=lambda s: s.t)
        kept = [s for s in strokes if s.t + 0.05 < self._end and LOWEST - 0.5 < s.midi < HIGHEST + 0.4]
        for s in kept:
            s.midi += self._tuning + self._string_tuning[s.string] + self._rng.normal(0, 0.05)
            s.curve = np.minimum(s.curve, HIGHEST + 0.4 - s.midi)
            s.decay_s = self._mute_s
        self._damp(kept)
        return kept

    def _damp(self, strokes: list[Stroke]) -> None:
        """A string carries one note: the finger or pick stops the old one shortly before the new release."""
        u = self._rng.uniform
        after: dict[int, float] = {}
        for s in reversed(strokes):
            if s.string in after:
                s.duration = min(s.duration, after[s.string] - s.t + u(-0.015, 0.004))
            after[s.string] = s.t
            s.duration = float(np.clip(s.duration, 0.035, min(2.2, self._end - s.t)))

    def _gain(self, most_db: float = 99.0) -> float:
        return float(-min(self._dynamics_db, most_db) * self._rng.random() ** 1.5)

    def _pause(self) -> float:
        return self._rng.uniform(0.1, 0.8) if self._rng.random() < 0.07 else 0.0

    def line(self) -> Iterator[Stroke]:
        """One note at a time, from 16ths at a fast tempo to long expressive notes."""
        rng, u = self._rng, self._rng.uniform
        fast = rng.random() < 0.4
        base = u(0.065, 0.16) if fast else u(0.16, 0.7)
        expressive = not fast and rng.random() < 0.5
        repeats = rng.random() < 0.2
        low = int(rng.choice([40, 40, 40, 45, 52, 57, 64]))
        high = min(HIGHEST, low + int(rng.integers(10, 36)))
        midi, t = int(rng.integers(low, high)), u(0.05, 0.4)
        while t < self._end:
            if not (repeats and rng.random() < 0.6):
                midi = (
                    int(np.clip(midi + rng.integers(-7, 8), low, high))
                    if rng.random() < 0.8
                    else int(rng.integers(low, high + 1))
                )
            d = base * (1.0 if fast and rng.random() < 0.7 else rng.choice([1, 1, 2, 0.5]))
            d = max(d, u(0.4, 1.1) if expressive else 0.065)
            length = d + u(-0.03, 0.01) if rng.random() < 0.7 else d * u(0.4, 0.9)
            curve, steps = gesture(rng, str(rng.choice(GESTURES)), d, midi) if expressive else sharp_attack(rng, d)
            yield Stroke(t, length, 0, midi - 2 * (self._drop_d and midi == 40), self._gain(), curve, steps)
            t += d + self._pause()

    def _chord(self) -> tuple[int, ...]:
        """Notes by string, low first: an open shape, the same moved up, or fingers anywhere around one fret."""
        rng = self._rng
        if rng.random() < 0.6:
            shape, up = CHORDS[rng.integers(len(CHORDS))], int(rng.integers(0, 9)) * (rng.random() < 0.6)
            return tuple(m + up for m in shape if m + up <= HIGHEST)
        fret = int(rng.integers(0, 14))
        return tuple(int(o) + int(np.clip(fret + rng.integers(-1, 4), 0, 22)) for o in OPEN_STRINGS)

    def strums(self) -> Iterator[Stroke]:
        """Chords swept 2 to 40 ms a string, both ways, also the same chord again while it rings."""
        rng, u = self._rng, self._rng.uniform
        t, left, chord, part = u(0.05, 0.4), 0, (), ()
        rhythm = u(0.13, 1.2)
        while t < self._end:
            if left == 0:
                chord = self._chord()
                size = int(rng.integers(2, len(chord) + 1))
                first = int(rng.integers(0, len(chord) - size + 1))
                part = range(first, first + size)
                left = int(rng.choice([1, 1, 1, 2, 3, 4]))
            order = part if rng.random() < 0.65 else reversed(part)
            gap = u(0.002, 0.04) if rng.random() < 0.8 else u(0.0, 0.004)
            d = max(0.13, rhythm * u(0.7, 1.3))
            for j, string in enumerate(order):
                late = j * gap * u(0.7, 1.3)
                yield Stroke(
                    t + late, d - late + u(-0.03, 0.3) * (rng.random() < 0.4), string, chord[string], self._gain(12)
                )
            left -= 1
            t += d + u(-0.01, 0.06) + self._pause()

    def double_stops(self) -> Iterator[Stroke]:
        """Two strings together, intervals up to two octaves, sometimes one of them bent."""
        rng, u = self._rng, self._rng.uniform
        t = u(0.05, 0.4)
        while t < self._end:
            low, interval, d = (
                int(rng.integers(LOWEST + 2, 80)),
                int(rng.choice([3, 4, 5, 7, 8, 9, 10, 12, 12, 15, 16, 19, 24])),
                u(0.1, 0.7),
            )
            for j, midi in enumerate((low, low + interval)):
                curve, steps = (
                    gesture(rng, str(rng.choice(["vibrato", "bend"])), d, midi)
                    if rng.random() < 0.15
                    else (np.zeros(1), ())
                )
                yield Stroke(t + u(0, 0.008) * j, d, j, midi, self._gain(14), curve, steps)
            t += d + u(-0.01, 0.1) + self._pause()

    def arpeggio(self) -> Iterator[Stroke]:
        """Broken chords that ring; the same strings come back while they still sound."""
        rng, u = self._rng, self._rng.uniform
        t = u(0.05, 0.4)
        while t < self._end:
            chord, d, count = self._chord(), u(0.08, 0.32), int(rng.integers(5, 15))
            order = rng.permutation(len(chord))[: int(rng.integers(2, len(chord) + 1))]
            end = t + d * count
            for j in range(count):
                string = int(order[j % len(order)] if rng.random() < 0.6 else rng.choice(order))
                yield Stroke(t, end - t + u(0, 0.05), string, chord[string], self._gain(14))
                t += d * u(0.95, 1.05)
            t += self._pause()

    def bass_and_melody(self) -> Iterator[Stroke]:
        """A held or pulsing low string under a melody."""
        rng, u = self._rng, self._rng.uniform
        t = u(0.05, 0.4)
        while t < self._end:
            chord, d, count = self._chord(), u(0.1, 0.4), int(rng.integers(3, 9))
            pulse = int(rng.choice([1, 2, 4, 99]))
            for j in range(count):
                if j % pulse == 0:
                    yield Stroke(t, d * min(pulse, count - j), 0, chord[0], self._gain(14))
                string = int(rng.integers(1, len(chord)))
                if rng.random() < 0.85:
                    yield Stroke(
                        t + u(0, 0.01),
                        d * u(0.7, 1.8),
                        string,
                        chord[string] + int(rng.integers(-2, 3)),
                        self._gain(14),
                    )
                t += d
            t += self._pause()

    def tremolo(self) -> Iterator[Stroke]:
        """One or two pitches struck again and again, ringing into each other or not."""
        rng, u = self._rng, self._rng.uniform
        t = u(0.05, 0.4)
        while t < self._end:
            midi, d, both = int(rng.integers(LOWEST, 80)), u(0.07, 0.35), rng.random() < 0.3
            for _ in range(int(rng.integers(3, 10))):
                for j in range(1 + both):
                    yield Stroke(t + 0.004 * j, d * u(0.8, 1.3), j, midi + 7 * j, self._gain())
                t += d * u(0.95, 1.05)
            t += self._pause()


KINDS: dict[str, Callable[[Player], Iterator[Stroke]]] = {
    "line": Player.line, "strums": Player.strums, "double stops": Player.double_stops, "arpeggio": Player.arpeggio,
    "bass and melody": Player.bass_and_melody, "tremolo": Player.tremolo,
}  # fmt: skip
GESTURES = ("bend", "bend", "pre-bend", "vibrato", "vibrato", "slide", "legato", "legato", "none", "none")


def gesture(rng: np.random.Generator, kind: str, seconds: float, midi: float) -> tuple[np.ndarray, tuple[float, ...]]:
    """(curve, steps) of a Stroke."""
    u = rng.uniform
    t = np.arange(0, seconds + 0.002, 1 / CURVE_RATE_HZ)
    curve, steps = np.zeros_like(t), ()
    if kind == "vibrato":
        start = u(0, 0.25)
        curve = (
            u(0.1, 0.65) * np.sin(2 * np.pi * u(4, 7.5) * np.maximum(0, t - start)) * np.clip((t - start) / 0.1, 0, 1)
        )
    elif kind in ("bend", "pre-bend"):
        height, start, rise = rng.choice([0.5, 1, 1.5, 2, 2, 3]), u(0.03, 0.25), u(0.06, 0.35)
        curve = height * np.clip((t - start) / rise, 0, 1)
        if rng.random() < 0.5:
            curve = curve - height * np.clip((t - start - rise - u(0.05, 0.4)) / u(0.05, 0.35), 0, 1)
        if kind == "pre-bend":
            curve = -height * np.clip((t - start) / rise, 0, 1)
        if rng.random() < 0.3:
            curve = curve + u(0.1, 0.4) * np.sin(2 * np.pi * u(4.5, 7) * t) * np.clip((t - start - rise) / 0.1, 0, 1)
    elif kind in ("slide", "legato"):
        curve, steps = _fretted(rng, t, kind, midi)
    return curve + sharp_attack(rng, seconds)[0][: len(curve)], steps


def _fretted(rng: np.random.Generator, t: np.ndarray, kind: str, midi: float) -> tuple[np.ndarray, tuple[float, ...]]:
    """Pitch that moves in frets: a slide runs over all of them, a hammer-on or pull-off skips to the last."""
    u = rng.uniform
    curve, steps, at, now = np.zeros_like(t), [], u(0.06, 0.2), 0
    while at < t[-1] - 0.06:
        move = int(rng.integers(1, 6)) * int(rng.choice([-1, 1]))
        if LOWEST <= midi + now + move <= HIGHEST:
            frets = abs(move) if kind == "slide" else 1
            per_fret = u(0.008, 0.03)
            for i in range(frets):
                first, width = int((at + i * per_fret) * CURVE_RATE_HZ), int(u(2, 8))
                before = now + move * i / frets
                curve[first:] = now + move * (i + 1) / frets
                ramp = np.linspace(before, curve[-1], width + 1)[1:]
                curve[first : first + width] = ramp[: len(curve[first : first + width])]
            at += (frets - 1) * per_fret
            if at < t[-1] - 0.04:
                steps.append(at)
            now += move
        at += u(0.07, 0.3)
    return curve, tuple(steps)


def sharp_attack(rng: np.random.Generator, seconds: float) -> tuple[np.ndarray, tuple[float, ...]]:
    """A hard pluck starts sharp and settles."""
    t = np.arange(0, seconds + 0.002, 1 / CURVE_RATE_HZ)
    return (
        rng.uniform(0.05, 0.35) * np.exp(-t / rng.uniform(0.02, 0.06)) if rng.random() < 0.35 else np.zeros_like(t)
    ), ()
