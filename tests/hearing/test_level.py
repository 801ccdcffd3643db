"""The level of the input, and the dynamics of a note."""

from __future__ import annotations

import numpy as np
import pytest
from strings_and_scores import RATE_HZ, pluck, silence

from improvbox.hearing.level import FLOOR_DB, LevelMeter


def heard(sound: np.ndarray) -> LevelMeter:
    meter = LevelMeter()
    meter.push(sound[: len(sound) // 64 * 64])
    return meter


def sine(amplitude: float, seconds: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE_HZ)) / RATE_HZ)).astype(np.float32)


def test_silence_reads_the_floor() -> None:
    assert heard(silence(0.5)).dbfs == FLOOR_DB


def test_a_sine_of_half_scale_reads_9_db_under_full_scale() -> None:
    assert heard(sine(0.5)).dbfs == pytest.approx(-9.03, abs=0.2)


def test_a_level_comes_about_a_hundred_times_a_second() -> None:
    levels = LevelMeter().push(sine(0.1, 1.0)[: RATE_HZ // 64 * 64])
    assert 90 <= len(levels) <= 100
    assert np.allclose(np.diff([level.t for level in levels]), 512 / RATE_HZ)


def test_a_sample_at_full_scale_is_reported_as_clipped_once() -> None:
    sound = sine(0.1, 0.1)[:4096]
    sound[700] = 1.0
    assert [level.clipped for level in LevelMeter().push(sound)] == [False, True] + [False] * 6


def test_an_offset_of_the_converter_is_no_level() -> None:
    assert heard(np.full(RATE_HZ * 2, 0.25, np.float32)).dbfs < -60


def test_an_attack_is_dated_within_2_ms() -> None:
    meter = heard(np.concatenate((silence(0.3), pluck(50, 0.3))))
    assert meter.attack == pytest.approx(0.3, abs=0.002)


def test_a_steady_low_string_has_no_second_attack() -> None:
    meter = heard(np.concatenate((silence(0.3), pluck(38, 1.0))))
    assert meter.attack == pytest.approx(0.3, abs=0.002)


def test_velocity_follows_the_general_midi_curve_6_db_are_a_factor_of_1_4() -> None:
    meter = LevelMeter()
    velocities = []
    for peak in (0.4, 0.2, 0.1):
        meter.push(silence(0.2)[: 150 * 64])
        onset = meter.t
        meter.push(pluck(60, 0.032, peak=peak))
        velocities.append(meter.velocity(onset))
    assert velocities[0] / velocities[1] == pytest.approx(2**0.5, rel=0.1)
    assert velocities[1] / velocities[2] == pytest.approx(2**0.5, rel=0.1)


def test_a_note_into_a_ringing_string_is_as_loud_as_its_own_rise() -> None:
    meter = LevelMeter()
    meter.push(pluck(45, 0.512, peak=0.4))
    onset = meter.t
    meter.push(pluck(45, 0.1024, peak=0.2)[:3840] + pluck(57, 0.1024, peak=0.2)[:3840])
    ringing = meter.velocity(onset)
    alone = LevelMeter()
    alone.push(pluck(45, 0.512, peak=0.4))
    alone.push(silence(0.512)[:24576])
    onset = alone.t
    alone.push(pluck(57, 0.1024, peak=0.2)[:3840])
    assert ringing > alone.velocity(onset)


@pytest.mark.parametrize("sound", [np.full(6400, 1.0), np.full(6400, -1.0), np.resize([1.0, -1.0], 6400)])
def test_velocity_stays_in_1_to_127_for_any_sound(sound: np.ndarray) -> None:
    meter = heard(sound.astype(np.float32))
    assert 1 <= meter.velocity(0.0) <= 127
    assert 1 <= meter.velocity(-5.0) <= 127
