"""Sounding notes: ids, curves, ends."""

from __future__ import annotations

import pytest

from improvbox.events import NoteOff
from improvbox.hearing.voices import Voices


def one_note() -> tuple[Voices, int]:
    voices = Voices()
    return voices, voices.start(60.0, 90, 1.0, 1.02, -10.0).id


def test_ids_count_from_1_and_are_never_used_twice() -> None:
    voices = Voices()
    ids = []
    for i in range(3):
        ids.append(voices.start(60.0 + i, 90, i, i, -10.0).id)
        voices.end_all(i + 0.5)
    assert ids == [1, 2, 3]


def test_a_move_of_less_than_3_cents_is_not_told() -> None:
    voices, id_ = one_note()
    assert voices.move(voices.sounding[id_], 60.02, 1.1) is None


def test_a_slow_glide_is_told_in_steps_of_3_cents() -> None:
    voices, id_ = one_note()
    bends = [voices.move(voices.sounding[id_], 60 + i / 1000, 1.1 + i / 100) for i in range(100)]
    assert [round(b.cents, 3) for b in bends if b] == pytest.approx([3.0 * n for n in range(1, 4)])


def test_a_fast_glide_is_told_at_most_125_times_a_second() -> None:
    voices, id_ = one_note()
    bends = [voices.move(voices.sounding[id_], 60 + i / 100, 1.1 + i / 1000) for i in range(200)]
    assert 20 <= sum(b is not None for b in bends) <= 25


def test_a_note_never_ends_before_it_was_named() -> None:
    voices, id_ = one_note()
    assert voices.end(voices.sounding[id_], 0.5) == NoteOff(id_, 1.02)


def test_all_notes_end_at_once() -> None:
    voices = Voices()
    for pitch in (40.0, 47.0, 52.0):
        voices.start(pitch, 90, 0.0, 0.02, -10.0)
    assert voices.end_all(2.0) == [NoteOff(1, 2.0), NoteOff(2, 2.0), NoteOff(3, 2.0)]
    assert voices.sounding == {}
