"""The mix: nothing clips, nothing is lost, whatever the pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from improvbox.errors import InputFileError
from improvbox.stage.mix import blend, guitar_gain, limit, write_wav


def test_a_quiet_signal_is_untouched() -> None:
    x = np.linspace(-0.8, 0.8, 101, dtype=np.float32)
    assert np.array_equal(limit(x), x)


def test_a_loud_signal_stays_under_full_scale_and_keeps_its_order() -> None:
    y = limit(np.linspace(0.5, 2.0, 200, dtype=np.float32))
    assert y.max() <= 1.0
    assert (np.diff(y) >= 0).all()


def test_pieces_of_any_length_blend_to_the_same_sum() -> None:
    guitar = np.random.default_rng(1).uniform(-0.3, 0.3, 1000).astype(np.float32)
    band = np.random.default_rng(2).uniform(-0.3, 0.3, (700, 2)).astype(np.float32)
    out = np.concatenate(list(blend(np.split(guitar, [3, 500]), np.split(band, [77, 600]), 0.5)))
    expected = np.repeat(guitar[:, None] * np.float32(0.5), 2, axis=1)
    expected[:700] += band
    assert np.allclose(out, expected, atol=1e-7)


def test_a_guitar_alone_is_in_the_middle() -> None:
    out = np.concatenate(list(blend([np.full(10, 0.25, np.float32)], [])))
    assert np.array_equal(out, np.full((10, 2), 0.25, np.float32))


@pytest.mark.parametrize(("peak", "gain"), [(0.05, 10.0), (1.0, 0.5), (0.0, 1.0)])
def test_the_guitar_comes_to_its_place_and_silence_is_not_amplified(peak: float, gain: float) -> None:
    assert guitar_gain(peak) == pytest.approx(gain)


def test_a_wav_holds_what_was_written(tmp_path: Path) -> None:
    x = np.random.default_rng(1).uniform(-0.5, 0.5, (1000, 2)).astype(np.float32)
    write_wav(tmp_path / "a.wav", np.split(x, [100, 101]))
    y, rate = soundfile.read(tmp_path / "a.wav")
    assert rate == 48000
    assert np.abs(x - y).max() < 2**-22


def test_a_wav_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def pieces():
        yield np.zeros((10, 2), np.float32)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_wav(tmp_path / "a.wav", pieces())
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="folder that exists"):
        write_wav(tmp_path / "no" / "a.wav", [])
