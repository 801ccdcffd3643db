"""Bytes of every ALSA format become the same numbers."""

from __future__ import annotations

import numpy as np
import pytest

from improvbox.audio.pcm_format import FORMATS

VALUES = np.array([0.0, 0.5, -0.5, -1.0, 0.25, -0.125])


def encode(name: str, x: np.ndarray) -> bytes:
    bits = {"S16_LE": 16, "S24_LE": 24, "S24_3LE": 24, "S32_LE": 32}[name]
    whole = (x * 2.0 ** (bits - 1)).astype("<i8")
    if name == "S24_3LE":
        return b"".join(int(v).to_bytes(3, "little", signed=True) for v in whole)
    return whole.astype("<i2" if bits == 16 else "<i4").tobytes()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("channel", [0, 1, 2])
def test_one_channel_of_three_decodes_exactly(name: str, channel: int) -> None:
    frames = np.stack([VALUES, VALUES[::-1], VALUES / 2], axis=1)
    x = FORMATS[name].decode(encode(name, frames.reshape(-1)), 3, channel)
    assert x.dtype == np.float32
    assert x.tolist() == frames[:, channel].tolist()


def test_the_undefined_top_byte_of_s24_is_ignored() -> None:
    data = bytes([0, 0, 0x40, 0xAB, 0, 0, 0xC0, 0x12])
    assert FORMATS["S24_LE"].decode(data, 1, 0).tolist() == [0.5, -0.5]


@pytest.mark.parametrize("name", FORMATS)
def test_the_sample_size_is_the_one_in_the_bytes(name: str) -> None:
    assert len(encode(name, VALUES)) == FORMATS[name].bytes_per_sample * len(VALUES)
