"""The recorder: everything on disk, nothing in the way of the music, a full disk included."""

from __future__ import annotations

import errno
import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import mido
import pytest

from improvbox.clock import Stopwatch, sleep_s
from improvbox.events import Command, NoteOff, NoteOn, PitchBend, PlannedNote
from improvbox.stage import notes, recorder
from improvbox.stage.recorder import COMMANDS, MIDI, NOTES, Recorder

NOTE = PlannedNote("mid", 5, 1.0, 0.5, 60, 90)


@pytest.fixture
def made(tmp_path: Path) -> Recorder:
    made = Recorder(tmp_path / "jam")
    made.start()
    return made


def test_a_note_is_kept_as_it_sounded_not_as_it_was_planned(made: Recorder) -> None:
    made.note_on(NOTE, 1.02)
    made.note_off("mid", 5, 60, 1.3)
    made.close()
    (kept,) = notes.read(made.folder / NOTES)
    assert (kept.part, kept.id, kept.onset, kept.offset, kept.emitted) == ("mid", 5, 1.02, 1.3, 1.02)


def test_the_human_is_kept_with_bends(made: Recorder) -> None:
    made.human(NoteOn(1, 64.25, 80, 1.0, 1.015), 1.02)
    made.human(PitchBend(1, 50.0, 1.2), 1.21)
    made.human(NoteOff(1, 1.5), 1.51)
    made.close()
    (kept,) = notes.read(made.folder / NOTES)
    assert (kept.part, kept.pitch, kept.emitted, kept.curve) == ("human", 64.25, 1.015, ((0.2, 50.0),))


def test_notes_end_up_in_the_order_emitted(made: Recorder) -> None:
    made.note_on(PlannedNote("bass", 1, 1.0, 3.0, 40, 90), 1.0)
    made.note_on(NOTE, 2.0)
    made.note_off("mid", 5, 60, 2.5)
    made.note_off("bass", 1, 40, 4.0)
    made.close()
    assert [json.loads(line)["id"] for line in (made.folder / NOTES).read_text().splitlines()] == [1, 5]


def test_what_still_sounds_is_ended_at_the_close(made: Recorder) -> None:
    made.note_on(NOTE, 1.0)
    made.human(NoteOn(1, 64.0, 80, 1.5, 1.52), 1.52)
    made.close()
    assert [n.offset for n in notes.read(made.folder / NOTES)] == [1.52, 1.52]


def test_the_band_is_a_midi_file_with_the_sounds_it_had(made: Recorder) -> None:
    made.program("mid", 16)
    made.note_on(NOTE, 1.0)
    made.note_off("mid", 5, 60, 1.5)
    made.close()
    track = mido.MidiFile(made.folder / MIDI).tracks[1]
    assert track.name == "mid"
    assert [m.program for m in track if m.type == "program_change"] == [16]


def test_commands_are_kept(made: Recorder) -> None:
    made.command(Command("bass", "for", ("human", "mid"), 3.0, "footswitch"), 3.001)
    made.close()
    assert json.loads((made.folder / COMMANDS).read_text()) == {
        "t": 3.0,
        "target": "bass",
        "verb": "for",
        "value": ["human", "mid"],
        "source": "footswitch",
    }


def test_a_session_without_notes_leaves_an_empty_folder(made: Recorder) -> None:
    made.close()
    assert list(made.folder.iterdir()) == []


def test_a_full_disk_is_said_once_and_the_music_goes_on(
    made: Recorder, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made.note_on(NOTE, 1.0)
    made.note_off("mid", 5, 60, 1.5)
    wait_for(made, 1)
    written = (made.folder / NOTES).read_bytes()
    real, half = os.write, []

    def full(handle: int, data: bytes) -> int:
        if not half:  # the disk takes a part of the line, then no more
            half.append(real(handle, data[:10]))
            return 10
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with caplog.at_level(logging.WARNING), monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        for _ in range(100):
            made.note_on(NOTE, 2.0)
            made.note_off("mid", 5, 60, 2.5)
        made.close()
    assert "No space left on device; free some space; recording stopped, playing goes on" in made.problem
    assert made.lost == 100
    assert len(caplog.records) == 1
    assert (made.folder / NOTES).read_bytes() == written
    assert notes.read(made.folder / NOTES)


def test_a_real_full_disk_is_survived() -> None:
    made = Recorder(Path("/dev/full/jam"))
    made.start()
    made.note_on(NOTE, 1.0)
    made.note_off("mid", 5, 60, 1.5)
    made.close()
    assert "recording stopped" in made.problem


def test_a_disk_that_fills_while_the_midi_is_written_keeps_the_notes(made: Recorder, full_disk: None) -> None:
    made.note_on(NOTE, 1.0)
    made.note_off("mid", 5, 60, 1.5)
    made.close()
    assert "No space left" in made.problem
    assert len(notes.read(made.folder / NOTES)) == 1
    assert not list(made.folder.glob("*.part"))


def test_a_slow_disk_holds_nobody_up(made: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: (sleep_s(0.02), real(handle, data))[1])
    watch = Stopwatch()
    for _ in range(25):
        made.note_on(NOTE, 1.0)
        made.note_off("mid", 5, 60, 1.5)
    assert watch.elapsed_s() < 0.25
    made.close()
    assert len(notes.read(made.folder / NOTES)) == 25


def test_a_killed_process_loses_no_finished_note(tmp_path: Path) -> None:
    script = f"""
import os, pathlib, time
from improvbox.events import PlannedNote
from improvbox.stage.recorder import Recorder
made = Recorder(pathlib.Path({str(tmp_path / "jam")!r}))
made.start()
for id in range(50):
    made.note_on(PlannedNote("mid", id, 1.0, 0.5, 60, 90), 1.0)
    made.note_off("mid", id, 60, 1.5)
made.note_on(PlannedNote("mid", 99, 1.0, 0.5, 60, 90), 1.0)
path = made.folder / "notes.jsonl"
while not path.exists() or path.read_bytes().count(b"\\n") < 50:
    time.sleep(0.01)
os.kill(os.getpid(), 9)
"""
    ended = subprocess.run([sys.executable, "-c", script], check=False, timeout=60)
    assert ended.returncode == -9
    assert [n.id for n in recorder.recover(tmp_path / "jam")] == list(range(50))


def test_a_line_torn_by_a_power_cut_is_dropped(made: Recorder) -> None:
    made.note_on(NOTE, 1.0)
    made.note_off("mid", 5, 60, 1.5)
    made.close()
    with (made.folder / NOTES).open("a") as stream:
        stream.write('{"part":"mid","i')
    assert len(recorder.recover(made.folder)) == 1


def test_sessions_of_the_same_second_have_folders_of_their_own(tmp_path: Path) -> None:
    first = recorder.new_folder(tmp_path)
    first.mkdir()
    second = recorder.new_folder(tmp_path)
    assert first != second
    assert second.parent == tmp_path


def wait_for(made: Recorder, lines: int) -> None:
    for _ in range(1000):
        if (made.folder / NOTES).exists() and (made.folder / NOTES).read_bytes().count(b"\n") >= lines:
            return
        sleep_s(0.005)
    raise AssertionError("nothing was written in 5 s")
