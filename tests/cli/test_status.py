from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from improvbox.box import status
from improvbox.cli.main import main
from improvbox.events import Health, StageStats

HEALTH = Health(
    t=61.2,
    frames=2_937_600,
    xruns=0,
    hearing="model",
    ladder="half rate",
    cause="hearing took 1.4 of its budget for 1.5 s",
    stages=(StageStats("hearing", 0.2, 0.9, 1.1, 1.33, 0), StageStats("command", None, None, None, 5.0, 0)),
    alive=True,
)
TABLE: dict[str, Any] = {
    "health": HEALTH,
    "verdict": "",
    "waiting": "",
    "heard": "E4+12",
    "level_db": -23.4,
    "notes": {"human": 12, "bass": 9},
    "tally": {"thinned": 1, "skipped": 2},
    "players": {"bass": {"role": "fight", "density": 0.5}},
    "tempo_bpm": 96.5,
    "notices": ["no real-time priority"],
    "footswitches": "ok",
    "recording": {"problem": ""},
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(status, "VOLATILE", tmp_path / "nowhere")
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    path = tmp_path / "settings.toml"
    path.write_text(f'[box]\ndata = "{tmp_path}"\n')
    return path


def write(settings: Path, **changes: Any) -> None:
    place = status.place(settings.parent)
    assert place is not None
    assert status.write(place, TABLE | changes)


def test_without_a_box_it_says_how_to_start_one(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", "--config", str(settings)]) == 1
    assert "no box is running here" in capsys.readouterr().err


def test_a_running_box_is_described(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(settings)
    assert main(["status", "--config", str(settings)]) == 0
    out = capsys.readouterr().out
    for words in (
        "alive, playing for 61 s",
        "ladder: half rate (hearing took 1.4",
        "last note E4+12",
        "bass: fight, density 0.5",
        "time: 96.5 beats a minute",
        "left out: 3 late",
        "note: no real-time priority",
    ):
        assert words in out


def test_what_was_not_measured_is_a_dash(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(settings)
    main(["status", "--config", str(settings)])
    (row,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("command")]
    assert row.split()[1:4] == ["-", "-", "-"]


def test_a_machine_gets_everything(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(settings)
    assert main(["status", "--config", str(settings), "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert table["health"]["frames"] == 2_937_600
    assert 0 <= table["age_s"] < 5


def test_a_box_that_stopped_writing_hangs_or_is_gone(
    settings: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(settings)
    place = settings.parent / "status.json"
    table = json.loads(place.read_text())
    place.write_text(json.dumps(table | {"monotonic_s": table["monotonic_s"] - 60}))
    assert main(["status", "--config", str(settings)]) == 1
    assert "the box hangs or is gone" in capsys.readouterr().err


def test_a_torn_file_is_no_crash(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (settings.parent / "status.json").write_text("{")
    assert main(["status", "--config", str(settings)]) == 1
    assert "unreadable" in capsys.readouterr().err


def test_a_full_disk_costs_the_status_and_nothing_else(tmp_path: Path) -> None:
    assert status.write(tmp_path / "missing" / "status.json", TABLE) is False
