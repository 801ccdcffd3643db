"""Sound to features: what the pitch model sees, hop by hop.

48 kHz in, 24 kHz inside. Every frame looks back from its newest sample through windows of 5 to 85 ms, so that a short
one sees nothing but the new attack while a long one tells neighbouring semitones apart. One row a semitone, MIDI
FIRST_ROW upwards; NSDF (McLeod and Wyvill 2005, the normalised autocorrelation) at the lag of each row stands beside
the spectra because one period of a low string is shorter than any window that resolves it.

Everything leaves as uint8: levels in steps of 0.4 dB from -100 dB, NSDF -1..1. There is no normalisation by window or
note: silence looks silent.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

RATE_HZ = 48_000
INNER_RATE_HZ = 24_000
FIRST_ROW = 26  # MIDI; an octave below drop D, whose own subharmonic tells it from its octave
ROWS = 87  # up to MIDI 112, the fourth partial of E6 and a bit
# (samples at 24 kHz, values a row, newest-edge taper in samples, FFT length). The taper is short: the newest sample
# is the most interesting one, but a hard edge would smear its window over all rows.
WINDOWS = ((128, 1, 24, 1024), (256, 1, 36, 1024), (512, 2, 60, 1024), (1024, 3, 120, 2048), (2048, 3, 240, 4096))
NSDF_SAMPLES = (384, 768)  # 16 and 32 ms
NSDF_FFT = 1536
NSDF_SUBROWS = 3
SPECTRAL = sum(w[1] for w in WINDOWS)
CHANNELS = SPECTRAL + NSDF_SUBROWS * len(NSDF_SAMPLES)
LEVEL_SAMPLES = (64, 128, 256, 1024)
BAND_EDGES_HZ = (0, 150, 400, 800, 1600, 3000, 5000, 8000, 12_001)  # of the shortest window
LEVELS = len(BAND_EDGES_HZ) - 1 + len(LEVEL_SAMPLES)
FLOOR_DB, STEP_DB = -100.0, 0.4
HISTORY = WINDOWS[-1][0]  # samples at 24 kHz that a frame needs
FIR_TAPS = 31
LATENCY_S = (FIR_TAPS - 1) / 2 / RATE_HZ  # of the decimation filter, already part of every delay measured from outside
_LEVEL_STARTS = [max(LEVEL_SAMPLES) - n for n in reversed(LEVEL_SAMPLES)]
_BATCH = 16  # frames a call of `frames`: what fits the second-level cache


@dataclass(frozen=True, slots=True)
class Features:
    """One frame. The arrays belong to the FrontEnd and hold until its next `push`."""

    local: np.ndarray
    """uint8 [ROWS, CHANNELS]"""
    levels: np.ndarray
    """uint8 [LEVELS]: band levels of the last 5 ms, then mean squares of the last 3, 5, 11 and 43 ms"""


class FrontEnd:
    """Streams blocks of `hop_frames` samples at 48 kHz into Features, or a whole signal with the same numbers.

    `push` runs in the hearing thread: it does not block, and allocates only what numpy's FFT returns.
    Raises ValueError for a hop that is odd or less than 2, or a block of another length.
    """

    def __init__(self, hop_frames: int = 128) -> None:
        if hop_frames < 2 or hop_frames % 2:
            raise ValueError(f"hop of {hop_frames} frames; must be even, 2 or more")
        self.hop_frames = hop_frames
        self._taps = _half_band()
        self._one = _Analysis(1)
        self._fir_in = np.zeros(FIR_TAPS - 1 + hop_frames, np.float32)
        self._past = np.zeros((1, HISTORY), np.float32)
        self._features = Features(self._one.local[0], self._one.levels[0])

    def reset(self) -> None:
        """Back to silence."""
        self._fir_in.fill(0)
        self._past.fill(0)

    def push(self, samples: np.ndarray) -> Features:
        """The frame that ends with the last of `samples`, float32 [hop_frames] in -1..1."""
        self._shift_in(samples)
        self._one.run(self._past)
        return self._features

    def batch(self, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All whole hops of `samples` from silence: uint8 [n, ROWS, CHANNELS] and uint8 [n, LEVELS]."""
        self.reset()
        hop, inner = self.hop_frames, self.hop_frames // 2
        n = len(samples) // hop
        signal = np.zeros(HISTORY + n * inner, np.float32)
        for i in range(n):
            self._shift_in(samples[i * hop : (i + 1) * hop])
            signal[HISTORY + i * inner : HISTORY + (i + 1) * inner] = self._past[0, -inner:]
        self.reset()
        return frames(signal[HISTORY:], inner)

    def _shift_in(self, samples: np.ndarray) -> None:
        if samples.shape != (self.hop_frames,):
            raise ValueError(f"a block of shape {samples.shape}; must be ({self.hop_frames},)")
        fir_in, past = self._fir_in, self._past
        fir_in[: FIR_TAPS - 1] = fir_in[-(FIR_TAPS - 1) :].copy()
        fir_in[FIR_TAPS - 1 :] = samples
        new = np.convolve(fir_in, self._taps, "valid")[1::2][-HISTORY:]
        past[0, : -len(new)] = past[0, len(new) :].copy()
        past[0, -len(new) :] = new


def frames(signal: np.ndarray, hop: int) -> tuple[np.ndarray, np.ndarray]:
    """Frames of a float32 signal at 24 kHz after silence, one every `hop` samples: as `FrontEnd.batch`."""
    n = len(signal) // hop
    padded = np.concatenate([np.zeros(HISTORY, np.float32), signal])
    pasts = np.lib.stride_tricks.sliding_window_view(padded, HISTORY)[hop::hop]
    local = np.empty((n, ROWS, CHANNELS), np.uint8)
    levels = np.empty((n, LEVELS), np.uint8)
    many = _Analysis(_BATCH)
    for start in range(0, n, _BATCH):
        count = min(_BATCH, n - start)
        work = many if count == _BATCH else _Analysis(count)
        work.run(pasts[start : start + count])
        local[start : start + count], levels[start : start + count] = work.local, work.levels
    return local, levels


class _Analysis:
    """Features of `count` frames at once, in its own buffers. Rows do not mix, so any count gives the same numbers."""

    def __init__(self, count: int) -> None:
        self.local = np.zeros((count, ROWS, CHANNELS), np.uint8)
        self.levels = np.zeros((count, LEVELS), np.uint8)
        self._groups = []  # windows that share an FFT length
        first_bin = 0
        for length in sorted({w[3] for w in WINDOWS}):
            shapes = [_window(w[0], w[2]) for w in WINDOWS if w[3] == length]
            bins = len(shapes) * (length // 2 + 1)
            self._groups.append(
                (np.zeros((count, len(shapes), length), np.float32), shapes, slice(first_bin, first_bin + bins))
            )
            first_bin += bins
        self._power = np.zeros((count, first_bin), np.float32)
        index, self._weights, self._starts = _rows_of_bins()
        self._index = index
        self._picked = np.zeros((count, len(index)), np.float32)
        self._power_rows = np.zeros((count, len(self._starts) + len(LEVEL_SAMPLES)), np.float32)
        self._segments = np.zeros((count, len(NSDF_SAMPLES), NSDF_FFT), np.float32)
        longest = max(NSDF_SAMPLES)
        self._energy = np.zeros((count, len(NSDF_SAMPLES), longest + 1), np.float32)
        # One more value, always 0: the lags that a segment cannot hold point at it.
        self._nsdf = np.zeros((count, sum(NSDF_SAMPLES) + 1), np.float32)
        self._lag, self._lag_part = _lags()
        self._squares = np.zeros((count, max(LEVEL_SAMPLES)), np.float32)

    def run(self, past: np.ndarray) -> None:
        """`past`: float32 [count, HISTORY] at 24 kHz, newest last."""
        count = len(past)
        for padded, shapes, bins in self._groups:
            for i, shape in enumerate(shapes):
                np.multiply(past[:, -len(shape) :], shape, out=padded[:, i, : len(shape)])
            spectrum = np.fft.rfft(padded, axis=-1).reshape(count, -1)
            power = self._power[:, bins]
            np.multiply(spectrum.real, spectrum.real, out=power, casting="same_kind")
            power += np.square(spectrum.imag)
        np.take(self._power, self._index, axis=1, out=self._picked, mode="clip")
        self._picked *= self._weights
        powers = self._power_rows
        np.add.reduceat(self._picked, self._starts, axis=1, out=powers[:, : -len(LEVEL_SAMPLES)])
        np.square(past[:, -max(LEVEL_SAMPLES) :], out=self._squares)
        parts = np.add.reduceat(self._squares, _LEVEL_STARTS, axis=1)
        np.divide(
            np.cumsum(parts[:, ::-1], axis=1), LEVEL_SAMPLES, out=powers[:, -len(LEVEL_SAMPLES) :], casting="same_kind"
        )
        steps = _steps(powers)
        self.local[:, :, :SPECTRAL] = steps[:, : ROWS * SPECTRAL].reshape(count, ROWS, SPECTRAL)
        self.levels[:] = steps[:, ROWS * SPECTRAL :]
        self.local[:, :, SPECTRAL:] = self._run_nsdf(past)

    def _run_nsdf(self, past: np.ndarray) -> np.ndarray:
        count = len(past)
        first = 0
        for i, length in enumerate(NSDF_SAMPLES):
            self._segments[:, i, :length] = past[:, -length:]
        spectrum = np.fft.rfft(self._segments, axis=-1)
        power = np.square(spectrum.real) + np.square(spectrum.imag)
        correlation = np.fft.irfft(power, NSDF_FFT, axis=-1)
        np.cumsum(np.square(self._segments[:, :, : max(NSDF_SAMPLES)]), axis=-1, out=self._energy[:, :, 1:])
        for i, length in enumerate(NSDF_SAMPLES):
            energy = self._energy[:, i]
            both = energy[:, length : length + 1] - energy[:, :length] + energy[:, length:0:-1]
            both += 1e-7  # under about -90 dBFS the NSDF fades to 0
            np.divide(
                2 * correlation[:, i, :length], both, out=self._nsdf[:, first : first + length], casting="same_kind"
            )
            first += length
        low = np.take(self._nsdf, self._lag, axis=1)
        high = np.take(self._nsdf, np.minimum(self._lag + 1, first), axis=1)
        value = (low + (high - low) * self._lag_part + 1) * np.float32(127.5)
        np.rint(value, out=value)
        return np.clip(value, 0, 255).reshape(count, ROWS, -1)


def _steps(power: np.ndarray) -> np.ndarray:
    """Power re full scale, in place, as steps of STEP_DB above FLOOR_DB, 0..255, still float32."""
    power += np.float32(10 ** (FLOOR_DB / 10))
    np.log10(power, out=power)
    power *= np.float32(10 / STEP_DB)
    power -= np.float32(FLOOR_DB / STEP_DB)
    np.rint(power, out=power)
    return np.clip(power, 0, 255, out=power)


def _hz(midi: np.ndarray) -> np.ndarray:
    return 440.0 * 2.0 ** ((midi - 69) / 12)


def _sub_rows(values: int) -> np.ndarray:
    """MIDI of each value of each row, [ROWS, values]: spread over the semitone, middle on the note."""
    return FIRST_ROW + np.arange(ROWS)[:, None] + (np.arange(values) - (values - 1) / 2)[None] / values


def _half_band() -> np.ndarray:
    """Low-pass for the decimation by 2: a Hamming-windowed sinc, -6 dB at 11.5 kHz."""
    n = np.arange(FIR_TAPS) - (FIR_TAPS - 1) / 2
    taps = np.sinc(0.48 * n) * np.hamming(FIR_TAPS)
    return (taps / taps.sum()).astype(np.float32)


def _window(length: int, fall: int) -> np.ndarray:
    """A slow half-cosine rise and a short fall at the newest edge; a full-scale sine reads 0 dB."""
    rise = length - fall
    shape = np.concatenate(
        [0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / rise), 0.5 + 0.5 * np.cos(np.pi * np.arange(1, fall + 1) / fall)]
    )
    return (shape * 2 / shape.sum()).astype(np.float32)


def _rows_of_bins() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A sparse matrix from FFT bins to row powers: (bin, weight) lists and where each row's list starts.

    Triangles as wide as the rows are apart, and at least one bin: low rows are interpolated, high ones averaged.
    The bands of the shortest window follow after the rows.
    """
    by_row: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in range(ROWS)]
    first_bin = 0
    for _, values, _, length in sorted(WINDOWS, key=lambda w: w[3]):
        bin_hz = INNER_RATE_HZ / length
        bins_hz = np.arange(length // 2 + 1) * bin_hz
        for row, midis in enumerate(_sub_rows(values)):
            for centre in _hz(midis):
                half = max(centre * (2 ** (1 / 12 / values) - 1), bin_hz)
                weight = np.maximum(0, 1 - np.abs(bins_hz - centre) / half)
                used = np.flatnonzero(weight)
                by_row[row].append((used + first_bin, weight[used] / weight.sum()))
        first_bin += length // 2 + 1
    lists = [pair for row in by_row for pair in row]
    shortest_hz = np.arange(WINDOWS[0][3] // 2 + 1) * INNER_RATE_HZ / WINDOWS[0][3]
    for low, high in itertools.pairwise(BAND_EDGES_HZ):
        used = np.flatnonzero((shortest_hz >= low) & (shortest_hz < high))
        # The FFT is zero-padded: this share makes the sum the power of the band.
        lists.append((used, np.full(len(used), WINDOWS[0][0] / WINDOWS[0][3])))
    starts = np.cumsum([0] + [len(used) for used, _ in lists[:-1]])
    return np.concatenate([u for u, _ in lists]), np.concatenate([w for _, w in lists]).astype(np.float32), starts


def _lags() -> tuple[np.ndarray, np.ndarray]:
    """For each row and NSDF value: its lag as an index into the joined NSDFs and the fraction to the next one."""
    lag = INNER_RATE_HZ / _hz(_sub_rows(NSDF_SUBROWS))
    index, part, first = [], [], 0
    for length in NSDF_SAMPLES:
        held = lag < 0.85 * length  # beyond, too few samples overlap
        index.append(np.where(held, first + lag.astype(int), sum(NSDF_SAMPLES)))
        part.append(np.where(held, lag % 1, 0))
        first += length
    return np.stack(index, 1).reshape(-1), np.stack(part, 1).reshape(-1).astype(np.float32)
