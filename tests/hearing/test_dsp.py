"""The tracker without a model."""

from __future__ import annotations

import numpy as np
import pytest
from strings_and_scores import HOP_FRAMES, RATE_HZ, events_by_kind, hanging, pluck, silence

from improvbox.events import HumanEvent
from improvbox.hearing.dsp import DspTracker
from improvbox.hearing.level import LevelMeter


def tracked(*sounds: np.ndarray) -> list[HumanEvent]:
    sound = np.concatenate(sounds)
    tracker, level, events = DspTracker(38, 88), LevelMeter(), []
    for at in range(0, len(sound) - HOP_FRAMES + 1, HOP_FRAMES):
        hop = sound[at : at + HOP_FRAMES]
        level.push(hop)
        events += tracker.push(hop, (at + HOP_FRAMES) / RATE_HZ, level)
    return events + list(tracker.voices.end_all(len(sound) / RATE_HZ))


@pytest.mark.parametrize("midi", [38, 40, 45.3, 52, 60, 67.4, 76, 88])
def test_a_pluck_is_one_note_within_15_cents(midi: float) -> None:
    ons, _, _ = events_by_kind(tracked(silence(0.2), pluck(midi, 0.5), silence(0.2)))
    assert [n.pitch for n in ons] == [pytest.approx(midi, abs=0.15)]
    assert ons[0].onset == pytest.approx(0.2, abs=0.005)


@pytest.mark.parametrize(("midi", "within_ms"), [(40, 45), (52, 25), (64, 15), (76, 15)])
def test_two_periods_and_two_hops_are_enough(midi: int, within_ms: float) -> None:
    ons, _, _ = events_by_kind(tracked(silence(0.2), pluck(midi, 0.5)))
    assert (ons[0].emitted - 0.2) * 1000 < within_ms


def test_a_line_of_sixteenths_at_140_is_heard_note_by_note() -> None:
    line = [52, 55, 57, 60, 57, 55, 52, 50]
    ons, _, _ = events_by_kind(tracked(silence(0.2), *[pluck(m, 60 / 140 / 4) for m in line]))
    assert [round(n.pitch) for n in ons] == line


def test_a_bend_is_one_note_with_a_curve() -> None:
    bend = pluck(62, 0.8, semitones=lambda t: np.clip(8 * (t - 0.2), 0, 2))
    ons, bends, _ = events_by_kind(tracked(silence(0.2), bend))
    assert len(ons) == 1
    assert ons[0].pitch + bends[-1].cents / 100 == pytest.approx(64, abs=0.1)


def test_a_vibrato_is_one_note() -> None:
    shaken = pluck(67, 0.8, semitones=lambda t: 0.4 * np.sin(2 * np.pi * 6 * t))
    ons, bends, _ = events_by_kind(tracked(silence(0.2), shaken))
    assert len(ons) == 1
    assert max(b.cents for b in bends) - min(b.cents for b in bends) == pytest.approx(80, abs=25)


def test_a_hammer_on_is_a_new_note() -> None:
    hammered = pluck(60, 0.6, semitones=lambda t: 2.0 * (t > 0.3))
    ons, _, offs = events_by_kind(tracked(silence(0.2), hammered))
    assert [round(n.pitch) for n in ons] == [60, 62]
    assert offs[0].t == ons[1].emitted


def test_a_damped_note_ends_within_50_ms() -> None:
    offs = events_by_kind(tracked(silence(0.2), pluck(55, 0.4), silence(0.4)))[2]
    assert offs[0].t == pytest.approx(0.6, abs=0.05)


@pytest.mark.parametrize("dbfs", [-90, -60, -46])
def test_hiss_is_nothing(dbfs: float) -> None:
    hiss = 10 ** (dbfs / 20) * np.random.default_rng(1).normal(size=2 * RATE_HZ)
    assert tracked(hiss.astype(np.float32)) == []


def test_hum_is_nothing() -> None:
    t = np.arange(2 * RATE_HZ) / RATE_HZ
    hum = sum(10 ** (-44 / 20) / n * np.sin(2 * np.pi * 50 * n * t + n) for n in (1, 2, 3, 5, 7))
    assert tracked(np.asarray(hum, np.float32)) == []


def test_dead_strokes_are_nothing() -> None:
    rng = np.random.default_rng(4)
    chuck = rng.normal(size=4800) * np.exp(-np.arange(4800) / 480)
    assert tracked(*[(0.2 * chuck).astype(np.float32) for _ in range(10)]) == []


def test_only_one_note_sounds_at_a_time() -> None:
    sounding: set[int] = set()
    for event in tracked(silence(0.1), *[pluck(m, 0.15) for m in (45, 52, 57, 61, 64, 57)]):
        sounding |= {event.id} if event in events_by_kind([event])[0] else set()
        sounding -= {event.id} if event in events_by_kind([event])[2] else set()
        assert len(sounding) <= 1


def test_nothing_hangs_after_any_sound() -> None:
    rng = np.random.default_rng(9)
    pieces = [pluck(rng.uniform(38, 88), rng.uniform(0.02, 0.3), peak=rng.uniform(0.01, 0.9)) for _ in range(30)]
    assert hanging(tracked(*pieces)) == set()
