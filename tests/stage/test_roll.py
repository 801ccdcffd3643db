"""The picture: it is drawn, whatever is missing from the session; what it shows was looked at by eye."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from improvbox.errors import MissingDriverError
from improvbox.events import Command, PlayedNote
from improvbox.stage import roll
from improvbox.stage.roll import Session

NOTES = [
    PlayedNote("human", 1, 1.0, 2.0, 64.2, 90, 1.0, ((0.2, 50.0), (0.5, 200.0))),
    PlayedNote("bass", 2, 1.0, 2.0, 40, 30, 1.0),
    PlayedNote("high", 3, 1.5, 2.5, 76, 127, 1.5),
]
COMMANDS = [
    Command("all", "role", "fight", 1.2, "footswitch"),
    Command("box", "tempo", 96.0, 1.5),
    Command("bass", "for", ("human", "mid"), 1.7),
    Command("box", "return", None, 1.8),
]


def size(path: Path) -> tuple[int, int]:
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return int.from_bytes(data[16:20]), int.from_bytes(data[20:24])


@pytest.mark.parametrize(
    "session",
    [
        Session([]),
        Session(NOTES[:1]),
        Session(NOTES, COMMANDS, [(0.5 * n, n % 4 == 0) for n in range(8)], title="A session"),
        Session([*NOTES, PlayedNote("drums", 4, 1.0, 1.1, 36, 90, 1.0)], seconds=4.0),
    ],
)
def test_any_session_is_a_picture_1600_pixels_wide(tmp_path: Path, session: Session) -> None:
    roll.draw(tmp_path / "roll.png", session)
    assert size(tmp_path / "roll.png")[0] == 1600


def test_a_long_session_has_several_rows_but_not_endlessly_many(tmp_path: Path) -> None:
    heights = []
    for seconds in (20.0, 60.0, 3600.0):
        roll.draw(tmp_path / "roll.png", Session(NOTES, seconds=seconds))
        heights.append(size(tmp_path / "roll.png")[1])
    assert heights[1] / heights[0] == pytest.approx(2, abs=0.3)
    assert heights[2] / heights[0] == pytest.approx(roll.MOST_ROWS, abs=1)


def test_a_bar_of_the_human_follows_the_bend_and_ends_with_the_note() -> None:
    note = PlayedNote("human", 1, 1.0, 2.0, 64.0, 90, 1.0, ((0.0, 0.0), (0.5, 200.0), (1.5, 0.0)))
    assert roll._course(note) == [(1.0, 64.0), (1.5, 66.0), (2.0, 66.0)]


def test_without_matplotlib_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError("No module named 'matplotlib'")
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(MissingDriverError, match=r"improvbox\[plots\]"):
        roll.draw(tmp_path / "roll.png", Session(NOTES))
    assert list(tmp_path.iterdir()) == []
