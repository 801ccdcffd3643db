"""What the band makes of what it hears."""

from __future__ import annotations

import pytest

from improvbox.band.ear import Ear
from improvbox.events import NoteOff, NoteOn, PlannedNote
from improvbox.memory.context import Memory
from improvbox.tempo import Grid

SCALE = [60, 62, 64, 65, 67, 69, 71, 72]


def ear_of(keys: list[int], step: float = 0.5, grid: Grid | None = None, **kw: str) -> Ear:
    memory = Memory()
    ear = Ear(memory, **kw)
    for i, key in enumerate(keys):
        on = i * step
        memory.hear(NoteOn(i + 1, float(key), 80, on, on + 0.02))
        ear.human_note(key, 80, on, grid)
        memory.hear(NoteOff(i + 1, on + 0.9 * step))
    return ear


@pytest.mark.parametrize(("centre", "band"), [(42, "bass"), (58, "mid"), (76, "high")])
def test_the_humans_band_follows_their_register(centre: int, band: str) -> None:
    assert ear_of([centre + d for d in (0, 2, 4, 2, 0, -1)]).band == band


def test_the_humans_band_does_not_flicker_at_a_bound() -> None:
    ear = ear_of([60] * 12 + [66, 67, 67, 66, 67, 67, 66, 67])
    assert ear.band == "mid"
    assert ear_of([60] * 12 + [74] * 14).band == "high"


def test_a_set_band_stands() -> None:
    assert ear_of([76] * 12, band="bass").band == "bass"


def test_the_key_is_found() -> None:
    assert ear_of([*SCALE, *reversed(SCALE), 60, 64, 67, 60]).tonic() == (0, False)
    minor = [57, 59, 60, 62, 64, 65, 64, 62, 60, 59, 57, 64, 57]
    assert ear_of(minor).tonic() == (9, True)


def test_the_scale_is_what_was_played() -> None:
    scale = ear_of([*SCALE, *SCALE]).scale()
    assert [pc for pc in range(12) if scale[pc]] == [0, 2, 4, 5, 7, 9, 11]


def test_the_next_note_is_expected_nearby_and_in_the_scale() -> None:
    ear = ear_of([*SCALE, 71, 69, 67, 65, 64, 62, 60, 62])
    expected = ear.expected(8.0, stays=0.2)
    assert expected.sum() == pytest.approx(1.0)
    assert expected[4] > expected[6]
    assert expected[0] > expected[1]


def test_a_pitch_beside_the_humans_is_a_risk() -> None:
    risk = ear_of([60, 62, 64, 60]).risk(2.0, stays=0.8)
    assert risk[1] > 0.7
    assert risk[6] > 0.7
    assert risk[7] < 0.3


def test_a_member_of_the_humans_chord_is_no_great_risk() -> None:
    memory = Memory()
    ear = Ear(memory)
    for id, key in enumerate((55, 59, 62, 65), 1):  # a dominant seventh, with a tritone in it
        memory.hear(NoteOn(id, float(key), 80, 0.01 * id, 0.02))
        ear.human_note(key, 80, 0.01 * id, None)
    assert ear.chord(0.1) == [2, 5, 7, 11]
    risk = ear.risk(0.1, stays=0.8)
    assert max(risk[[2, 5, 7, 11]]) < 0.4
    assert min(risk[[0, 1, 4, 6, 8]]) > 0.7


def test_a_view_tells_the_line_and_its_pace() -> None:
    view = ear_of(SCALE, step=0.4).view("human", 3.2)
    assert (view.key, view.interval, view.notes) == (72, 1, 8)
    assert view.ioi == pytest.approx(0.4)
    assert view.classes is not None
    assert view.classes.max() == 1.0


def test_a_players_notes_are_in_view_when_committed() -> None:
    memory = Memory()
    ear = Ear(memory)
    memory.play(PlannedNote("bass", 1, 1.0, 0.5, 40, 90), 0.96)
    ear.changed("bass")
    view = ear.view("bass", 0.97)
    assert (view.key, view.onset, view.end) == (40, 1.0, 1.5)


def test_where_in_the_beat_the_human_plays_is_known() -> None:
    grid = Grid(60.0)
    off_beats = ear_of([60] * 10, step=1.0, grid=Grid(60.0, origin=0.5))
    assert off_beats.phases.argmax() == 6
    swung = Ear(Memory())
    for beat in range(12):
        swung.human_note(60, 80, float(beat), grid)
        swung.human_note(62, 80, beat + 2 / 3, grid)
    assert swung.triple
    assert not off_beats.triple
