"""What the net says, and what is made of it."""

from __future__ import annotations

import numpy as np
import pytest
from strings_and_scores import HOP_S, FakePosterior, Score, events_by_kind, hanging

from improvbox.events import HumanEvent, NoteOff, PitchBend
from improvbox.hearing.decoder import Decoder
from improvbox.hearing.level import LevelMeter


def decoded(score: Score, level: LevelMeter, threshold: float = 0.8) -> list[HumanEvent]:
    decoder = Decoder(score.lowest, score.pitches, hop_s=HOP_S, threshold=threshold)
    events = [e for i, p in enumerate(score.posteriors) for e in decoder.step(p, (i + 1) * HOP_S, level)]
    return events + list(decoder.voices.end_all(score.seconds))


def vibrato(t: float) -> float:
    return 0.4 * float(np.sin(2 * np.pi * 6 * t))


def test_a_note_leaves_one_hop_after_its_onset_is_sure(steady_level: LevelMeter) -> None:
    ons, _, offs = events_by_kind(decoded(Score().note(60.3, 0.2, 0.6), steady_level))
    assert [round(n.pitch, 2) for n in ons] == [60.3]
    assert ons[0].emitted == pytest.approx(0.2 + 0.010 + 2 * HOP_S, abs=HOP_S)
    assert ons[0].onset == pytest.approx(0.2, abs=0.005)
    assert [round(n.t, 2) for n in offs] == [0.62]


def test_an_onset_under_the_threshold_is_no_note(steady_level: LevelMeter) -> None:
    score = Score().note(60, 0.2, 0.24, onset=0.6, release=False)
    assert events_by_kind(decoded(score, steady_level))[0] == []
    assert len(events_by_kind(decoded(score, steady_level, threshold=0.5))[0]) == 1


def test_an_onset_of_a_single_hop_is_no_note(steady_level: LevelMeter) -> None:
    score = Score()
    score.posteriors[100].onset[20] = 1.0
    assert decoded(score, steady_level) == []


@pytest.mark.parametrize(
    "semitones", [vibrato, lambda t: min(2.0, 8 * max(0.0, t - 0.1)), lambda t: max(0.0, 1 - 3 * t)]
)
def test_a_bent_note_is_one_note_with_a_curve(steady_level: LevelMeter, semitones) -> None:
    ons, bends, _ = events_by_kind(decoded(Score().note(62, 0.2, 0.8, semitones=semitones), steady_level))
    assert len(ons) == 1
    heard = {b.t: ons[0].pitch + b.cents / 100 for b in bends}
    errors = [abs(pitch - 62 - semitones(t - 0.2)) for t, pitch in heard.items() if t < 0.78]
    assert len(errors) >= 10
    assert np.median(errors) < 0.12


def test_bends_come_about_100_times_a_second_while_the_pitch_moves(steady_level: LevelMeter) -> None:
    _, bends, _ = events_by_kind(decoded(Score().note(62, 0.2, 0.8, semitones=vibrato), steady_level))
    assert 40 <= len(bends) / 0.6 <= 125


def test_a_steady_note_does_not_bend(steady_level: LevelMeter) -> None:
    assert events_by_kind(decoded(Score().note(62.1, 0.2, 0.8), steady_level))[1] == []


def test_a_first_guess_is_corrected_by_bend_within_30_ms(steady_level: LevelMeter) -> None:
    late_sure = lambda t: 0.3 if t < 0.017 else 0.0  # noqa: E731
    ons, bends, _ = events_by_kind(decoded(Score().note(52, 0.2, 0.6, semitones=late_sure), steady_level))
    assert len(ons) == 1
    settled = [b for b in bends if b.t < ons[0].emitted + 0.03]
    assert ons[0].pitch + settled[-1].cents / 100 == pytest.approx(52.0, abs=0.05)


def test_a_hammer_on_is_a_new_note_and_ends_the_old_one(steady_level: LevelMeter) -> None:
    score = Score().note(60, 0.2, 0.5).note(62, 0.5, 0.8)
    ons, _, offs = events_by_kind(decoded(score, steady_level))
    assert [round(n.pitch) for n in ons] == [60, 62]
    assert offs[0].id == 1
    assert offs[0].t < 0.55


def test_the_same_pitch_struck_again_is_two_notes(steady_level: LevelMeter) -> None:
    score = Score().note(60, 0.2, 0.5).note(60, 0.5, 0.8)
    ons, _, offs = events_by_kind(decoded(score, steady_level))
    assert [round(n.pitch) for n in ons] == [60, 60]
    assert offs[0].t == pytest.approx(ons[1].emitted)


def test_an_onset_on_a_bending_note_without_a_release_is_its_bend(steady_level: LevelMeter) -> None:
    score = Score().note(62, 0.2, 0.9, semitones=lambda t: min(1.0, 4 * max(0.0, t - 0.1)))
    for i in range(200, 215):
        score.posteriors[i].onset[63 - 40] = 0.95
    assert len(events_by_kind(decoded(score, steady_level))[0]) == 1


def test_a_chord_is_as_many_notes(steady_level: LevelMeter) -> None:
    score = Score()
    for i, midi in enumerate((45, 52, 57, 61, 64)):
        score.note(midi, 0.2 + 0.01 * i, 0.7)
    ons, _, _ = events_by_kind(decoded(score, steady_level))
    assert sorted(round(n.pitch) for n in ons) == [45, 52, 57, 61, 64]


def test_a_chord_note_with_a_weak_onset_gets_a_second_chance(steady_level: LevelMeter) -> None:
    score = Score().note(45, 0.2, 0.7).note(57, 0.2, 0.7, onset=0.3)
    ons, _, _ = events_by_kind(decoded(score, steady_level))
    assert [round(n.pitch) for n in ons] == [45, 57]
    assert ons[1].emitted - 0.2 < 0.03


def test_a_note_that_rang_before_the_stroke_gets_no_second_chance(steady_level: LevelMeter) -> None:
    score = Score().note(45, 0.5, 0.9).note(57, 0.2, 0.9, onset=0.3, release=False)
    assert [round(n.pitch) for n in events_by_kind(decoded(score, steady_level))[0]] == [45]


def test_an_onset_is_never_dated_later_than_the_note_is_named(steady_level: LevelMeter) -> None:
    score = Score().note(40, 0.01, 0.3).note(88, 0.4, 0.5, release=False).note(64, 0.6, 0.9)
    for note in events_by_kind(decoded(score, steady_level))[0]:
        assert 0 <= note.onset <= note.emitted


def test_a_note_ends_when_the_level_is_gone_whatever_the_net_says() -> None:
    level = LevelMeter()
    decoder = Decoder(40, 49, hop_s=HOP_S, threshold=0.8)
    events: list[HumanEvent] = []
    for i, posterior in enumerate(Score().note(60, 0.2, 1.0).posteriors):
        t = (i + 1) * HOP_S
        level.push(np.full(128, 0.2 if t < 0.4 else 0.0, np.float32) * np.resize([1, -1], 128).astype(np.float32))
        events += decoder.step(posterior, t, level)
    offs = events_by_kind(events)[2]
    assert [round(n.t, 2) for n in offs] == [pytest.approx(0.42, abs=0.02)]


def test_no_note_begins_in_silence_whatever_the_net_says() -> None:
    assert decoded(Score().note(60, 0.2, 0.8), LevelMeter()) == []


def test_a_muted_decoder_says_nothing_and_does_not_make_up_for_it(steady_level: LevelMeter) -> None:
    decoder = Decoder(40, 49, hop_s=HOP_S, threshold=0.8)
    events: list[HumanEvent] = []
    for i, posterior in enumerate(Score().note(60, 0.2, 0.8).posteriors):
        t = (i + 1) * HOP_S
        events += decoder.step(posterior, t, steady_level, muted=t < 0.23)
    assert events == []


def test_random_posteriors_leave_no_note_hanging(steady_level: LevelMeter) -> None:
    rng = np.random.default_rng(3)
    decoder = Decoder(40, 49, hop_s=HOP_S, threshold=0.5)
    events: list[HumanEvent] = []
    for i in range(2000):
        onset, frame = (rng.random(49, np.float32) ** 0.3 for _ in range(2))
        deviation = rng.normal(0, 0.5, 49).astype(np.float32)
        posterior = FakePosterior(onset, frame, deviation, float(rng.random()))
        events += decoder.step(posterior, (i + 1) * HOP_S, steady_level)
    assert len(events_by_kind(events)[0]) > 20
    assert hanging(events + list(decoder.voices.end_all(99.0))) == set()


def test_events_come_in_the_order_of_time(steady_level: LevelMeter) -> None:
    score = Score().note(60, 0.2, 0.5, semitones=vibrato).note(62, 0.5, 0.8, semitones=vibrato).note(67, 0.45, 0.8)
    times = [e.t if isinstance(e, PitchBend | NoteOff) else e.emitted for e in decoded(score, steady_level)]
    assert times == sorted(times)
