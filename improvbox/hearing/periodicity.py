"""The period of the last few milliseconds: NSDF (McLeod and Wyvill, "A smarter way to find pitch", 2005)."""

from __future__ import annotations

import numpy as np

INNER_RATE_HZ = 24_000
LONGEST = 1008  # samples, 42 ms: three periods of drop D
FIRST_PEAK = 0.88  # of the highest: the first peak this high is the period, later ones are its multiples
TAPS = np.array([-0.031, 0.0, 0.281, 0.5, 0.281, 0.0, -0.031], np.float32)  # half-band low-pass, -6 dB at 12 kHz


class Periodicity:
    """Keeps the last LONGEST samples at 24 kHz of blocks at 48 kHz and finds their period.

    Raises ValueError for blocks of another length than `hop_frames`.
    """

    def __init__(self, hop_frames: int, lowest: float, highest: float) -> None:
        self._hop = hop_frames
        self._edge = np.zeros(len(TAPS) - 1, np.float32)
        self._past = np.zeros(LONGEST, np.float32)
        self._lag_least = int(INNER_RATE_HZ / _hz(highest))
        self._lag_most = int(INNER_RATE_HZ / _hz(lowest)) + 1

    def push(self, samples: np.ndarray) -> None:
        if samples.shape != (self._hop,):
            raise ValueError(f"a block of shape {samples.shape}; must be ({self._hop},)")
        joined = np.concatenate((self._edge, samples))
        new = np.convolve(joined, TAPS, "valid")[1::2]
        self._edge = joined[-len(self._edge) :]
        self._past = np.concatenate((self._past[len(new) :], new))

    def of_last(self, length: int) -> tuple[float, float]:
        """(lag in samples at 24 kHz, height of its peak 0..1) in the last `length` samples; (0, 0): no period fits."""
        window = self._past[-length:]
        window = window - window.mean()
        most = min(length // 2 - 1, self._lag_most)
        if most < self._lag_least + 2:
            return 0.0, 0.0
        size = 1 << (length + most).bit_length()
        spectrum = np.fft.rfft(window, size)
        correlation = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)[: most + 2]
        energy = np.concatenate(([0.0], np.cumsum(window.astype(np.float64) ** 2)))
        lags = np.arange(most + 2)
        both = energy[length - lags] + energy[-1] - energy[lags]
        nsdf = 2 * correlation / np.maximum(both, 1e-12)
        below = np.flatnonzero(nsdf[: most + 1] < 0)  # the peak of lag 0 ends at the first zero
        if not len(below):
            return 0.0, 0.0
        first = max(self._lag_least, int(below[0]), 1)
        middle = nsdf[first : most + 1]
        peaks = np.flatnonzero((middle > nsdf[first - 1 : most]) & (middle >= nsdf[first + 1 : most + 2])) + first
        if not len(peaks) or nsdf[peaks].max() <= 0:
            return 0.0, 0.0
        lag = int(peaks[np.argmax(nsdf[peaks] >= FIRST_PEAK * nsdf[peaks].max())])
        left, top, right = nsdf[lag - 1 : lag + 2].tolist()
        curve = left - 2 * top + right
        shift = 0.5 * (left - right) / curve if curve < 0 else 0.0
        return lag + shift, min(1.0, top)


def _hz(midi: float) -> float:
    return float(440.0 * 2.0 ** ((midi - 69) / 12))
