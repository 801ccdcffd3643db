"""Guitar and band together in one WAV, at sane levels and never clipped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from improvbox.errors import StreamError
from improvbox.stage.files import replacing

KNEE = 0.8  # -2 dB of full scale: below it nothing is touched, above it peaks bend towards 1.0 and never reach it
GUITAR_PEAK = 0.5  # the guitar's peak in a mix: beside it three players at their usual levels are a band, not a wall


def limit(samples: np.ndarray) -> np.ndarray:
    """`samples` with what is over KNEE bent towards full scale; sample by sample, so it works on a stream."""
    loud = np.abs(samples)
    bent = KNEE + (1 - KNEE) * np.tanh((loud - KNEE) / (1 - KNEE))
    return np.where(loud > KNEE, np.sign(samples) * bent, samples).astype(np.float32)


def guitar_gain(peak: float) -> float:
    """The factor that brings a guitar of this peak to its place in a mix; 1 for silence."""
    return GUITAR_PEAK / peak if peak > 1e-4 else 1.0


def blend(
    guitar: Iterable[np.ndarray], band: Iterable[np.ndarray], gain: float = 1.0, band_gain: float = 1.0
) -> Iterator[np.ndarray]:
    """float32[n, 2] pieces of both, limited. `guitar`: mono pieces, in the middle; `band`: stereo pieces. The lengths
    of pieces need not match; the shorter side goes on as silence."""
    sides = (_Side(guitar, 1), _Side(band, 2))
    while sum(side.fill() for side in sides):  # sum, not any: both sides are filled
        frames = min(len(side.held) for side in sides if len(side.held))
        mono, stereo = (side.take(frames) for side in sides)
        yield limit(mono * np.float32(gain) + stereo * np.float32(band_gain))


class _Side:
    """One input of a blend: pieces of any length, handed on in lengths asked for."""

    def __init__(self, pieces: Iterable[np.ndarray], channels: int) -> None:
        self._pieces = iter(pieces)
        self._channels = channels
        self.held = np.zeros((0, channels), np.float32)

    def fill(self) -> bool:
        """Whether sound is left."""
        while not len(self.held):
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self.held = np.asarray(piece, np.float32).reshape(-1, self._channels)
        return True

    def take(self, frames: int) -> np.ndarray:
        out, self.held = self.held[:frames], self.held[frames:]
        missing = frames - len(out)
        return np.concatenate([out, np.zeros((missing, self._channels), np.float32)]) if missing else out


def write_wav(path: str | Path, pieces: Iterable[np.ndarray], rate_hz: int = 48000, channels: int = 2) -> None:
    """A 24-bit WAV of float32 pieces, limited, whole or not at all. Raises InputFileError, StreamError."""
    import soundfile

    with replacing(path) as draft:
        try:
            with soundfile.SoundFile(draft, "w", rate_hz, channels, "PCM_24", format="WAV") as file:
                for piece in pieces:
                    file.write(limit(np.asarray(piece)))
        except soundfile.LibsndfileError as error:
            raise StreamError(f"{path}: {error}; free some space") from None
