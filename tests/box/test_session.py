from __future__ import annotations

import math

import pytest
from box_fakes import EchoBand, Tape

from improvbox.box.session import Session
from improvbox.commands import parse
from improvbox.config import Settings
from improvbox.events import Level, NoteOff, NoteOn
from improvbox.hearing.beat import BeatTracker
from improvbox.stage.weaver import Weaver


class Rehearsal:
    """A session around the echo band, driven exactly at its wake times."""

    def __init__(self, tempo_bpm: float = 0.0) -> None:
        self.band, self.tape = EchoBand(), Tape()
        self.session = Session(Settings(), self.band, BeatTracker(tempo_bpm), Weaver([self.tape]), [self.tape])
        self.now = 0.0
        self.session.start(0.0)

    def until(self, t: float) -> None:
        while self.session.next_wake() <= t:
            self.now = max(self.now, self.session.next_wake())
            self.session.advance(self.now)
        self.now = t

    def play(self, t: float, pitch: float = 60.0, id: int = 1) -> None:
        self.until(t)
        self.session.human(NoteOn(id, pitch, 90, t - 0.02, t), t)

    def tell(self, target: str, verb: str, value: object = None) -> bool:
        return self.session.command(parse(target, verb, value, self.now), self.now)


@pytest.fixture
def rehearsal() -> Rehearsal:
    return Rehearsal()


def test_a_note_of_the_human_becomes_a_note_of_the_band(rehearsal: Rehearsal) -> None:
    rehearsal.play(1.0)
    rehearsal.until(2.0)
    assert rehearsal.tape.of("on") == [("bass", 36, pytest.approx(1.1))]
    assert rehearsal.tape.of("off") == [("bass", 36, pytest.approx(1.3))]


def test_the_settings_choose_sounds_and_levels_at_the_start(rehearsal: Rehearsal) -> None:
    assert ("bass", 33) in rehearsal.tape.of("program")
    assert ("high", 0.7) in rehearsal.tape.of("gain")


def test_witnesses_see_what_the_human_does(rehearsal: Rehearsal) -> None:
    off, level = NoteOff(1, 1.5), Level(1.6, -30.0)
    rehearsal.play(1.0)
    rehearsal.session.human(off, 1.5)
    rehearsal.session.human(level, 1.6)
    assert [row[0] for row in rehearsal.tape.of("human")][1:] == [off, level]


def test_a_role_reaches_the_band_at_once(rehearsal: Rehearsal) -> None:
    assert rehearsal.tell("high", "role", "fight")
    assert [(c.target, c.value, t) for c, t in rehearsal.band.told] == [("high", "fight", 0.0)]
    assert rehearsal.tape.of("command") == [("role", 0.0)]


def test_a_level_reaches_the_synth_and_the_band(rehearsal: Rehearsal) -> None:
    rehearsal.tell("all", "level", 0.25)
    assert rehearsal.tape.of("gain")[-4:] == [(part, 0.25) for part in ("bass", "mid", "high", "drums")]
    assert rehearsal.band.told[0][0].verb == "level"


def test_a_sound_is_found_by_name_for_each_player(rehearsal: Rehearsal) -> None:
    rehearsal.tell("mid", "sound", "cello")
    assert rehearsal.tape.of("program")[-1] == ("mid", 42)


def test_a_sound_for_all_goes_to_those_who_have_it(rehearsal: Rehearsal) -> None:
    assert rehearsal.tell("all", "sound", "cello")
    assert rehearsal.tape.of("program")[-3:] == [("bass", 42), ("mid", 42), ("high", 42)]


def test_an_unknown_sound_is_refused_and_changes_nothing(rehearsal: Rehearsal) -> None:
    before = list(rehearsal.tape.rows)
    assert not rehearsal.tell("mid", "sound", "celo")
    assert "did you mean 'cello'" in rehearsal.session.last_refusal
    assert rehearsal.tape.rows == before


def test_panic_ends_what_sounds(rehearsal: Rehearsal) -> None:
    rehearsal.play(1.0)
    rehearsal.until(1.2)
    rehearsal.tell("box", "panic")
    assert rehearsal.tape.of("off") == [("bass", 36, 1.2)]
    assert rehearsal.tape.of("panic") == [(1.2,)]


def test_a_question_for_the_state_is_answered(rehearsal: Rehearsal) -> None:
    rehearsal.tell("box", "state")
    assert rehearsal.tape.of("state") == [({"bass": {"role": "accompany"}, "metered": False}, 0.0)]


def test_beats_are_told_when_they_fall_and_each_only_once() -> None:
    rehearsal = Rehearsal(tempo_bpm=120.0)
    for i in range(8):
        rehearsal.play(0.52 + i * 0.5 + (0.003 if i % 2 else -0.003), id=i + 1)
    rehearsal.until(5.0)
    told = rehearsal.tape.of("beat")
    numbers = [4 * bar + beat for bar, beat, _ in told]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert all(abs(t - 0.5 - n * 0.5) < 0.02 for n, (_, _, t) in zip(numbers, told, strict=True))


def test_free_time_has_no_beats(rehearsal: Rehearsal) -> None:
    rehearsal.play(1.0)
    rehearsal.until(3.0)
    assert rehearsal.tape.of("beat") == []
    assert rehearsal.session.next_wake() == math.inf


def test_plans_are_shown_when_they_change(rehearsal: Rehearsal) -> None:
    rehearsal.play(1.0)
    rehearsal.session.advance(1.0)
    rehearsal.until(2.0)
    assert [(part, n) for part, n, _ in rehearsal.tape.of("plan")] == [("bass", 1), ("bass", 0)]


def test_hold_lets_what_sounds_end_and_begins_nothing(rehearsal: Rehearsal) -> None:
    rehearsal.play(1.0)
    rehearsal.until(1.15)
    rehearsal.session.holding = True
    rehearsal.play(1.2, id=2)
    rehearsal.until(3.0)
    assert len(rehearsal.tape.of("on")) == len(rehearsal.tape.of("off")) == 1
    rehearsal.session.holding = False
    rehearsal.play(3.0, id=3)
    rehearsal.until(4.0)
    assert len(rehearsal.tape.of("on")) == 2


def test_a_thrifty_session_plans_once_for_a_chord(rehearsal: Rehearsal) -> None:
    rehearsal.session.thrifty = True
    for i, t in enumerate((1.0, 1.02, 1.04, 1.2)):
        rehearsal.play(t, id=i + 1)
    assert [event.id for event, _ in rehearsal.band.heard] == [1, 4]
    assert len(rehearsal.tape.of("human")) == 4


def test_stop_ends_every_note_and_closes_the_sinks_once(rehearsal: Rehearsal) -> None:
    rehearsal.play(1.0)
    rehearsal.until(1.2)
    rehearsal.session.stop(1.2)
    rehearsal.session.stop(1.3)
    assert rehearsal.tape.of("off") == [("bass", 36, 1.2)]
    assert rehearsal.tape.closed
