"""The notes format: what is written is read, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from improvbox.errors import InputFileError
from improvbox.events import NoteOff, NoteOn, PitchBend, PlayedNote
from improvbox.stage import notes

NOTE = PlayedNote("human", 7, 1.234, 1.9021, 64.12, 83, 1.2512, ((0.0, 0.0), (0.12, 38.0)))


def test_a_note_is_one_line_as_the_format_says() -> None:
    assert notes.to_json(NOTE) == (
        '{"part":"human","id":7,"onset":1.234,"offset":1.9021,"pitch":64.12,"velocity":83,"emitted":1.2512,'
        '"curve":[[0.0,0.0],[0.12,38.0]]}'
    )


def test_a_steady_note_has_no_curve() -> None:
    assert "curve" not in notes.to_json(PlayedNote("bass", 1, 0.0, 1.0, 40, 90, 0.0))


def test_what_is_written_is_read(tmp_path: Path) -> None:
    other = PlayedNote("bass", 1, 2.0, 2.5, 40.0, 90, 2.0)
    notes.write(tmp_path / "n.jsonl", [NOTE, other])
    assert notes.read(tmp_path / "n.jsonl") == [NOTE, other]


def test_lines_are_in_the_order_emitted(tmp_path: Path) -> None:
    early = PlayedNote("bass", 1, 0.5, 9.0, 40.0, 90, 0.5)
    notes.write(tmp_path / "n.jsonl", [NOTE, early])
    assert (tmp_path / "n.jsonl").read_text().splitlines() == [notes.to_json(early), notes.to_json(NOTE)]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ("[1]", "no JSON object"),
        ('{"part":"bass"}', "'id' is missing"),
        (notes.to_json(NOTE).replace("human", "bas"), "did you mean 'bass'"),
        (notes.to_json(NOTE).replace(":83", ":0"), "velocity = 0 must be a whole number in 1..127"),
        (notes.to_json(NOTE).replace("1.9021", "NaN"), "offset = nan is not a finite number"),
        (notes.to_json(NOTE).replace("emitted", "emited"), "did you mean 'emitted'"),
        (notes.to_json(NOTE).replace("[0.12,38.0]", "3"), "curve must be"),
    ],
)
def test_a_wrong_line_is_named_with_file_line_and_cause(tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "n.jsonl"
    path.write_text(notes.to_json(NOTE) + "\n" + line + "\n")
    with pytest.raises(InputFileError, match=r"n\.jsonl:2") as caught:
        notes.read(path)
    assert said in str(caught.value)


def test_a_torn_last_line_is_dropped_only_where_asked(tmp_path: Path) -> None:
    path = tmp_path / "n.jsonl"
    path.write_text(notes.to_json(NOTE) + "\n" + notes.to_json(NOTE)[:30])
    assert notes.read(path, torn=True) == [NOTE]
    with pytest.raises(InputFileError):
        notes.read(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"absent\.jsonl: No such file"):
        notes.read(tmp_path / "absent.jsonl")


def test_a_missing_folder_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="give a path in a folder that exists"):
        notes.write(tmp_path / "no" / "n.jsonl", [NOTE])


def test_events_become_a_note_with_its_curve_after_the_onset() -> None:
    gathered = notes.HumanNotes()
    assert gathered.take(NoteOn(3, 60.1, 80, 1.0, 1.02)) is None
    assert gathered.take(PitchBend(3, 50.0, 1.5)) is None
    assert gathered.take(NoteOff(3, 2.0)) == PlayedNote("human", 3, 1.0, 2.0, 60.1, 80, 1.02, ((0.5, 50.0),))


def test_events_of_an_unknown_note_are_counted_and_ignored() -> None:
    gathered = notes.HumanNotes()
    assert gathered.take(NoteOff(9, 1.0)) is None
    assert gathered.ignored == 1


def test_what_still_sounds_is_finished() -> None:
    gathered = notes.HumanNotes()
    gathered.take(NoteOn(1, 60.0, 80, 1.0, 1.02))
    assert [n.offset for n in gathered.finish(3.0)] == [3.0]
    assert gathered.finish(4.0) == []
