from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from box_fakes import EchoBand, Tape

from improvbox.box.offline import TAIL_S, Jam, jam
from improvbox.box.takes import Heard
from improvbox.commands import parse_cue
from improvbox.config import Settings
from improvbox.errors import UsageError
from improvbox.events import Command, NoteOff, NoteOn
from improvbox.hearing.beat import BeatTracker


class Score:
    """A human who plays four notes, known 20 ms late."""

    duration_s = 4.0

    def heard(self) -> Iterator[Heard]:
        for i in range(4):
            yield Heard(i + 0.52, NoteOn(i + 1, 60.0 + i, 90, i + 0.5, i + 0.52))
            yield Heard(i + 0.9, NoteOff(i + 1, i + 0.88))


class Stubborn(EchoBand):
    """A band that always wants to be woken at once."""

    def next_wake(self) -> float:
        return 0.0


def played(band: EchoBand | None = None, cues: Sequence[str] = (), tape: Tape | None = None) -> Jam:
    sinks = [tape] if tape else []
    told = [parse_cue(cue) for cue in cues]
    return jam(Settings(), Score(), band or EchoBand(), BeatTracker(), cues=told, sinks=sinks, witnesses=sinks)


def test_the_band_plays_at_exactly_its_times() -> None:
    bass = [n for n in played().notes if n.part == "bass"]
    assert [n.onset for n in bass] == pytest.approx([i + 0.62 for i in range(4)], abs=1e-9)
    assert [n.offset for n in bass] == pytest.approx([i + 0.82 for i in range(4)], abs=1e-9)


def test_the_human_is_on_record_too() -> None:
    human = [n for n in played().notes if n.part == "human"]
    assert [(n.id, n.onset, n.offset) for n in human] == [(i + 1, i + 0.5, i + 0.88) for i in range(4)]


def test_a_session_lasts_as_long_as_the_take_and_its_tail() -> None:
    assert played().duration_s == 4.0 + TAIL_S


def test_nothing_hangs_at_the_end() -> None:
    tape = Tape()
    assert played(tape=tape).hanging == 0
    assert len(tape.of("on")) == len(tape.of("off")) == 4
    assert tape.closed


def test_cues_come_at_their_moment_and_in_order() -> None:
    band = EchoBand()
    result = played(band, ["2.5:high:fight", "0:bass:rest", "2.5:mid:density=0.8"])
    told = [(c.target, c.verb, c.value, t) for c, t in band.told]
    assert told == [("bass", "role", "rest", 0.0), ("high", "role", "fight", 2.5), ("mid", "density", 0.8, 2.5)]
    assert [c.t for c in result.commands] == [0.0, 2.5, 2.5]


def test_a_cue_after_the_end_is_refused_before_anything_is_played() -> None:
    band = EchoBand()
    with pytest.raises(UsageError, match=r"cue at 60 s comes after the end of the take \(4\.00 s\)"):
        played(band, ["60:bass:rest"])
    assert band.heard == []


def test_an_unknown_sound_in_a_cue_is_an_error() -> None:
    with pytest.raises(UsageError, match="did you mean 'cello'"):
        played(cues=["1:mid:sound=celo"])


def test_a_session_that_always_wants_to_be_woken_still_ends() -> None:
    assert len([n for n in played(Stubborn()).notes if n.part == "bass"]) == 4


def test_progress_is_told_in_virtual_time() -> None:
    seen: list[float] = []
    jam(Settings(), Score(), EchoBand(), BeatTracker(), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(3.9)


def test_a_command_is_a_value_that_sorts_by_its_time_only() -> None:
    cues = [Command("bass", "role", "rest", 1.0), Command("bass", "density", 0.1, 1.0)]
    band = EchoBand()
    jam(Settings(), Score(), band, BeatTracker(), cues=cues)
    assert [c.verb for c, _ in band.told] == ["role", "density"]
