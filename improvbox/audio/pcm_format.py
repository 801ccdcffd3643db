"""ALSA sample formats as one table: bytes in, float32 of one channel out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np


@dataclass(frozen=True, slots=True)
class PcmFormat:
    """One row."""

    bytes_per_sample: int
    decode: Callable[[bytes, int, int], np.ndarray]
    """(data, channels, index of the channel) -> float32[frames], -1..1"""


def _scaled(words: np.ndarray, scale: np.float32) -> np.ndarray:
    """One pass: converted and scaled together. This runs once a period."""
    return np.multiply(words, scale, dtype=np.float32, casting="unsafe")


def _pick(dtype: str, scale: float) -> Callable[[bytes, int, int], np.ndarray]:
    kind, factor = np.dtype(dtype), np.float32(scale)

    def decode(data: bytes, channels: int, channel: int) -> np.ndarray:
        return _scaled(np.frombuffer(data, kind)[channel::channels], factor)

    return decode


_FULL_32 = np.float32(2.0**-31)


def _s24_le(data: bytes, channels: int, channel: int) -> np.ndarray:
    """24 bits in the low three bytes of four. The top byte is undefined, so it is shifted out, the sign with it."""
    return _scaled(np.frombuffer(data, "<i4")[channel::channels] << 8, _FULL_32)


def _s24_3le(data: bytes, channels: int, channel: int) -> np.ndarray:
    triples = np.frombuffer(data, np.uint8).reshape(-1, channels, 3)[:, channel]
    words = np.zeros((len(triples), 4), np.uint8)
    words[:, 1:] = triples  # the sample in the top three bytes
    return _scaled(words.view("<i4")[:, 0], _FULL_32)


# In order of preference: most bits first, and the least work among equals.
FORMATS: MappingProxyType[str, PcmFormat] = MappingProxyType(
    {
        "S32_LE": PcmFormat(4, _pick("<i4", 2.0**-31)),
        "S24_LE": PcmFormat(4, _s24_le),
        "S24_3LE": PcmFormat(3, _s24_3le),
        "S16_LE": PcmFormat(2, _pick("<i2", 2.0**-15)),
    }
)
