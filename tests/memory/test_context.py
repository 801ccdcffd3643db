"""The rolling context of all parts."""

from __future__ import annotations

from improvbox.events import NoteOff, NoteOn, PitchBend, PlannedNote
from improvbox.memory.context import MAX_CURVE, Memory


def human(memory: Memory, id: int, pitch: float, onset: float, offset: float | None = None) -> None:
    memory.hear(NoteOn(id, pitch, 80, onset, onset + 0.02))
    if offset is not None:
        memory.hear(NoteOff(id, offset))


def test_a_bend_is_one_note_with_a_curve() -> None:
    memory = Memory()
    human(memory, 1, 64.0, 1.0)
    memory.hear(PitchBend(1, 38.0, 1.12))
    memory.hear(NoteOff(1, 2.0))
    (note,) = memory.take_finished()
    assert (note.part, note.pitch, note.onset, note.offset, note.emitted) == ("human", 64.0, 1.0, 2.0, 1.02)
    assert note.curve == ((1.12 - 1.0, 38.0),)


def test_finished_notes_are_taken_once() -> None:
    memory = Memory()
    human(memory, 1, 64.0, 1.0, 1.5)
    assert len(memory.take_finished()) == 1
    assert memory.take_finished() == []


def test_a_player_is_monophonic() -> None:
    memory = Memory()
    memory.play(PlannedNote("bass", 1, 1.0, 2.0, 40, 80), 0.96)
    memory.play(PlannedNote("bass", 2, 1.5, 1.0, 43, 80), 1.46)
    assert [n.key for n in memory.sounding("bass", 1.6)] == [43]
    (first,) = memory.take_finished()
    assert (first.onset, first.offset) == (1.0, 1.5)


def test_a_players_note_ends_when_its_time_is_over() -> None:
    memory = Memory()
    memory.play(PlannedNote("high", 1, 1.0, 0.5, 70, 80), 0.96)
    memory.advance(1.4)
    assert memory.take_finished() == []
    memory.advance(1.6)
    assert memory.take_finished()[0].offset == 1.5


def test_a_human_chord_sounds_lowest_first() -> None:
    memory = Memory()
    for id, pitch in ((1, 64.0), (2, 52.0), (3, 59.0)):
        human(memory, id, pitch, 1.0)
    assert [n.key for n in memory.sounding("human", 1.1)] == [52, 59, 64]


def test_a_guitar_out_of_tune_finds_its_keys() -> None:
    memory = Memory()
    for id in range(40):
        human(memory, id + 1, 60.45 + id % 5, 0.3 * id, 0.3 * id + 0.2)
    assert memory.tuning > 0.3
    human(memory, 99, 62.55, 20.0)
    latest = memory.latest("human")
    assert latest is not None
    assert latest.key == 62


def test_the_humans_phrases_are_followed() -> None:
    memory = Memory()
    for id in range(4):
        human(memory, id + 1, 60.0, 0.4 * id, 0.4 * id + 0.3)
    assert memory.phrases.advance(1.6) is None
    phrase = memory.phrases.advance(2.2)
    assert phrase is not None
    assert phrase.notes == 4


def test_memory_is_bounded_by_its_horizon() -> None:
    memory = Memory(horizon_s=30.0)
    for id in range(1000):
        t = 0.2 * id
        human(memory, id + 1, 50.0 + id % 20, t, t + 0.1)
        memory.play(PlannedNote("bass", id + 1, t, 0.1, 40, 80), t)
        memory.advance(t)
        memory.take_finished()
    assert memory.count() <= 2 * (30 / 0.2 + 2)
    assert len(memory.line) <= 30 / 0.2 + 2


def test_a_curve_is_bounded() -> None:
    memory = Memory()
    human(memory, 1, 64.0, 0.0)
    for i in range(1000):
        memory.bend("human", 1, 1.0, 0.01 * i)
    memory.note_off("human", 1, 11.0)
    assert len(memory.take_finished()[0].curve) == MAX_CURVE


def test_the_rate_counts_onsets_of_the_last_seconds() -> None:
    memory = Memory()
    for id in range(40):
        human(memory, id + 1, 60.0, 0.25 * id)
    assert memory.rate("human", 10.0, 4.0) == 4.0
