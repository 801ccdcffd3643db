"""Hearing as the box uses it: any block in, events out, modes, and sound that is no sound."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from strings_and_scores import RATE_HZ, events_by_kind, hanging, pluck, silence

from improvbox.config import HearingSettings
from improvbox.errors import UsageError
from improvbox.events import HumanEvent, Level, NoteOn
from improvbox.hearing.listener import MODES, Listener

COMPUTE_S = 0.001
PHRASE = np.concatenate(
    (silence(0.3), *[pluck(m, 0.22) for m in (45, 52, 57, 60, 64, 69)], pluck(57, 0.6) + pluck(64, 0.6), silence(0.2))
)


def heard(sound: np.ndarray, folder: Path | None, block: int = 64, mode: str | None = None) -> list[HumanEvent]:
    listener = Listener(HearingSettings(), folder, COMPUTE_S)
    if mode is not None:
        listener.switch(mode)
    events = [e for at in range(0, len(sound), block) for e in listener.push(sound[at : at + block])]
    return events + list(listener.flush())


def time_of(event: HumanEvent) -> float:
    return event.emitted if isinstance(event, NoteOn) else event.t


@pytest.mark.parametrize("block", [1, 63, 64, 100, 128, 1000, len(PHRASE)])
def test_the_size_of_the_blocks_changes_nothing(block: int) -> None:
    assert heard(PHRASE[:20000], None, block) == heard(PHRASE[:20000], None)


def test_the_same_sound_in_any_blocks_gives_the_same_events_bit_for_bit(shipped_model: Path) -> None:
    assert heard(PHRASE[:40000], shipped_model, 4096) == heard(PHRASE[:40000], shipped_model)


def test_what_was_said_before_a_cut_is_the_same_when_the_sound_ends_there(shipped_model: Path) -> None:
    whole = heard(PHRASE, shipped_model)
    for cut_s in (0.51, 0.9, 1.37):
        cut = int(cut_s * RATE_HZ) // 128 * 128
        before = [e for e in whole if time_of(e) <= cut / RATE_HZ + (COMPUTE_S if isinstance(e, NoteOn) else 0)]
        assert Listener(HearingSettings(), shipped_model, COMPUTE_S).push(PHRASE[:cut]) == before


def test_the_model_hears_a_phrase_and_a_double_stop(shipped_model: Path) -> None:
    ons, _, offs = events_by_kind(heard(PHRASE, shipped_model))
    assert {round(n.pitch) for n in ons} >= {45, 52, 57, 60, 64, 69}
    assert len(offs) == len(ons)


def test_half_rate_hears_the_same_notes(shipped_model: Path) -> None:
    sound = np.concatenate((silence(0.5), PHRASE))  # the net warms up in the silence
    ons, _, _ = events_by_kind(heard(sound, shipped_model, mode="model half rate"))
    assert {round(n.pitch) for n in ons} >= {45, 52, 57, 60, 64, 69}


def test_emitted_is_the_end_of_the_hop_and_the_given_compute() -> None:
    note = events_by_kind(heard(PHRASE, None))[0][0]
    hops = (note.emitted - COMPUTE_S) * RATE_HZ / 128
    assert hops == pytest.approx(round(hops), abs=1e-6)


def test_measured_compute_is_added_to_emitted() -> None:
    listener = Listener(HearingSettings(), None)
    measured = events_by_kind(listener.push(PHRASE))[0][0]
    fixed = events_by_kind(heard(PHRASE, None))[0][0]
    assert measured.emitted > fixed.emitted - COMPUTE_S


def test_time_counts_what_was_heard_in_whole_hops() -> None:
    listener = Listener(HearingSettings(), None)
    listener.push(silence(1.0)[:1000])
    assert listener.t == 896 / RATE_HZ


def test_levels_come_about_a_hundred_times_a_second() -> None:
    levels = [e for e in heard(silence(1.0), None) if isinstance(e, Level)]
    assert 90 <= len(levels) <= 100


def test_events_come_in_the_order_in_which_they_are_known() -> None:
    times = [time_of(e) for e in heard(PHRASE, None) if not isinstance(e, Level)]
    assert all(b - a > -COMPUTE_S - 1e-9 for a, b in itertools.pairwise(times))


def test_the_mode_follows_the_settings(shipped_model: Path) -> None:
    assert Listener(HearingSettings(), None).mode == "dsp"
    assert Listener(HearingSettings(), shipped_model).mode == "model"
    assert Listener(HearingSettings(hop_frames=256), shipped_model).mode == "model half rate"


def test_an_unknown_mode_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'dsp'"):
        Listener(HearingSettings(), None).switch("dps")


def test_a_mode_with_a_model_needs_a_model() -> None:
    with pytest.raises(UsageError, match="needs a pitch model"):
        Listener(HearingSettings(), None).switch("model")


@pytest.mark.parametrize(("before", "after"), itertools.permutations(MODES, 2))
def test_a_switch_while_a_note_sounds_neither_ends_nor_repeats_it(shipped_model: Path, before: str, after: str) -> None:
    sound = np.concatenate((silence(0.4), pluck(57, 0.9), silence(0.15)))
    listener = Listener(HearingSettings(), shipped_model, COMPUTE_S)
    listener.switch(before)
    events = listener.push(sound[: int(0.7 * RATE_HZ)])
    assert len(events_by_kind(events)[0]) == 1
    listener.switch(after)
    assert listener.mode == after
    rest = listener.push(sound[int(0.7 * RATE_HZ) :])
    ons, _, offs = events_by_kind(rest)
    assert ons == []
    assert [n.id for n in offs] == [1]
    assert offs[0].t == pytest.approx(1.3, abs=0.08)


def test_ids_go_on_over_switches(shipped_model: Path) -> None:
    listener = Listener(HearingSettings(), shipped_model, COMPUTE_S)
    events: list[HumanEvent] = []
    for mode in ("model", "dsp", "model half rate", "model"):
        listener.switch(mode)
        events += listener.push(np.concatenate((silence(0.4), pluck(57, 0.4), silence(0.2))))
    assert [n.id for n in events_by_kind(events)[0]] == [1, 2, 3, 4]


def test_a_long_hole_in_the_stream_ends_what_sounds_and_moves_time_on() -> None:
    listener = Listener(HearingSettings(), None, COMPUTE_S)
    listener.push(np.concatenate((silence(0.2), pluck(57, 0.5)[:14400])))
    assert len(listener.skip(RATE_HZ)) == 1
    assert listener.t == pytest.approx(0.5 + 1.0, abs=0.003)
    ons, _, _ = events_by_kind(listener.push(np.concatenate((silence(0.2), pluck(60, 0.3)))))
    assert ons[0].onset == pytest.approx(1.7, abs=0.01)


def test_a_short_hole_ends_nothing() -> None:
    listener = Listener(HearingSettings(), None, COMPUTE_S)
    listener.push(np.concatenate((silence(0.2), pluck(57, 0.5)[:14400])))
    assert listener.skip(64) == []


def test_two_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="one channel"):
        Listener(HearingSettings(), None).push(np.zeros((64, 2), np.float32))


def garbage() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(8)
    n = RATE_HZ // 4
    tone = pluck(57, 0.25)
    holes = tone.copy()
    holes[rng.integers(0, n, 2000)] = np.nan
    spikes = np.zeros(n)
    spikes[rng.integers(0, n, 60)] = 1e30
    return {
        "not a number": np.full(n, np.nan),
        "infinite": np.where(np.arange(n) % 2, np.inf, -np.inf),
        "a tone with holes": holes,
        "an offset": np.full(n, 0.9),
        "a square wave": 0.99 * np.sign(np.sin(2 * np.pi * 110 * np.arange(n) / RATE_HZ)),
        "spikes": spikes,
        "noise far over full scale": 1e6 * rng.normal(size=n),
        "denormals": np.full(n, 1e-42),
        "whole numbers": rng.integers(-30000, 30000, n),
        "nothing": np.zeros(0),
    }


@pytest.mark.parametrize("what", garbage())
@pytest.mark.parametrize("with_model", [False, True], ids=["dsp", "model"])
def test_no_sound_raises_or_leaves_a_note_hanging(shipped_model: Path, what: str, with_model: bool) -> None:
    listener = Listener(HearingSettings(), shipped_model if with_model else None, COMPUTE_S)
    events = listener.push(garbage()[what])
    events += listener.push(np.concatenate((silence(0.1), pluck(57, 0.2))))
    for event in events:
        if isinstance(event, NoteOn):
            assert np.isfinite([event.pitch, event.onset, event.emitted]).all()
            assert 1 <= event.velocity <= 127
    assert hanging(events + list(listener.flush())) == set()


def test_a_phrase_after_garbage_is_heard() -> None:
    listener = Listener(HearingSettings(), None, COMPUTE_S)
    listener.push(np.full(RATE_HZ, np.nan))
    listener.push(np.full(RATE_HZ, 0.9))
    events = listener.push(np.concatenate((silence(1.0), pluck(57, 0.4), silence(0.1))))
    assert [round(n.pitch) for n in events_by_kind(events)[0]] == [57]
