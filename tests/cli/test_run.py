from __future__ import annotations

import json
import os
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from improvbox.box import status
from improvbox.cli.main import main
from improvbox.clock import monotonic_s, sleep_s

# A machine without any of it: the box waits for both, and says so.
NOWHERE = """\
[audio]
card = "NoSuchCard"
[stage]
pcm = "nosuchpcm"
[osc]
listen_port = {port}
[box]
realtime = false
data = "{data}"
[controls]
pins = "{pins}"
"""


@pytest.fixture(autouse=True)
def no_volatile_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(status, "VOLATILE", tmp_path / "nowhere")
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)


def settings(tmp_path: Path, port: int = 0, pins: str = "off", more: str = "") -> str:
    path = tmp_path / "settings.toml"
    path.write_text(NOWHERE.format(port=port, data=tmp_path, pins=pins) + more)
    return str(path)


def ran(tmp_path: Path, capsys: pytest.CaptureFixture[str], *arguments: str, **how: Any) -> dict[str, Any]:
    assert main(["run", "--config", settings(tmp_path, **how), "--for", "1.5", "--json", *arguments]) == 0
    summary: dict[str, Any] = json.loads(capsys.readouterr().out)
    return summary


def test_without_interface_and_amplifier_it_waits_says_so_and_ends_in_good_order(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    summary = ran(tmp_path, capsys)
    assert "audio.card 'NoSuchCard' is not here" in summary["waiting"]
    assert summary["health"]["alive"]
    assert summary["hanging"] == 0
    assert not (tmp_path / "status.json").exists()


def test_a_footswitch_works_before_anything_is_plugged_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = ran(tmp_path, capsys, "--move", "0.3:fs2", pins="fake")
    assert {summary["players"][band]["role"] for band in ("bass", "mid", "high")} == {"fight"}


def test_sigterm_ends_the_evening_in_good_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def end_it() -> None:
        until = monotonic_s() + 20.0
        while not (tmp_path / "status.json").exists() and monotonic_s() < until:
            sleep_s(0.02)
        os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    threading.Thread(target=end_it).start()
    assert main(["run", "--config", settings(tmp_path), "--for", "60"]) == 0
    assert "notes left sounding 0" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_port_in_use_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        assert main(["run", "--config", settings(tmp_path, port=port), "--for", "5"]) == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith(f"improvbox: osc.listen_port = {port} on 127.0.0.1: ")


@pytest.mark.parametrize(
    ("given", "code", "says"),
    [
        ((["--for", "0"], ""), 2, "--for 0 must be more than 0 seconds"),
        ((["--for", "x"], ""), 2, "argument --for: invalid float value: 'x'"),
        ((["--move", "1:fs9"], ""), 2, "'fs9' is not on the panel"),
        (([], '[band]\nmodel = "bend-v1"\n'), 1, "no model 'bend-v1'; did you mean 'band-v1'"),
        (([], "[band]\nhumen = 1\n"), 2, "unknown key 'band.humen'"),
    ],
)
def test_a_mistake_is_one_line_with_its_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: tuple[list[str], str], code: int, says: str
) -> None:
    arguments, more = given
    path = settings(tmp_path, pins="fake", more=more)
    assert main(["run", "--config", path, "--for", "5", *arguments]) == code
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err
