"""Where phrases end."""

from __future__ import annotations

import math

import pytest

from improvbox.memory.phrases import BREATH_S, RING_S, Phrases


def played(iois: list[float]) -> Phrases:
    phrases = Phrases()
    t = 0.0
    phrases.onset(t, True)
    for ioi in iois:
        t += ioi
        phrases.onset(t, True)
    return phrases


def test_a_fast_player_breathes_for_a_quarter_of_a_second() -> None:
    assert played([0.1] * 8).breath_s == BREATH_S


def test_a_slow_player_breathes_one_and_a_half_notes() -> None:
    assert played([0.6] * 8).breath_s == pytest.approx(0.9)


def test_the_phrase_is_over_a_breath_after_the_sound_stops() -> None:
    phrases = played([0.4] * 4)
    phrases.silence(2.0)
    assert phrases.due() == pytest.approx(2.6)
    assert phrases.advance(2.59) is None
    phrase = phrases.advance(2.61)
    assert phrase is not None
    assert (phrase.start, phrase.end, phrase.notes) == (0.0, pytest.approx(2.0), 5)


def test_it_is_over_only_once() -> None:
    phrases = played([0.4] * 4)
    phrases.silence(2.0)
    assert phrases.advance(3.0) is not None
    assert phrases.advance(4.0) is None
    assert math.isinf(phrases.due())


def test_a_note_in_time_keeps_the_phrase_going() -> None:
    phrases = played([0.4] * 4)
    phrases.silence(2.0)
    phrases.onset(2.3, True)
    assert phrases.advance(3.0) is None


def test_a_string_left_ringing_counts_as_silence() -> None:
    phrases = played([0.3] * 4)
    assert phrases.due() == pytest.approx(1.2 + RING_S + 0.45)


def test_the_breath_between_phrases_is_no_inter_onset_interval() -> None:
    phrases = played([0.2] * 3)
    phrases.silence(0.7)
    phrases.advance(5.0)
    assert phrases.onset(6.0, True)
    assert phrases.median_ioi == pytest.approx(0.2)


def test_old_phrases_are_forgotten() -> None:
    phrases = played([0.2] * 3)
    phrases.silence(0.7)
    phrases.advance(5.0)
    phrases.forget(2.0)
    assert not phrases.ended
