from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from improvbox.box import takes
from improvbox.errors import InputFileError, UsageError
from improvbox.events import HumanEvent, Level, NoteOff, NoteOn, PitchBend, PlayedNote
from improvbox.stage import midi


@pytest.fixture
def score(tmp_path: Path) -> Path:
    notes = [
        PlayedNote("human", 1, 0.5, 1.0, 40, 90, 0.5),
        PlayedNote("human", 2, 1.0, 1.5, 76, 90, 1.0, ((0.1, 50.0),)),
    ]
    midi.write(tmp_path / "take.mid", notes)
    return tmp_path / "take.mid"


def test_a_midi_note_is_known_late_by_its_register(score: Path) -> None:
    ons = [h for h in takes.MidiTake(score).heard() if isinstance(h.event, NoteOn)]
    assert [h.known for h in ons] == pytest.approx([0.525, 1.012], abs=1e-3)
    assert [h.event.onset for h in ons if isinstance(h.event, NoteOn)] == pytest.approx([0.5, 1.0], abs=1e-3)


def test_a_given_delay_holds_for_every_event(score: Path) -> None:
    late = {type(h.event): h for h in takes.MidiTake(score, delay_ms=40).heard()}
    on, bend, off = (late[kind] for kind in (NoteOn, PitchBend, NoteOff))
    assert isinstance(on.event, NoteOn) and on.known == on.event.emitted == pytest.approx(on.event.onset + 0.04)
    assert isinstance(bend.event, PitchBend) and bend.known == pytest.approx(bend.event.t + 0.04)
    assert isinstance(off.event, NoteOff) and off.known == pytest.approx(off.event.t + 0.04)


def test_events_come_in_the_order_in_which_they_are_known(score: Path) -> None:
    known = [h.known for h in takes.MidiTake(score).heard()]
    assert known == sorted(known)


@pytest.mark.parametrize("delay", [-1.0, 1001.0, float("nan")])
def test_an_impossible_delay_is_refused(score: Path, delay: float) -> None:
    with pytest.raises(UsageError, match=r"--delay-ms .* must be 0\.\.1000"):
        takes.MidiTake(score, delay)


def test_a_midi_file_without_notes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.mid"
    midi.build([]).save(path)
    with pytest.raises(InputFileError, match="no notes"):
        takes.MidiTake(path)


class TickListener:
    """Hears a note at 0.1 s that it knows 20 ms later, and a level with every block."""

    def __init__(self) -> None:
        self.t = 0.0

    def push(self, samples: np.ndarray) -> list[HumanEvent]:
        before, self.t = self.t, self.t + len(samples) / 48000
        events: list[HumanEvent] = [Level(self.t, -20.0)]
        if before < 0.1 <= self.t:
            events.append(NoteOn(1, 60.0, 80, 0.1, self.t + 0.02))
        return events

    def flush(self) -> list[HumanEvent]:
        return [NoteOff(1, self.t)]


def test_a_sound_file_is_heard_to_its_end_and_time_never_runs_back(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "take.wav", np.zeros(48000), 48000)
    take = takes.WavTake(tmp_path / "take.wav", TickListener())
    heard = list(take.heard())
    known = [h.known for h in heard]
    assert take.duration_s == 1.0
    assert known == sorted(known)
    assert isinstance(heard[-1].event, NoteOff)
    assert [h.known for h in heard if isinstance(h.event, NoteOn)] == [pytest.approx(0.1 + 0.02, abs=2e-3)]


def test_a_missing_sound_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"nowhere\.wav"):
        takes.WavTake(tmp_path / "nowhere.wav", TickListener())
