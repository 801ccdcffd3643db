"""The simple tempo and beat tracker."""

from __future__ import annotations

import numpy as np
import pytest

from improvbox import commands
from improvbox.events import NoteOn
from improvbox.hearing.beat import BeatTracker
from improvbox.tempo import Grid


def onsets(bpm: float, beats: list[float], start: float = 1.0, jitter: float = 0.0) -> list[float]:
    rng = np.random.default_rng(1)
    return [start + b * 60 / bpm + rng.normal(0, jitter) for b in beats]


def play(tracker: BeatTracker, times: list[float]) -> Grid | None:
    for i, t in enumerate(times):
        tracker.hear(NoteOn(i + 1, 60.0, 80, t, t + 0.02))
    return tracker.grid(times[-1] + 0.02)


QUARTERS = [float(b) for b in range(20)]


def off_by(grid: Grid, beat_time: float) -> float:
    """s between a true beat and the grid's nearest."""
    beat = grid.beat(beat_time)
    return abs(beat - round(beat)) * grid.beat_s


def test_with_a_given_tempo_the_first_onset_is_a_beat() -> None:
    grid = play(BeatTracker(96.0), [2.5])
    assert grid is not None
    assert grid.tempo_bpm == pytest.approx(96.0)
    assert off_by(grid, 2.5) < 1e-9


def test_before_the_first_onset_there_is_no_phase() -> None:
    assert BeatTracker(96.0).grid(5.0) is None


@pytest.mark.parametrize("bpm", [84.0, 96.0, 120.0, 150.0])
def test_the_tempo_is_found_from_the_guitar(bpm: float) -> None:
    times = onsets(bpm, [0, 1, 2, 2.5, 3, 4, 5, 5.5, 6, 7, 8, 9, 9.5, 10, 11, 12], jitter=0.008)
    grid = play(BeatTracker(), times)
    assert grid is not None
    assert grid.tempo_bpm == pytest.approx(bpm, rel=0.03)
    assert off_by(grid, times[-1]) < 0.03


def test_a_given_tempo_that_is_two_percent_off_is_corrected() -> None:
    times = onsets(98.0, QUARTERS, jitter=0.005)
    grid = play(BeatTracker(96.0), times)
    assert grid is not None
    assert off_by(grid, 1.0 + 21 * 60 / 98.0) < 0.02


def test_a_slow_ritardando_is_followed() -> None:
    times = [1.0]
    for i in range(30):
        times.append(times[-1] + 0.5 * 1.004**i)
    grid = play(BeatTracker(120.0), times[:16])
    assert grid is not None
    assert off_by(grid, times[16]) < 0.04


def test_random_onsets_leave_time_free() -> None:
    for seed in range(5):
        gaps = np.random.default_rng(seed).gamma(2.0, 0.2, size=60)
        tracker = BeatTracker()
        metered = 0
        for i, t in enumerate(np.cumsum(gaps)):
            tracker.hear(NoteOn(i + 1, 60.0, 80, float(t), float(t)))
            metered += tracker.grid(float(t)) is not None
        assert metered <= 3


def test_a_pickup_on_an_off_beat_is_put_right() -> None:
    grid = play(BeatTracker(100.0), onsets(100.0, [-0.5, *QUARTERS]))
    assert grid is not None
    assert off_by(grid, 1.0 + 15 * 0.6) < 0.02


def test_three_taps_set_tempo_and_phase() -> None:
    tracker = BeatTracker()
    for t in (4.0, 4.5, 5.0):
        tracker.command(commands.parse("box", "tap", None, t))
    grid = tracker.grid(5.1)
    assert grid is not None
    assert grid.tempo_bpm == pytest.approx(120.0)
    assert off_by(grid, 6.0) < 1e-6


def test_time_can_be_forced_free_and_back() -> None:
    tracker = BeatTracker(100.0)
    assert play(tracker, onsets(100.0, QUARTERS)) is not None
    tracker.command(commands.parse("box", "time", "free", 20.0))
    assert tracker.grid(20.0) is None
    tracker.command(commands.parse("box", "time", "auto", 21.0))
    assert tracker.grid(21.0) is not None


def test_a_strum_is_one_onset() -> None:
    times = [t + d for t in onsets(90.0, QUARTERS) for d in (0.0, 0.008, 0.016, 0.024)]
    grid = play(BeatTracker(), times)
    assert grid is not None
    assert grid.tempo_bpm == pytest.approx(90.0, rel=0.02)


def test_a_found_beat_is_given_up_after_long_silence() -> None:
    tracker = BeatTracker()
    times = onsets(90.0, QUARTERS)
    assert play(tracker, times) is not None
    assert tracker.grid(times[-1] + 5) is not None
    assert tracker.grid(times[-1] + 30) is None


def test_beats_are_numbered_on_while_the_phase_is_corrected() -> None:
    tracker = BeatTracker(90.0)
    times = onsets(90.0, QUARTERS, jitter=0.01)
    grid = play(tracker, times)
    assert grid is not None
    assert round(grid.beat(times[-1])) == len(QUARTERS) - 1
