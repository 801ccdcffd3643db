"""Files of every kind become the same mono stream at 48 kHz, or one clear line."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile

from improvbox.audio.wav import WavSource, load
from improvbox.errors import InputFileError, StreamError

HZ = 440.0


def sine(rate_hz: int, seconds: float = 1.0, channels: int = 1) -> np.ndarray:
    x = 0.5 * np.sin(2 * np.pi * HZ * np.arange(round(rate_hz * seconds)) / rate_hz)
    return np.repeat(x[:, None], channels, axis=1)


@pytest.mark.parametrize(
    ("rate_hz", "channels", "name", "subtype"),
    [
        (8000, 1, "take.wav", "PCM_16"),
        (22050, 1, "take.wav", "PCM_16"),
        (44100, 2, "take.wav", "PCM_16"),
        (48000, 1, "take.wav", "PCM_U8"),
        (48000, 2, "take.wav", "PCM_24"),
        (48000, 1, "take.wav", "PCM_32"),
        (48000, 1, "take.wav", "FLOAT"),
        (96000, 6, "take.wav", "DOUBLE"),
        (44100, 2, "take.flac", "PCM_24"),
        (48000, 1, "take.flac", "PCM_16"),
    ],
)
def test_every_format_gives_the_same_tone(tmp_path: Path, rate_hz: int, channels: int, name: str, subtype: str) -> None:
    soundfile.write(tmp_path / name, sine(rate_hz, channels=channels), rate_hz, subtype)
    x = load(tmp_path / name)
    assert x.dtype == np.float32
    assert abs(len(x) - 48000) <= 1
    middle = slice(4800, 43200)  # a resampler rings at the ends
    tolerance = 0.01 if subtype == "PCM_U8" else 2e-4
    assert np.max(np.abs(x[middle] - sine(48000)[middle, 0])) < tolerance


@pytest.mark.parametrize("seconds", [0.01, 4096 / 48000, 3 * 4096 / 48000])
def test_no_frame_is_lost_or_invented_at_48_khz(tmp_path: Path, seconds: float) -> None:
    soundfile.write(tmp_path / "take.wav", sine(48000, seconds), 48000, "FLOAT")
    assert np.array_equal(load(tmp_path / "take.wav"), sine(48000, seconds)[:, 0].astype(np.float32))


def test_blocks_are_even_numbered_from_zero_and_the_last_may_be_short(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "take.wav", sine(48000, 0.0041), 48000, "FLOAT")  # 197 frames
    source = WavSource(tmp_path / "take.wav", 64)
    source.start()
    blocks = list(iter(source.read, None))
    source.stop()
    assert [(b.first_frame, len(b.samples)) for b in blocks] == [(0, 64), (64, 64), (128, 64), (192, 5)]
    assert {(b.captured_s, b.lost_frames) for b in blocks} == {(None, 0)}


def test_channels_are_averaged_or_one_is_picked(tmp_path: Path) -> None:
    left_only = sine(48000, 0.1, 2) * [1.0, 0.0]
    soundfile.write(tmp_path / "take.wav", left_only, 48000, "FLOAT")
    assert np.max(load(tmp_path / "take.wav")) == pytest.approx(0.25, abs=1e-3)
    assert np.max(load(tmp_path / "take.wav", channel=1)) == pytest.approx(0.5, abs=1e-3)
    assert np.max(np.abs(load(tmp_path / "take.wav", channel=2))) == 0


def test_a_float_file_beyond_full_scale_or_not_a_number_stays_in_range(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "take.wav", np.array([0.5, 3.0, -3.0, np.nan, np.inf, 0.25]), 48000, "FLOAT")
    assert load(tmp_path / "take.wav").tolist() == [0.5, 1.0, -1.0, 0.0, 1.0, 0.25]


def test_ten_minutes_stream_through_little_memory(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "long.wav", "w", 8000, 1, "PCM_16") as out:
        for _ in range(600):
            out.write(np.zeros(8000, np.float32))
    source = WavSource(tmp_path / "long.wav", 48000)
    source.start()
    assert source.duration_s == 600
    tracemalloc.start()
    frames = sum(len(block.samples) for block in iter(source.read, None))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    source.stop()
    assert abs(frames - 600 * 48000) <= 1
    assert peak < 4e6  # bytes; the whole would be 115 MB


def broken(path: Path, kind: str) -> Path:
    if kind == "empty":
        soundfile.write(path, np.zeros((0, 1)), 48000)
    elif kind == "text":
        path.write_text("this is not sound")
    elif kind == "header":
        soundfile.write(path, sine(48000), 48000)
        path.write_bytes(path.read_bytes()[:30])
    elif kind == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("empty", "0 frames"),
        ("text", "not a sound file"),
        ("header", "take.wav"),
        ("folder", "is a folder"),
        ("missing", "is not there"),
    ],
)
def test_what_is_no_take_is_refused_in_one_line_that_names_it(tmp_path: Path, kind: str, says: str) -> None:
    path = broken(tmp_path / "take.wav", kind)
    with pytest.raises(InputFileError, match=says) as caught:
        WavSource(path).start()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_channel_that_is_not_there_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "take.wav", sine(48000, 0.1, 2), 48000)
    with pytest.raises(InputFileError, match=r"no channel 3; it has 1\.\.2"):
        WavSource(tmp_path / "take.wav", channel=3).start()


def test_reading_before_start_is_an_error_not_silence(tmp_path: Path) -> None:
    with pytest.raises(StreamError, match="before start"):
        WavSource(tmp_path / "take.wav").read()
