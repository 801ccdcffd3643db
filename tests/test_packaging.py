"""The wheel is whole: what the box needs at run time travels inside it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, cwd=out)
    (wheel,) = out.glob("improvbox-*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.parametrize("kind", ["pitch", "band"])
def test_the_shipped_models_are_inside_the_wheel(names: set[str], kind: str) -> None:
    assert {f"improvbox/data/models/{kind}-v1/{f}" for f in ("model.tflite", "card.toml")} <= names


def test_pins_bindings_and_the_demo_score_are_inside_the_wheel(names: set[str]) -> None:
    wanted = {"pinmap.toml", "bindings.toml", "scores/demo.toml"}
    assert {f"improvbox/data/{f}" for f in wanted} <= names


def test_every_module_is_inside_the_wheel(names: set[str]) -> None:
    modules = {str(p.relative_to(ROOT)) for p in (ROOT / "improvbox").rglob("*.py")}
    assert modules - names == set()
