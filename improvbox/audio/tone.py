"""Test sound without a file: a list of tones, and a plucked string of our own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from improvbox.audio.source import RATE_HZ, Block


@dataclass(frozen=True, slots=True)
class Tone:
    """A steady sine."""

    onset_s: float
    duration_s: float
    hz: float
    amplitude: float = 0.3
    """peak, 0..1"""


class ToneSource:
    """A Source of summed tones, silence between and after them until `duration_s`. As fast as it is read."""

    rate_hz = RATE_HZ

    def __init__(self, tones: list[Tone], duration_s: float, block_frames: int = 64) -> None:
        self._tones = tones
        self._frames = round(duration_s * RATE_HZ)
        self._block = block_frames
        self._at = 0

    def start(self) -> None:
        self._at = 0

    def stop(self) -> None:
        self._at = self._frames

    def read(self) -> Block | None:
        n = min(self._block, self._frames - self._at)
        if n <= 0:
            return None
        t = np.arange(self._at, self._at + n) / RATE_HZ
        out = np.zeros(n)
        for tone in self._tones:
            since = t - tone.onset_s
            sounding = (since >= 0) & (since < tone.duration_s)
            out += sounding * tone.amplitude * np.sin(2 * np.pi * tone.hz * since)
        block = Block(np.clip(out, -1, 1).astype(np.float32), self._at)
        self._at += n
        return block


def pluck(midi: float, duration_s: float, amplitude: float = 0.5, position: float = 0.18, seed: int = 0) -> np.ndarray:
    """float32[frames] of an ideal string, plucked at sample 0, in modal form.

    midi: pitch; amplitude: peak, 0..1; position: where it is plucked, share of the string from the bridge.

    Mode k of a string plucked at `position` moves with amplitude sin(k pi position) / k^2 (Fletcher and Rossing,
    The Physics of Musical Instruments, 2.7); a magnetic pickup answers to velocity, hence 1/k, and hears
    sin(k pi p) at its own place p. Stiffness raises mode k to k f0 sqrt(1 + B k^2). Higher modes die sooner.
    A millisecond of filtered noise stands for the plectrum.
    """
    pickup, stiffness = 0.12, 6e-5  # middle of a guitar's pickups; a plain steel string
    f0 = 440.0 * 2 ** ((midi - 69) / 12)
    t = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    out = np.zeros(len(t))
    for k in range(1, 41):
        f = k * f0 * np.sqrt(1 + stiffness * k * k)
        if f > 9000:  # what a guitar pickup and its cable let through
            break
        decay_s = 1.6 / (1 + (f0 / 400) + 0.12 * k)  # fitted by ear: 1.3 s at E2, a third of it at E6
        weight = np.sin(k * np.pi * position) * np.sin(k * np.pi * pickup) / k
        out += weight * np.exp(-t / decay_s) * np.sin(2 * np.pi * f * t)
    pick = min(len(t), RATE_HZ // 1000)
    noise = np.random.default_rng(seed).standard_normal(pick) * np.hanning(2 * pick)[pick:]
    out[:pick] += 0.15 * np.max(np.abs(out), initial=0.0) * noise
    return (out * (amplitude / max(1e-9, float(np.max(np.abs(out), initial=0.0))))).astype(np.float32)
