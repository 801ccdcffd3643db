"""A take of single plucks whose onsets are known to the sample, in four registers of the guitar."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from improvbox.audio.source import RATE_HZ
from improvbox.audio.tone import pluck

# name -> MIDI numbers, both ends included
REGISTERS = MappingProxyType({"E2-B2": (40, 47), "C3-B3": (48, 59), "C4-B4": (60, 71), "C5-E6": (72, 88)})

LEAD_S = 1.0  # silence first: hearing has settled, the synth runs
SPACING_S = 0.55  # the answer to one pluck has died away before the next
SPREAD_S = 0.02  # onsets fall anywhere within a hop and a period
SOUNDING_S = 0.35  # then the string is damped
DAMP_S = 0.02


@dataclass(frozen=True, slots=True)
class Pluck:
    """One string, released at a known sample."""

    register: str
    """a key of REGISTERS"""
    midi: int
    onset_frame: int
    """within the take"""


def take(count: int, seed: int = 1) -> tuple[np.ndarray, list[Pluck]]:
    """(float32[frames] at 48 kHz, the plucks in it): `count` plucks, the registers in turn, the rest drawn by seed."""
    rng = np.random.default_rng(seed)
    names = list(REGISTERS)
    plucks = []
    sound = np.zeros(round((LEAD_S + count * SPACING_S + 0.5) * RATE_HZ), np.float32)
    fade = np.linspace(1, 0, round(DAMP_S * RATE_HZ), dtype=np.float32)
    for number in range(count):
        register = names[number % len(names)]
        low, high = REGISTERS[register]
        midi = int(rng.integers(low, high + 1))
        onset = round((LEAD_S + number * SPACING_S + rng.uniform(0, SPREAD_S)) * RATE_HZ)
        string = pluck(midi, SOUNDING_S, rng.uniform(0.15, 0.5), rng.uniform(0.08, 0.3), seed=number)
        string[-len(fade) :] *= fade
        sound[onset : onset + len(string)] += string
        plucks.append(Pluck(register, midi, onset))
    return sound, plucks
