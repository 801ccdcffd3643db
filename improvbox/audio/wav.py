"""Sound from a file, streamed: any rate, any number of channels, any format that libsndfile reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from improvbox.audio.source import RATE_HZ, Block
from improvbox.errors import InputFileError, MissingDriverError, StreamError

CHUNK_FRAMES = 4096  # of the file, per visit to the disk
RATES_HZ = (1000, 768000)  # outside it, a header is damaged


class WavSource:
    """A Source that reads `path`, converted to mono at 48 kHz, in blocks of `block_frames` (the last may be shorter).

    Channels are averaged unless `channel` (from 1) picks one. Memory does not grow with the length of the file.
    """

    rate_hz = RATE_HZ

    def __init__(self, path: str | Path, block_frames: int = 64, channel: int | None = None) -> None:
        self.path = Path(path)
        self.duration_s: float | None = None  # known after start
        self._block = block_frames
        self._channel = channel
        self._file: Any = None
        self._resampler: Any = None
        self._buffer = np.zeros(0, np.float32)
        self._at = 0
        self._ended = False

    def start(self) -> None:
        """Opens the file. Raises InputFileError that names it and what would be right."""
        soundfile = _driver("soundfile")
        if not self.path.is_file():
            what = "is a folder, not a sound file" if self.path.is_dir() else "is not there"
            raise InputFileError(f"{self.path}: {what}; give a WAV or FLAC file")
        try:
            self._file = soundfile.SoundFile(str(self.path))
        except (soundfile.SoundFileError, OSError) as error:
            reason = getattr(error, "error_string", "") or str(error)
            raise InputFileError(f"{self.path}: not a sound file: {reason.rstrip('.')}; give WAV or FLAC") from None
        try:
            self._check()
        except InputFileError:
            self.stop()
            raise
        self.duration_s = self._file.frames / self._file.samplerate
        self._resampler = None
        if self._file.samplerate != RATE_HZ:
            self._resampler = _driver("soxr").ResampleStream(self._file.samplerate, RATE_HZ, 1, dtype="float32")
        self._buffer, self._at, self._ended = np.zeros(0, np.float32), 0, False

    def stop(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def read(self) -> Block | None:
        """The next block; None at the end. Raises StreamError before start, InputFileError where the file is broken."""
        if self._file is None:
            raise StreamError(f"{self.path}: read before start")
        while len(self._buffer) < self._block and not self._ended:
            self._buffer = np.concatenate((self._buffer, self._chunk()))
        if not len(self._buffer):
            return None
        samples, self._buffer = self._buffer[: self._block], self._buffer[self._block :]
        block = Block(samples, self._at)
        self._at += len(samples)
        return block

    def _check(self) -> None:
        rate, frames, channels = self._file.samplerate, self._file.frames, self._file.channels
        if frames == 0:
            raise InputFileError(f"{self.path}: holds 0 frames of sound; give a take with sound in it")
        if not RATES_HZ[0] <= rate <= RATES_HZ[1]:
            raise InputFileError(f"{self.path}: {rate} Hz is outside {RATES_HZ[0]}..{RATES_HZ[1]} Hz")
        if self._channel is not None and not 1 <= self._channel <= channels:
            raise InputFileError(f"{self.path}: has no channel {self._channel}; it has 1..{channels}")

    def _chunk(self) -> np.ndarray:
        try:
            data = self._file.read(CHUNK_FRAMES, dtype="float32", always_2d=True)
        except (RuntimeError, OSError) as error:  # soundfile's errors are RuntimeErrors
            raise InputFileError(f"{self.path}: broken after {self._at / RATE_HZ:.2f} s: {error}") from None
        self._ended = len(data) < CHUNK_FRAMES
        mono = data.mean(axis=1) if self._channel is None else data[:, self._channel - 1]
        mono = np.nan_to_num(mono, posinf=1.0, neginf=-1.0)  # float files may hold anything
        if self._resampler is not None:
            mono = self._resampler.resample_chunk(np.ascontiguousarray(mono), last=self._ended)
        return np.clip(mono, -1.0, 1.0).astype(np.float32, copy=False)


def load(path: str | Path, channel: int | None = None) -> np.ndarray:
    """The whole file as float32[frames] at 48 kHz. For short takes; raises InputFileError."""
    source = WavSource(path, block_frames=RATE_HZ, channel=channel)
    source.start()
    try:
        return np.concatenate([block.samples for block in iter(source.read, None)])
    finally:
        source.stop()


def _driver(name: str) -> Any:
    try:
        if name == "soundfile":
            import soundfile

            return soundfile
        import soxr

        return soxr
    except (ImportError, OSError) as error:  # OSError: the library behind soundfile
        raise MissingDriverError(f"{name} is not installed ({error}); pip install {name}") from None
