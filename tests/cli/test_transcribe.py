"""`improvbox transcribe`: files in, notes out, errors in one line."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

from improvbox.cli import main
from improvbox.stage import notes as note_files

RATE_HZ = 48_000
LINE = (45, 52, 57, 60)  # MIDI, half a second each, after 0.2 s


def line(rate_hz: int) -> np.ndarray:
    """Plucked notes of eight partials."""
    t = np.arange(rate_hz // 2) / rate_hz
    pieces = [np.zeros(rate_hz // 5)]
    for midi in LINE:
        f0 = 440 * 2 ** ((midi - 69) / 12)
        partials = [n for n in range(1, 9) if n * f0 < rate_hz / 2.5]
        pieces.append(sum(np.sin(2 * np.pi * n * f0 * t + n) / n * np.exp(-t * (2 + n)) for n in partials))
    sound = np.concatenate([*pieces, np.zeros(rate_hz // 5)])
    return 0.4 * sound / np.abs(sound).max()


def write(path: Path, rate_hz: int = RATE_HZ, channels: int = 1, **kind: str) -> Path:
    soundfile.write(path, np.repeat(line(rate_hz)[:, None], channels, axis=1), rate_hz, **kind)
    return path


@pytest.fixture
def take(tmp_path: Path) -> Path:
    return write(tmp_path / "take.wav")


def keys(path: Path) -> list[int]:
    return [round(note.pitch) for note in note_files.read(path)]


@pytest.mark.parametrize(
    ("name", "rate_hz", "channels", "kind"),
    [
        ("a.wav", 48000, 1, {"subtype": "PCM_16"}),
        ("a.wav", 44100, 2, {"subtype": "PCM_24"}),
        ("a.wav", 96000, 1, {"subtype": "FLOAT"}),
        ("a.wav", 8000, 1, {"subtype": "PCM_16"}),
        ("a.flac", 48000, 6, {}),
        ("a.ogg", 44100, 1, {}),
    ],
)
def test_any_sound_file_gives_its_notes(tmp_path: Path, name: str, rate_hz: int, channels: int, kind: dict) -> None:
    take, out = write(tmp_path / name, rate_hz, channels, **kind), tmp_path / "out.jsonl"
    assert main.main(["transcribe", str(take), "--model", "dsp", "--notes", str(out)]) == 0
    assert keys(out) == list(LINE)


def test_the_model_hears_the_line(take: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert main.main(["transcribe", str(take), "--notes", str(out)]) == 0
    assert set(keys(out)) >= set(LINE)


def test_emitted_is_after_the_onset_and_holds_the_compute(take: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    main.main(["transcribe", str(take), "--model", "dsp", "--notes", str(out)])
    for note in note_files.read(out):
        assert 0.003 < note.emitted - note.onset < 0.1
        assert note.emitted * RATE_HZ / 128 % 1 != 0


def test_midi_has_a_bend_range_of_12_and_the_notes(take: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mid"
    main.main(["transcribe", str(take), "--model", "dsp", "--midi", str(out)])
    messages = [m for track in mido.MidiFile(out).tracks for m in track]
    assert [m.note for m in messages if m.type == "note_on" and m.velocity] == list(LINE)
    data_entries = {m.value for m in messages if m.type == "control_change" and m.control == 6}
    assert data_entries == {12}


def test_osc_carries_every_note_and_its_end(tmp_path: Path) -> None:
    from pythonosc.osc_message import OscMessage

    take = tmp_path / "short.wav"
    soundfile.write(take, line(RATE_HZ)[: RATE_HZ * 3 // 4], RATE_HZ)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(0.2)
        to = f"127.0.0.1:{receiver.getsockname()[1]}"
        assert main.main(["transcribe", str(take), "--model", "dsp", "--osc", to]) == 0
        got = []
        try:
            while True:
                got.append(OscMessage(receiver.recv(2048)))
        except TimeoutError:
            pass
    on = [m.params for m in got if m.address == "/improvbox/note"]
    off = [m.params for m in got if m.address == "/improvbox/note/off"]
    assert [(p[0], p[1]) for p in on] == [(p[0], p[1]) for p in off] == [("human", 1), ("human", 2)]


def test_json_prints_the_notes(take: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main.main(["transcribe", str(take), "--model", "dsp", "--json"])
    (heard,) = json.loads(capsys.readouterr().out)
    assert [round(n["pitch"]) for n in heard["notes"]] == list(LINE)
    assert heard["mode"] == "dsp"
    assert heard["duration_s"] == pytest.approx(2.4, abs=0.003)


def test_without_a_file_the_notes_are_printed_by_name(take: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main.main(["transcribe", str(take), "--model", "dsp"])
    printed = capsys.readouterr().out
    assert [row.split()[4] for row in printed.splitlines()[:-1]] == ["A2", "E3", "A3", "C4"]
    assert "4 notes in 2.4 s" in printed


def test_several_takes_go_into_a_folder(tmp_path: Path) -> None:
    takes = [str(write(tmp_path / name)) for name in ("one.wav", "two.flac")]
    out = tmp_path / "out"
    out.mkdir()
    assert main.main(["transcribe", *takes, "--model", "dsp", "--notes", str(out), "--midi", str(out)]) == 0
    assert sorted(p.name for p in out.iterdir()) == ["one.jsonl", "one.mid", "two.jsonl", "two.mid"]


def test_silence_gives_an_empty_file(tmp_path: Path) -> None:
    take, out = tmp_path / "silence.wav", tmp_path / "out.jsonl"
    soundfile.write(take, np.zeros(RATE_HZ), RATE_HZ)
    assert main.main(["transcribe", str(take), "--model", "dsp", "--notes", str(out)]) == 0
    assert out.read_text() == ""


def not_there(folder: Path) -> list[str]:
    return [str(folder / "nothing.wav")]


def no_frames(folder: Path) -> list[str]:
    soundfile.write(folder / "empty.wav", np.zeros(0), RATE_HZ)
    return [str(folder / "empty.wav")]


def no_sound(folder: Path) -> list[str]:
    (folder / "text.wav").write_text("not a sound")
    return [str(folder / "text.wav")]


def one_of_two_is_missing(folder: Path) -> list[str]:
    return [str(write(folder / "a.wav")), str(folder / "b.wav"), "--notes", str(folder)]


def two_takes_one_file(folder: Path) -> list[str]:
    return [str(write(folder / "a.wav")), str(write(folder / "b.wav")), "--notes", str(folder / "n.jsonl")]


def no_folder(folder: Path) -> list[str]:
    return [str(write(folder / "a.wav")), "--notes", str(folder / "nowhere" / "n.jsonl")]


def no_port(folder: Path) -> list[str]:
    return [str(write(folder / "a.wav")), "--osc", "127.0.0.1"]


def no_channel(folder: Path) -> list[str]:
    return [str(write(folder / "a.wav")), "--channel", "3"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (not_there, "nothing.wav: is not there"),
        (no_frames, "empty.wav: holds 0 frames"),
        (no_sound, "text.wav: not a sound file"),
        (one_of_two_is_missing, "b.wav: is not there"),
        (two_takes_one_file, "2 takes need a folder"),
        (no_folder, "nowhere does not exist"),
        (no_port, "--osc '127.0.0.1' is not HOST:PORT"),
        (no_channel, "has no channel 3; it has 1..1"),
    ],
)
def test_bad_input_is_one_line_exit_2_and_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments, says: str
) -> None:
    given = arguments(tmp_path)
    before = sorted(tmp_path.iterdir())
    assert main.main(["transcribe", "--model", "dsp", *given]) == 2
    error = capsys.readouterr().err
    assert error.startswith("improvbox: ")
    assert error.count("\n") == 1
    assert says in error
    assert sorted(tmp_path.iterdir()) == before


def test_an_unknown_model_names_those_that_there_are(take: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["transcribe", str(take), "--model", "pitch-v9"]) == 1
    assert "did you mean 'pitch-v1'?" in capsys.readouterr().err


def test_a_full_disk_leaves_no_half_of_a_file(
    take: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    out = tmp_path / "out.jsonl"
    assert main.main(["transcribe", str(take), "--model", "dsp", "--notes", str(out)]) == 1
    assert "No space left on device" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["take.wav"]


def test_the_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["transcribe", "--help"]) == 0
    assert "example:\n  improvbox transcribe take.wav --notes" in capsys.readouterr().out
