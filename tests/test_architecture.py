"""The "may import" column of the design: data flows one way through the house."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import improvbox

ROOT = Path(improvbox.__file__).parent
FIRST_ROW = ("errors", "clock", "events", "tempo", "commands", "config")

# package -> what it may import of ours, beside itself and the first row
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "audio": (),
    "hearing": ("inference",),
    "inference": (),
    "memory": (),
    "band": ("inference", "memory"),
    "stage": (),
    "controls": (),
    "box": ("audio", "hearing", "inference", "memory", "band", "stage", "controls"),
    "cli": ("audio", "hearing", "inference", "memory", "band", "stage", "controls", "box"),
}

# driver -> the one module that may import it
DRIVERS = {
    "alsaaudio": ("audio",),
    "jack": ("audio",),
    "soundfile": ("audio", "stage"),
    "fluidsynth": ("stage",),
    "pythonosc": ("stage", "controls"),
    "RPi": ("controls",),
    "spidev": ("controls",),
    "ai_edge_litert": ("inference",),
    "tflite_runtime": ("inference",),
    "systemd": ("box",),
    "matplotlib": ("stage",),
}


def modules() -> list[Path]:
    return sorted(p for p in ROOT.rglob("*.py") if "data" not in p.relative_to(ROOT).parts)


def package_of(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0]
    return first.removesuffix(".py")


def imports(tree: ast.AST) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(a.name for a in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update([node.module, *(f"{node.module}.{a.name}" for a in node.names)])
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_imports_only_what_its_package_may(path: Path) -> None:
    package = package_of(path)
    if package in ("__init__", "__main__"):
        return  # the root and `python -m improvbox` are the command line's doors
    if package in FIRST_ROW:
        allowed = {package, *FIRST_ROW[: FIRST_ROW.index(package)]}
    else:
        allowed = {package, *FIRST_ROW, *MAY_IMPORT[package]}
    ours = {name.split(".")[1] for name in imports(ast.parse(path.read_text())) if name.startswith("improvbox.")}
    assert ours - {"__version__", "data"} <= allowed


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_driver_is_imported_in_its_own_packages_and_never_at_import(driver: str) -> None:
    for path in modules():
        tree = ast.parse(path.read_text())
        if any(name.split(".")[0] == driver for name in imports(tree)):
            assert package_of(path) in DRIVERS[driver], f"{path} imports {driver}"
        first = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        top = {name.split(".")[0] for node in first for name in imports(node)}
        assert driver not in top, f"{path} imports {driver} at import"


def test_only_the_clock_reads_a_clock() -> None:
    clocks = {"time", "time.time", "time.monotonic", "time.perf_counter"}
    readers = [p for p in modules() if imports(ast.parse(p.read_text())) & clocks]
    assert readers == [ROOT / "clock.py"]


def test_no_file_is_longer_than_400_lines() -> None:
    assert [p for p in modules() if len(p.read_text().splitlines()) > 400] == []
