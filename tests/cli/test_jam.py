from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from improvbox.cli.main import main
from improvbox.events import PlayedNote
from improvbox.stage import midi, notes

LINE = (57, 60, 64, 67, 69, 67, 64, 60) * 3
SILENT_BAND = [arg for band in ("bass", "mid", "high") for arg in ("--cue", f"0:{band}:rest")]


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """Six seconds of eighths at 120 beats a minute."""
    played = [PlayedNote("human", i + 1, i * 0.25, i * 0.25 + 0.24, p, 90, i * 0.25) for i, p in enumerate(LINE)]
    midi.write(tmp_path / "take.mid", played)
    return tmp_path / "take.mid"


def jam(take: Path, *arguments: str) -> list[PlayedNote]:
    out = take.parent / "notes.jsonl"
    assert main(["jam", str(take), "--tempo", "120", "--notes", str(out), *arguments]) == 0
    return notes.read(out)


def test_the_band_plays_along_with_a_midi_take(take: Path) -> None:
    parts = {note.part for note in jam(take)}
    assert parts == {"human", "bass", "mid", "high"}


def test_the_same_seed_gives_the_same_file_and_another_seed_another(take: Path) -> None:
    jam(take, "--seed", "7")
    first = (take.parent / "notes.jsonl").read_bytes()
    jam(take, "--seed", "7")
    assert (take.parent / "notes.jsonl").read_bytes() == first
    jam(take, "--seed", "8")
    assert (take.parent / "notes.jsonl").read_bytes() != first


def test_a_band_at_rest_from_the_start_plays_nothing(take: Path) -> None:
    assert {note.part for note in jam(take, *SILENT_BAND)} == {"human"}


def test_the_human_is_known_as_late_as_hearing_would_be(take: Path) -> None:
    late = [n.emitted - n.onset for n in jam(take, *SILENT_BAND, "--delay-ms", "30")]
    assert late == pytest.approx([0.03] * len(late), abs=1e-4)


def test_every_output_is_written_and_named(take: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mid, wav, png = (take.parent / f"out.{kind}" for kind in ("mid", "wav", "png"))
    jam(take, "--midi", str(mid), "--wav", str(wav), "--roll", str(png), "--cue", "3:high:fight", "--json")
    summary = json.loads(capsys.readouterr().out)
    assert summary["written"]["midi"] == str(mid)
    assert summary["notes"]["human"] == len(LINE)
    assert {n.part for n in midi.read(mid)} == {"human"}  # read as one player's
    assert png.read_bytes().startswith(b"\x89PNG")
    sound, rate = soundfile.read(wav)
    assert (rate, sound.shape[1]) == (48000, 2)
    assert len(sound) == round(summary["seconds"] * 48000)
    assert 0.02 < np.abs(sound).max() <= 1.0


def test_a_sound_file_is_heard_and_answered(tmp_path: Path) -> None:
    t = np.arange(24000) / 48000
    tone = 0.3 * np.exp(-3 * t) * sum(np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, 8))
    soundfile.write(tmp_path / "take.wav", np.tile(tone, 4), 48000)
    settings = tmp_path / "settings.toml"
    settings.write_text('[hearing]\nmodel = "dsp"\n')
    found = jam(tmp_path / "take.wav", "--config", str(settings))
    assert any(n.part == "human" and abs(n.pitch - 57) < 0.5 for n in found)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--cue", "3:bas:rest"], "cue '3:bas:rest': 'bas' cannot take 'role'; did you mean 'bass'"),
        (["--cue", "3:bass:rst"], "'rst' is no command; did you mean 'rest'"),
        (["--cue", "bass:rest"], "is not TIME:PART:COMMAND"),
        (["--cue", "3:bass:density=2"], "'2' is not a number in 0..1"),
        (["--cue", "99:bass:rest"], "cue at 99 s comes after the end of the take"),
        (["--cue", "1:mid:sound=celo"], "did you mean 'cello'"),
        (["--tempo", "1000"], "--tempo 1000 must be 30..300"),
        (["--seed", "-1"], "--seed -1 must be 0 or more"),
        (["--delay-ms", "-3"], "--delay-ms -3 must be 0..1000"),
        (["--notes", "/nowhere/x.jsonl"], "/nowhere/x.jsonl: the folder /nowhere does not exist"),
        (["--wav", "/"], "/: is a folder"),
        (["--config", "/nowhere.toml"], "/nowhere.toml: No such file or directory"),
    ],
)
def test_a_mistake_is_one_line_exit_2_and_nothing_is_written(
    take: Path, arguments: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(take.parent.iterdir())
    assert main(["jam", str(take), "--midi", str(take.parent / "out.mid"), *arguments]) == 2
    err = capsys.readouterr().err
    assert says in err
    assert err.startswith("improvbox: ")
    assert err.count("\n") == 1
    assert sorted(take.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("missing.wav", None, "missing.wav: no such file"),
        ("empty.mid", b"", "empty.mid: "),
        ("text.wav", b"hello", "text.wav: not a sound file"),
    ],
)
def test_a_take_that_is_none_is_named(
    tmp_path: Path, name: str, content: bytes | None, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert main(["jam", str(tmp_path / name)]) == 2
    assert says in capsys.readouterr().err


def test_a_midi_file_without_notes_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    midi.build([]).save(tmp_path / "empty.mid")
    assert main(["jam", str(tmp_path / "empty.mid")]) == 2
    assert "no notes in it" in capsys.readouterr().err
