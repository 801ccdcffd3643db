from __future__ import annotations

from typing import Any

import pytest

from improvbox.box.glance import Glance, line, note_name
from improvbox.events import NoteOn, PlannedNote

STATUS: dict[str, Any] = {
    "health": {
        "xruns": 2,
        "ladder": "half rate",
        "stages": [
            {"stage": "hearing", "p99_ms": 0.91},
            {"stage": "stage", "p99_ms": None},
        ],
    },
    "players": {"bass": {"role": "fight"}, "drums": {"role": "rest"}},
    "tempo_bpm": 96.4,
    "level_db": -22.7,
    "heard": "A2",
    "waiting": "",
}


@pytest.mark.parametrize(
    ("pitch", "name"), [(40.0, "E2"), (64.05, "E4"), (69.31, "A4+31"), (59.8, "C4-20"), (66.0, "F#4")]
)
def test_a_note_is_named_with_the_cents_that_matter(pitch: float, name: str) -> None:
    assert note_name(pitch) == name


def test_the_line_says_what_is_heard_who_does_what_and_how_the_box_is() -> None:
    text = line(STATUS)
    assert text == "A2      | bass fight | 96 bpm | -23 dB | xruns 2 | hearing 0.9 stage - ms p99 | half rate"


def test_a_missing_interface_comes_first() -> None:
    assert line(STATUS | {"waiting": "no card"}).startswith("WAITING: no card | ")


def test_before_anything_is_known_nothing_is_made_up() -> None:
    bare = {"health": {"xruns": 0, "ladder": "full", "stages": []}}
    assert line(bare) == "-       |  | free | no sound | xruns 0 | hearing - stage - ms p99 | full"


def test_the_line_fits_the_terminal() -> None:
    assert len(line(STATUS, 40)) == 40


def test_what_sounds_is_counted_without_the_human() -> None:
    glance = Glance()
    glance.human(NoteOn(1, 60.0, 90, 0.5, 0.52), 0.52)
    glance.note_on(PlannedNote("bass", 1, 1.0, 0.5, 40, 80), 1.0)
    assert glance.hanging == 1
    glance.note_off("bass", 1, 40, 1.5)
    assert glance.hanging == 0
    assert glance.late_ms == pytest.approx(20.0)
