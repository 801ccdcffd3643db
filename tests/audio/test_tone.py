"""Test sound that tests may rely on."""

from __future__ import annotations

import numpy as np
import pytest

from improvbox.audio.tone import Tone, ToneSource, pluck


def test_a_tone_source_is_a_finite_stream_of_numbered_blocks() -> None:
    source = ToneSource([Tone(0.001, 0.5, 440.0)], 0.0041, 64)
    source.start()
    blocks = list(iter(source.read, None))
    assert [(b.first_frame, len(b.samples)) for b in blocks] == [(0, 64), (64, 64), (128, 64), (192, 5)]
    x = np.concatenate([b.samples for b in blocks])
    assert not x[:49].any()
    assert x[49] != 0


def test_tones_add_and_stop() -> None:
    source = ToneSource([Tone(0, 0.01, 1000.0, 0.25), Tone(0, 0.02, 1000.0, 0.25)], 0.03, 480)
    source.start()
    first, second, third = (source.read().samples for _ in range(3))
    assert np.max(first) == pytest.approx(0.5, abs=1e-3)
    assert np.max(second) == pytest.approx(0.25, abs=1e-3)
    assert not third.any()


@pytest.mark.parametrize("midi", [40, 52, 64, 76])
def test_a_pluck_sounds_its_pitch_from_its_first_sample(midi: int) -> None:
    x = pluck(midi, 0.5, 0.5)
    assert np.max(np.abs(x)) == pytest.approx(0.5, abs=1e-6)
    assert np.max(np.abs(x[:48])) > 0.005  # sounds within a millisecond
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)), 8 * len(x)))
    hz = 440 * 2 ** ((midi - 69) / 12)
    per_bin = 48000 / (8 * len(x))
    near = slice(round(hz * 0.8 / per_bin), round(hz * 1.2 / per_bin))
    peak = (near.start + int(np.argmax(spectrum[near]))) * per_bin
    assert 1200 * abs(np.log2(peak / hz)) < 8  # cents


def test_a_pluck_dies_away_and_is_the_same_again() -> None:
    x = pluck(45, 2.0)
    assert np.max(np.abs(x[-4800:])) < 0.3 * np.max(np.abs(x[:4800]))
    assert np.array_equal(x, pluck(45, 2.0))
