"""The front end: one set of numbers, whoever asks for it, and what they mean."""

from __future__ import annotations

import numpy as np
import pytest

from improvbox.hearing.frontend import CHANNELS, FIRST_ROW, LEVELS, RATE_HZ, ROWS, SPECTRAL, STEP_DB, FrontEnd


def tone(midi: float, seconds: float, level: float = 0.3) -> np.ndarray:
    """A plucked-like tone: ten partials that fall off."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    f0_hz = 440 * 2 ** ((midi - 69) / 12)
    return (level * sum(np.sin(2 * np.pi * f0_hz * k * t) / k for k in range(1, 11)) / 2).astype(np.float32)


def noisy_signal() -> np.ndarray:
    rng = np.random.default_rng(3)
    sound = np.concatenate([np.zeros(5_000), tone(45, 0.4), tone(64, 0.2), np.zeros(7_000)])
    return (sound + 1e-3 * rng.standard_normal(len(sound))).astype(np.float32)


@pytest.mark.parametrize("hop", [128, 256])
def test_streamed_frames_equal_batch_frames_bit_for_bit(hop: int) -> None:
    sound = noisy_signal()
    local, levels = FrontEnd(hop).batch(sound)
    front = FrontEnd(hop)
    for i in range(len(sound) // hop):
        features = front.push(sound[i * hop : (i + 1) * hop])
        assert np.array_equal(features.local, local[i])
        assert np.array_equal(features.levels, levels[i])


def test_every_second_frame_of_a_short_hop_is_the_frame_of_a_long_one() -> None:
    sound = noisy_signal()
    short, long = FrontEnd(128).batch(sound)[0], FrontEnd(256).batch(sound)[0]
    assert np.array_equal(short[1::2][: len(long)], long)


def test_reset_forgets_what_was_heard() -> None:
    sound = noisy_signal()
    front = FrontEnd(128)
    fresh = front.push(sound[:128]).local.copy()
    for i in range(1, 60):
        front.push(sound[i * 128 : (i + 1) * 128])
    front.reset()
    assert np.array_equal(front.push(sound[:128]).local, fresh)


def test_shapes_are_what_the_model_is_told() -> None:
    local, levels = FrontEnd(128).batch(np.zeros(128 * 20, np.float32))
    assert local.shape == (20, ROWS, CHANNELS)
    assert levels.shape == (20, LEVELS)
    assert local.dtype == levels.dtype == np.uint8


def test_silence_reads_as_the_floor_and_an_undecided_nsdf() -> None:
    local, levels = FrontEnd(128).batch(np.zeros(128 * 20, np.float32))
    assert (local[..., :SPECTRAL] == 0).all()
    assert (local[..., SPECTRAL:] == 128).all()
    assert (levels == 0).all()


@pytest.mark.parametrize("midi", [52, 64, 76, 88])
def test_the_longest_window_is_strongest_at_the_note_that_sounds(midi: int) -> None:
    t = np.arange(RATE_HZ // 4) / RATE_HZ
    sine = (0.3 * np.sin(2 * np.pi * 440 * 2 ** ((midi - 69) / 12) * t)).astype(np.float32)
    local = FrontEnd(128).batch(sine)[0][-1]
    assert int(np.argmax(local[:, SPECTRAL - 2])) == midi - FIRST_ROW


@pytest.mark.parametrize("midi", [40, 52, 64])
def test_the_nsdf_is_near_one_at_the_period_and_low_a_semitone_beside(midi: int) -> None:
    local = FrontEnd(128).batch(tone(midi, 0.3))[0][-1]
    here = local[midi - FIRST_ROW, -2]  # 32 ms, the middle of the semitone
    assert here > 250
    assert local[midi + 2 - FIRST_ROW, -2] < here - 25


def test_ten_decibels_are_twenty_five_steps() -> None:
    loud, soft = tone(52, 0.2, 0.5), tone(52, 0.2, 0.5 / 10**0.5)
    row = 52 - FIRST_ROW
    levels = [FrontEnd(128).batch(x)[0][-1, row, SPECTRAL - 2] for x in (loud, soft)]
    assert int(levels[0]) - int(levels[1]) == pytest.approx(10 / STEP_DB, abs=1)


def test_nothing_of_the_future_is_heard() -> None:
    sound = noisy_signal()
    changed = sound.copy()
    changed[128 * 100 :] = 0.5
    before, after = FrontEnd(128).batch(sound)[0], FrontEnd(128).batch(changed)[0]
    assert np.array_equal(before[:100], after[:100])
    assert not np.array_equal(before[100], after[100])


def test_a_hop_that_cannot_be_halved_is_refused() -> None:
    with pytest.raises(ValueError, match="127 frames"):
        FrontEnd(127)


def test_a_block_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(64,\)"):
        FrontEnd(128).push(np.zeros(64, np.float32))
