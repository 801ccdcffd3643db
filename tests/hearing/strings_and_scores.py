"""Plucked strings without a guitar, and posteriors without a net."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from improvbox.events import HumanEvent, NoteOff, NoteOn, PitchBend
from improvbox.hearing.level import LevelMeter

RATE_HZ = 48_000
HOP_FRAMES = 128
HOP_S = HOP_FRAMES / RATE_HZ


def hz(midi: float | np.ndarray) -> float | np.ndarray:
    return 440.0 * 2.0 ** ((midi - 69) / 12)


def pluck(midi: float, seconds: float, *, peak: float = 0.3, semitones: Callable | None = None) -> np.ndarray:
    """A string: 12 partials that decay, the higher the faster. `semitones`(t) bends it."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    pitch = midi + (semitones(t) if semitones else 0.0 * t)
    phase = 2 * np.pi * np.cumsum(hz(pitch)) / RATE_HZ
    partials = [np.sin(n * phase + n) / n**1.2 * np.exp(-t * (1.0 + 0.6 * n)) for n in range(1, 13)]
    sound = np.sum(partials, axis=0)
    fade = np.minimum(1, np.arange(len(t))[::-1] / 240)  # 5 ms
    return (sound * fade * peak / np.abs(sound).max()).astype(np.float32)


def silence(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE_HZ), np.float32)


def events_by_kind(events: list[HumanEvent]) -> tuple[list[NoteOn], list[PitchBend], list[NoteOff]]:
    ons = [e for e in events if isinstance(e, NoteOn)]
    bends = [e for e in events if isinstance(e, PitchBend)]
    offs = [e for e in events if isinstance(e, NoteOff)]
    return ons, bends, offs


def hanging(events: list[HumanEvent]) -> set[int]:
    """Ids that began and never ended; an end without a beginning fails."""
    sounding: set[int] = set()
    for event in events:
        if isinstance(event, NoteOn):
            assert event.id not in sounding
            sounding.add(event.id)
        elif isinstance(event, NoteOff):
            sounding.remove(event.id)
    return sounding


@dataclass(slots=True)
class FakePosterior:
    onset: np.ndarray
    frame: np.ndarray
    deviation: np.ndarray
    release: float = 0.0


@dataclass
class Score:
    """Writes what a perfect net would say: MIDI 40 to 88, a hop at a time."""

    seconds: float = 1.0
    lowest: int = 40
    pitches: int = 49
    posteriors: list[FakePosterior] = field(default_factory=list)

    def __post_init__(self) -> None:
        zeros = [np.zeros(self.pitches, np.float32) for _ in range(3)]
        hops = round(self.seconds / HOP_S)
        self.posteriors = [FakePosterior(*(z.copy() for z in zeros)) for _ in range(hops)]

    def note(
        self,
        midi: float,
        start: float,
        end: float,
        *,
        onset: float = 0.97,
        release: bool = True,
        semitones: Callable | None = None,
    ) -> Score:
        for i, posterior in enumerate(self.posteriors):
            t = (i + 1) * HOP_S
            if not start < t <= end:
                continue
            pitch = midi + (semitones(t - start) if semitones else 0.0)
            key = round(pitch)
            for k in (key - 1, key, key + 1):
                if 0 <= k - self.lowest < self.pitches:
                    posterior.deviation[k - self.lowest] = pitch - k
            posterior.frame[key - self.lowest] = 0.95
            if 0.010 < t - start <= 0.05:
                posterior.onset[round(midi) - self.lowest] = onset
            if release and 0.002 < t - start <= 0.012:
                posterior.release = 0.9
        return self


class SteadyLevel(LevelMeter):
    """A level meter of a guitar that always rings at -20 dBFS."""

    def __init__(self) -> None:
        super().__init__()
        sound = 0.1 * np.sin(np.arange(RATE_HZ // 5 // 64 * 64) / 30)
        self.push(sound.astype(np.float32))
