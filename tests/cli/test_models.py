from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from improvbox.cli.main import main
from improvbox.inference.store import SHIPPED

NAMES = ("pitch-v1", "band-v1")


def test_the_shipped_models_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "list", "--json"]) == 0
    listed = {row["name"]: row["kind"] for row in json.loads(capsys.readouterr().out)}
    assert {"pitch-v1": "pitch", "band-v1": "band"}.items() <= listed.items()


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_model_is_whole(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify", name]) == 0
    assert "WRONG" not in capsys.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_a_card_says_what_it_was_trained_on_and_under_which_licence(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "show", name, "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["training"]["command"]
    assert all(source["licence"] for source in card["training"]["data"])


def test_one_flipped_bit_is_found_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "pitch-v1"
    shutil.copytree(SHIPPED / "pitch-v1", folder)
    content = bytearray((folder / "model.tflite").read_bytes())
    content[len(content) // 2] ^= 16
    (folder / "model.tflite").write_bytes(content)
    assert main(["models", "verify", str(folder), "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert report["findings"][-1]["check"] == "hash"
    assert "copy the model again" in report["findings"][-1]["detail"]


def test_a_model_is_timed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "bench", "band-v1", "--steps", "20", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["signatures"]
    assert all(0 < row["p50_ms"] <= row["p99_ms"] <= row["max_ms"] for row in rows)


def test_an_unknown_model_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "verify", "pich-v1"]) == 1
    assert "no model 'pich-v1'; did you mean 'pitch-v1'" in capsys.readouterr().err
