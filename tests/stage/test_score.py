"""Written takes: what a sign means, and what is said when one means nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from improvbox.controls import pinmap, script
from improvbox.errors import InputFileError
from improvbox.stage import score
from improvbox.stage.take import DEMO


def made(tmp_path: Path, notes: str, head: str = "tempo_bpm = 120") -> score.Score:
    path = tmp_path / "s.toml"
    path.write_text(f'{head}\n[[phrase]]\nbar = 2\nbeat = 1.5\nvelocity = 80\nnotes = "{notes}"\n')
    return score.load(path)


def test_notes_follow_each_other_from_their_bar_and_beat(tmp_path: Path) -> None:
    read = made(tmp_path, "A3:1 r:0.5 | C4:2")
    assert [(n.onset, n.key, n.beats) for n in read.notes] == [(4.5, 57, 1.0), (6.0, 60, 2.0)]


def test_beats_become_seconds_after_the_lead_in(tmp_path: Path) -> None:
    assert made(tmp_path, "A3:1", "tempo_bpm = 120\nlead_in_s = 0.5").time(4.5) == pytest.approx(2.75)


@pytest.mark.parametrize(("name", "key"), [("C4", 60), ("E2", 40), ("F#3", 54), ("Bb2", 46), ("E6", 88), ("B-1", 11)])
def test_a_name_is_a_key(name: str, key: int) -> None:
    assert score.key_of(name) == key


@pytest.mark.parametrize(
    ("signs", "field", "value"),
    [
        ("~", "vibrato", True),
        ("'", "muted", True),
        ("!", "velocity", 100),
        (",", "velocity", 55),
        ("^2", "bend", 2.0),
        ("^1.5", "bend", 1.5),
        ("^2", "shape", "up"),
        ("^2v", "shape", "up and back"),
        ("v1", "shape", "from above"),
        ("^2v~!", "vibrato", True),
    ],
)
def test_a_sign_means_something(tmp_path: Path, signs: str, field: str, value: object) -> None:
    assert getattr(made(tmp_path, f"A3:1{signs}").notes[0], field) == value


def test_a_chord_is_strummed_down_or_up(tmp_path: Path) -> None:
    down, up = made(tmp_path, "A2+E3+A3:1").notes, made(tmp_path, "A2+E3+A3:1<").notes
    assert [n.strum for n in down] == [0.0, 0.5, 1.0]
    assert [n.strum for n in up] == [1.0, 0.5, 0.0]


@pytest.mark.parametrize(
    ("notes", "said"),
    [
        ("H3:1", "'H3' is no pitch"),
        ("A3", "'A3' is no note"),
        ("A3:0", "'A3:0' is no note"),
        ("A3:1?", "'A3:1?' is no note"),
        ("r:4", "no notes in it"),
    ],
)
def test_what_means_nothing_is_named(tmp_path: Path, notes: str, said: str) -> None:
    with pytest.raises(InputFileError, match=r"s\.toml") as caught:
        made(tmp_path, notes)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("tempo = 120", "did you mean 'tempo_bpm'"),
        ("tempo_bpm = 5", "tempo_bpm = 5 must be a number in 30..300"),
        ("tempo_bpm = [", "not TOML"),
    ],
)
def test_a_wrong_head_is_named(tmp_path: Path, head: str, said: str) -> None:
    with pytest.raises(InputFileError) as caught:
        made(tmp_path, "A3:1", head)
    assert said in str(caught.value)


def test_a_missing_score_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="No such file"):
        score.load(tmp_path / "absent.toml")


def test_the_demo_has_lines_bends_vibrato_chords_and_silences() -> None:
    notes = score.load(DEMO).notes
    assert {n.shape for n in notes} == {"", "up", "up and back", "from above"}
    assert any(n.vibrato for n in notes)
    assert any(n.muted for n in notes)
    assert any(n.strum for n in notes)
    ends = 0.0
    rests = []
    for note in notes:
        rests.append(note.onset - ends)
        ends = max(ends, note.onset + note.beats)
    assert max(rests) >= 8  # two bars in which the band is alone


def test_the_demo_stays_on_the_guitar() -> None:
    assert all(40 <= n.key <= 88 for n in score.load(DEMO).notes)


def test_the_demo_presses_switches_that_are_there_while_it_plays() -> None:
    read = score.load(DEMO)
    moves = script.parse(read.moves, pinmap.load())
    assert {m.name for m in moves} == {"fs1", "fs2", "fs3", "fs4"}
    assert max(m.t for m in moves) < read.time(max(n.onset + n.beats for n in read.notes))
