"""The period of a few milliseconds."""

from __future__ import annotations

import numpy as np
import pytest
from strings_and_scores import HOP_FRAMES, hz, pluck

from improvbox.hearing.periodicity import INNER_RATE_HZ, Periodicity


def after(sound: np.ndarray) -> Periodicity:
    periodicity = Periodicity(HOP_FRAMES, 37.4, 88.6)
    for at in range(0, len(sound) - HOP_FRAMES + 1, HOP_FRAMES):
        periodicity.push(sound[at : at + HOP_FRAMES])
    return periodicity


@pytest.mark.parametrize("midi", [38, 40, 47.3, 55, 64, 76, 88])
def test_three_periods_tell_the_pitch_within_6_cents(midi: float) -> None:
    length = min(1008, int(3.2 * INNER_RATE_HZ / hz(midi)))
    lag, height = after(pluck(midi, 0.3)[:9600]).of_last(max(length, 156))
    assert 1200 * np.log2(INNER_RATE_HZ / lag / hz(midi)) == pytest.approx(0, abs=6)
    assert height > 0.95


def test_one_period_and_a_half_is_no_period() -> None:
    assert after(pluck(40, 0.3)[:9600]).of_last(int(1.5 * INNER_RATE_HZ / hz(40)))[1] < 0.9


@pytest.mark.parametrize("length", [156, 384, 1008])
def test_noise_has_no_clear_period(length: int) -> None:
    noise = np.random.default_rng(5).normal(0, 0.2, 9600).astype(np.float32)
    assert after(noise).of_last(length)[1] < 0.8


def test_silence_has_no_period() -> None:
    assert after(np.zeros(4800, np.float32)).of_last(1008) == (0.0, 0.0)


def test_a_block_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="must be \\(128,\\)"):
        Periodicity(128, 38, 88).push(np.zeros(64, np.float32))
