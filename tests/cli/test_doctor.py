from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from improvbox.box.doctor import CHECKS
from improvbox.cli.main import main


def examined(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> dict[str, dict[str, Any]]:
    path = tmp_path / "settings.toml"
    path.write_text(text)
    main(["doctor", "--json", "--config", str(path)])
    return {f["check"]: f for f in json.loads(capsys.readouterr().out)["findings"]}


def test_every_check_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(examined(tmp_path, capsys, "")) == ["settings", *CHECKS]


def test_python_packages_and_models_are_right_where_the_tests_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = examined(tmp_path, capsys, "")
    assert {
        name: found[name]["verdict"] for name in ("python", "packages", "runtime", "pitch model", "band model")
    } == (dict.fromkeys(("python", "packages", "runtime", "pitch model", "band model"), "ok"))


@pytest.mark.parametrize(
    ("text", "check", "says"),
    [
        ('[hearing]\nmodel = "pich-v1"', "pitch model", "did you mean 'pitch-v1'"),
        ('[band]\nmodel = "pitch-v1"', "band model", "a band model is wanted"),
        ('[audio]\ncard = "NoSuchCard"', "interface", "audio.card 'NoSuchCard' is not here"),
        ('[stage]\nsoundfont = "/nowhere.sf2"', "soundfont", "/nowhere.sf2"),
        ('[box]\ndata = "/proc/nowhere"', "data", "/proc/nowhere: 0 MiB free"),
        ('[osc]\nsend = ["localhost"]', "osc", "is not HOST:PORT"),
        ('[controls]\nbindings = "/nowhere.toml"', "footswitches", "/nowhere.toml"),
        ('[controls]\npinmap = "/nowhere.toml"', "footswitches", "/nowhere.toml"),
    ],
)
def test_a_planted_mistake_is_found_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, check: str, says: str
) -> None:
    finding = examined(tmp_path, capsys, text)[check]
    assert finding["verdict"] == "WRONG"
    assert says in finding["found"]
    assert finding["do"]


def test_a_port_in_use_is_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        finding = examined(tmp_path, capsys, f'[osc]\nlisten_port = {port}\n[box]\ndata = "{tmp_path}"')["osc"]
    assert finding["verdict"] == "WRONG"
    assert f"UDP 127.0.0.1:{port}" in finding["found"]


def test_the_report_for_people_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[audio]\ncard = "NoSuchCard"')
    assert main(["doctor", "--config", str(path)]) == 1
    out = capsys.readouterr().out
    assert "WRONG  interface" in out
    assert "-> plug the interface in" in out
