"""The band as a whole: plans, commitment, obedience, beginnings and ends. A rule stands in for the model's net."""

from __future__ import annotations

import math

import pytest
from rule_model import RuleModel
from simulated import DELAY_S, play, tune

from improvbox.band.types import Ended, Played
from improvbox.events import BANDS, REGISTERS, PlannedNote, Release

BEAT_S = 0.6


def test_all_three_bands_play_in_their_registers() -> None:
    played = play(tune(), until=12.0)
    for part in BANDS:
        low, high = REGISTERS[part]
        notes = played.notes(part)
        assert len(notes) > 10
        assert all(low <= pitch <= high for _, _, pitch in notes)


def test_the_same_seed_gives_the_same_notes_and_another_seed_others() -> None:
    first, second, other = (play(tune(), until=8.0, seed=seed).events for seed in (5, 5, 6))
    assert first == second
    assert first != other


def test_how_often_advance_is_called_changes_no_note() -> None:
    exact = [e for _, e in play(tune(), until=8.0).events]
    coarse = [e for _, e in play(tune(), until=8.0, step=0.004).events]
    assert exact == coarse


def test_a_note_is_committed_before_it_sounds_and_not_earlier_than_the_horizon() -> None:
    for handed, event in play(tune(), until=8.0, settings={"commit_ms": 50.0}).events:
        if isinstance(event, PlannedNote):
            assert event.onset - handed == pytest.approx(0.05, abs=1e-6)


def test_only_committed_notes_are_fed_to_the_model() -> None:
    model = RuleModel()
    played = play(tune(), until=8.0, model=model)
    fed = [(e.part, e.onset, e.pitch) for e in model.fed if isinstance(e, Played) and e.part != "human"]
    committed = [(e.part, e.onset, e.pitch) for _, e in played.events if isinstance(e, PlannedNote)]
    assert fed == committed


def test_a_humans_note_is_fed_when_it_is_heard_and_its_end_is_an_event() -> None:
    model = RuleModel()
    human = tune(beats=8)
    play(human, until=8.0, model=model)
    heard = [e for e in model.fed if e.part == "human"]
    assert sum(isinstance(e, Played) for e in heard) == len(human)
    assert sum(isinstance(e, Ended) for e in heard) == len(human)
    assert all(e.duration is None for e in heard if isinstance(e, Played))


def test_no_band_plays_before_the_human() -> None:
    played = play(tune(start=5.0), until=12.0)
    first = min(event.onset for _, event in played.events if isinstance(event, PlannedNote))
    assert 5.0 < first < 5.0 + 4 * BEAT_S


def test_the_band_makes_an_end_after_the_human_and_wakes_with_them() -> None:
    human = tune(beats=16)
    again = [(on + 40.0, off + 40.0, pitch) for on, off, pitch in human]
    played = play([*human, *again], until=60.0)
    silence = [n for part in BANDS for n in played.notes(part) if 20.0 < n[0] < 40.4]
    assert silence == []
    assert all(any(n[0] > 41.0 for n in played.notes(part)) for part in BANDS)


def test_the_end_is_a_chord_of_the_key() -> None:
    human = [
        (0.5 + 0.3 * i, 0.78 + 0.3 * i, 60 + p) for i, p in enumerate([0, 4, 7, 5, 4, 2, 0, 7, 5, 4, 2, -1, 0] * 3)
    ]
    played = play(human, until=24.0)
    last = [played.notes(part)[-1] for part in BANDS]
    assert len({round(on, 3) for on, _, _ in last}) == 1
    assert [pitch % 12 for _, _, pitch in last] == [0, 4, 7]


@pytest.mark.parametrize("at", [6.0, 6.13, 7.31, 8.77])
def test_rest_silences_a_band_within_150_ms(at: float) -> None:
    played = play(tune(), [f"{at}:mid:rest"], until=16.0)
    assert any(on < at for on, _, _ in played.notes("mid"))
    assert max(off for _, off, _ in played.notes("mid")) <= at + 0.15
    assert any(on > at + 1 for on, _, _ in played.notes("bass"))


def test_a_band_at_rest_keeps_listening_and_plays_at_once_when_told() -> None:
    played = play(tune(beats=40), ["4:high:rest", "12:high:accompany"], until=20.0)
    onsets = [on for on, _, _ in played.notes("high") if on > 4.2]
    assert 12.0 < onsets[0] < 12.0 + 4 * BEAT_S


def test_level_zero_is_silence() -> None:
    played = play(tune(), ["0:bass:level=0"], until=12.0)
    assert played.notes("bass") == []


def test_panic_ends_every_note_and_the_band_waits_for_the_human() -> None:
    played = play(tune(beats=8), ["6:all:rest", "6.1:all:accompany", "3:human:panic"], until=5.0)
    after = [n for part in BANDS for n in played.notes(part) if n[1] > 3.01 and n[0] < 3.0]
    assert after == []


def test_a_command_is_heard_from_the_next_uncommitted_note_on() -> None:
    plain = play(tune(), until=14.0)
    told = play(tune(), ["8:all:level=0.1"], until=14.0)
    before = [e for t, e in plain.events if t < 8.0]
    assert [e for t, e in told.events if t < 8.0] == before
    loud = [e.velocity for _, e in told.events if isinstance(e, PlannedNote) and e.onset > 8.041]
    assert max(loud) < min(e.velocity for e in before if isinstance(e, PlannedNote))


def test_density_changes_notes_a_second_at_least_threefold() -> None:
    counts = []
    for density in (0.1, 0.5, 0.9):
        played = play(tune(beats=48), [f"0:all:density={density}"], until=28.0)
        counts.append(sum(len(played.notes(part)) for part in BANDS))
    assert counts[0] < counts[1] < counts[2]
    assert counts[2] >= 3 * counts[0]


def test_metered_notes_lie_on_the_grid_of_the_human() -> None:
    played = play(tune(), until=10.0)
    for part in BANDS:
        beats = [(on - 0.5) / BEAT_S for on, _, _ in played.notes(part)]
        assert all(abs(4 * b - round(4 * b)) * BEAT_S / 4 < 0.01 for b in beats)


def test_in_free_time_nobody_is_quantised() -> None:
    played = play(tune(), ["0:human:time=free"], until=16.0)
    beats = [(on - 0.5) / BEAT_S for part in BANDS for on, _, _ in played.notes(part)]
    assert len(beats) > 20
    off = [abs(4 * b - round(4 * b)) for b in beats]
    assert sum(x > 0.1 for x in off) > 0.6 * len(off)


def test_a_held_note_gives_way_when_the_human_lands_beside_it() -> None:
    human = [(0.5 + i * BEAT_S, 0.5 + (i + 0.95) * BEAT_S, p) for i, p in enumerate([60, 64, 67, 60] * 3)]
    human += [(0.5 + 12 * BEAT_S + i * 4 * BEAT_S, 0.5 + (15.9 + 4 * i) * BEAT_S, 61 + i) for i in range(6)]
    played = play(human, until=24.0, settings={"mid": {"density": 0.2}, "bass": {"density": 0.2}})
    clashing = 0.0
    for part in BANDS:
        for on, off, pitch in played.notes(part):
            for h_on, h_off, h_pitch in human[12:]:
                if (pitch - h_pitch) % 12 in (1, 6, 11):
                    clashing += max(0.0, min(off, h_off) - max(on, h_on + DELAY_S))
    sounding = sum(off - on for part in BANDS for on, off, _ in played.notes(part) if on > human[12][0])
    assert clashing < 0.1 * sounding
    assert any(isinstance(event, Release) for _, event in played.events)


def test_a_strum_is_heard_note_by_note_and_planned_for_once_it_is_over() -> None:
    human = [
        (0.5 + i * BEAT_S + 0.006 * k, 0.9 + i * BEAT_S, p) for i in range(10) for k, p in enumerate((45, 52, 57, 60))
    ]
    model = RuleModel()
    played = play(human, until=6.0, model=model)
    assert sum(isinstance(e, Played) and e.part == "human" for e in model.fed) > 30
    committed = sum(len(played.planned(part)) for part in BANDS)
    strums = 10
    assert len(model.asked) <= 3 * (committed + 2 * strums) + 10


def test_one_strum_is_not_enough_to_know_the_human() -> None:
    human = [(0.5 + 0.006 * k, 3.0, p) for k, p in enumerate((45, 52, 57, 60))]
    assert play(human, until=3.0).events == []


def test_plans_are_not_committed_notes() -> None:
    played = play(tune(), until=10.0)
    for part in BANDS:
        committed = played.planned(part)[-1].onset
        assert all(note.id == 0 and note.onset > committed for note in played.band.plans[part])
    assert any(played.band.plans[part] for part in BANDS)


def test_the_drummer_follows_its_instructions_and_plays_nothing_yet() -> None:
    played = play(tune(), ["1:drums:accompany", "1:drums:density=0.8"], until=10.0)
    assert played.planned("drums") == []
    state = played.band.state()["players"]["drums"]
    assert (state["role"], state["density"]) == ("accompany", 0.8)


def test_the_state_tells_roles_controls_and_the_humans_band() -> None:
    played = play(tune(), ["1:high:fight", "2:mid:for=bass", "3:human:band=high"], until=4.0)
    state = played.band.state()
    assert state["players"]["high"]["role"] == "fight"
    assert state["players"]["mid"]["for"] == ("bass",)
    assert state["human"]["band"] == "high"
    assert state["stage"] == "playing"


def test_a_band_left_alone_sleeps() -> None:
    played = play([], until=5.0)
    assert played.events == []
    assert math.isinf(played.band.next_wake())


def test_the_state_says_when_it_is_over() -> None:
    assert play(tune(beats=8), until=20.0).band.state()["stage"] == "over"
