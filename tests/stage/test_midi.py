"""MIDI files: the band on its channels, the human bending one voice at a time."""

from __future__ import annotations

from pathlib import Path

import mido
import pytest

from improvbox.errors import InputFileError
from improvbox.events import PlayedNote
from improvbox.stage import midi


def human(id_: int, on: float, off: float, pitch: float, curve: tuple = ()) -> PlayedNote:
    return PlayedNote("human", id_, on, off, pitch, 80, on, curve)


def band(part: str, id_: int, on: float, off: float, pitch: int) -> PlayedNote:
    return PlayedNote(part, id_, on, off, pitch, 90, on)


def messages(file: mido.MidiFile, name: str) -> list[mido.Message]:
    track = next(t for t in file.tracks if t.name == name)
    return [m for m in track if not m.is_meta]


def test_each_part_that_plays_has_its_track() -> None:
    file = midi.build([band("bass", 1, 0, 1, 40), band("drums", 2, 0, 1, 36), human(1, 0, 1, 60)])
    assert [t.name for t in file.tracks] == ["", "human", "bass", "drums"]


@pytest.mark.parametrize(
    ("part", "channel", "program"), [("bass", 0, 33), ("mid", 1, 4), ("high", 2, 11), ("drums", 9, 0)]
)
def test_a_part_has_its_channel_and_program(part: str, channel: int, program: int) -> None:
    sent = messages(midi.build([band(part, 1, 0, 1, 40)]), part)
    assert {m.channel for m in sent} == {channel}
    assert [m.program for m in sent if m.type == "program_change"] == [program]


def test_a_given_program_is_used() -> None:
    sent = messages(midi.build([band("bass", 1, 0, 1, 40)], {"bass": 38}), "bass")
    assert sent[0].program == 38


def test_times_survive_within_a_tick(tmp_path: Path) -> None:
    played = [human(1, 0.1234, 0.987, 60.0), human(2, 1.5, 2.25, 62.0)]
    midi.write(tmp_path / "a.mid", played, tempo_bpm=97.0)
    back = midi.read(tmp_path / "a.mid")
    assert [n.onset for n in back] == pytest.approx([0.1234, 1.5], abs=3e-4)
    assert [n.offset for n in back] == pytest.approx([0.987, 2.25], abs=3e-4)


def test_a_bend_survives_within_a_cent(tmp_path: Path) -> None:
    midi.write(tmp_path / "a.mid", [human(1, 0.0, 2.0, 64.3, ((0.5, 100.0), (1.0, 200.0)))])
    (back,) = midi.read(tmp_path / "a.mid")
    assert back.pitch == pytest.approx(64.3, abs=0.002)
    assert [c for _, c in back.curve] == pytest.approx([100.0, 200.0], abs=0.2)


def test_voices_that_sound_together_have_channels_of_their_own() -> None:
    sent = messages(midi.build([human(i, 0.0, 2.0, 60.0 + i) for i in range(6)]), "human")
    assert len({m.channel for m in sent if m.type == "note_on"}) == 6


def test_the_human_never_takes_a_channel_of_the_band() -> None:
    sent = messages(midi.build([human(i, 0.0, 2.0, 40.0 + i) for i in range(20)]), "human")
    assert not {m.channel for m in sent} & {0, 1, 2, 9}


@pytest.mark.parametrize("voices", [1, 12, 13, 30])
def test_every_note_ends_once_and_before_the_next_on_its_channel(voices: int) -> None:
    sent = messages(midi.build([human(i, 0.1 * i, 9.0, 40.0 + i, ((1.0, 30.0),)) for i in range(voices)]), "human")
    sounding: dict[int, int] = {}
    for m in sent:
        if m.type == "note_on":
            assert m.channel not in sounding
            sounding[m.channel] = m.note
        elif m.type == "note_off":
            assert sounding.pop(m.channel) == m.note
    assert not sounding


def test_the_bend_range_of_every_voice_is_twelve() -> None:
    sent = messages(midi.build([human(1, 0, 1, 60), human(2, 0, 1, 64)]), "human")
    assert [m.value for m in sent if m.type == "control_change" and m.control == 6] == [12, 12]


def test_a_drum_struck_again_ends_first() -> None:
    sent = messages(midi.build([band("drums", 1, 0.0, 1.0, 36), band("drums", 2, 0.5, 1.5, 36)]), "drums")
    assert [m.type for m in sent if m.type.startswith("note")] == ["note_on", "note_off", "note_on", "note_off"]


def test_a_file_without_notes_is_refused(tmp_path: Path) -> None:
    midi.write(tmp_path / "a.mid", [])
    with pytest.raises(InputFileError, match=r"a\.mid: no notes in it"):
        midi.read(tmp_path / "a.mid")


def test_percussion_is_no_melody(tmp_path: Path) -> None:
    midi.write(tmp_path / "a.mid", [band("drums", 1, 0, 1, 36)])
    with pytest.raises(InputFileError, match="no notes"):
        midi.read(tmp_path / "a.mid")


@pytest.mark.parametrize("content", [b"", b"RIFFxxxx", b"MThd\x00\x00\x00\x06\x00\x01\x00\x01"])
def test_what_is_not_midi_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mid").write_bytes(content)
    with pytest.raises(InputFileError, match=r"a\.mid"):
        midi.read(tmp_path / "a.mid")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="No such file"):
        midi.read(tmp_path / "absent.mid")


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, full_disk: None) -> None:
    path = tmp_path / "a.mid"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="No space left"):
        midi.write(path, [human(1, 0, 1, 60)])
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
