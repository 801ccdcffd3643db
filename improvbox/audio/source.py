"""What every source of guitar sound looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

RATE_HZ = 48000  # the one rate behind every source; files and cards of other rates are converted


@dataclass(frozen=True, slots=True)
class Block:
    """A run of consecutive frames."""

    samples: np.ndarray
    """float32[n], mono, -1..1; n may be 0 while a lost interface is waited for"""
    first_frame: int
    """number of the first sample in the stream, lost ones counted: audio time is first_frame / rate_hz"""
    captured_s: float | None = None
    """s of CLOCK_MONOTONIC when the last sample was there to read; None: a file, which has no such moment"""
    lost_frames: int = 0
    """frames that were played but never read, just before this block (estimated from the clock)"""

    @property
    def end_frame(self) -> int:
        return self.first_frame + len(self.samples)


class Source(Protocol):
    """Mono sound at RATE_HZ, a block at a time.

    `start` opens and may raise InputFileError or DeviceError; `stop` may be called twice, and before `start`.
    `read` blocks where sound comes in real time, is called by one thread, and returns None at the end of the stream.
    """

    rate_hz: int

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def read(self) -> Block | None: ...
