"""The panel that the settings ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from improvbox.commands import parse
from improvbox.config import build
from improvbox.controls.mirror import Mirror
from improvbox.controls.opening import open_panel
from improvbox.errors import SettingsError, UsageError


def opened(moves: tuple[str, ...] = (), board: str | None = None, **controls: str) -> Any:
    return open_panel(build({"controls": controls}), lambda _: None, lambda: 0.0, moves, detect=lambda: board)


def test_off_is_no_panel() -> None:
    assert opened(pins="off") is None


def test_auto_off_a_board_is_no_panel() -> None:
    assert opened(pins="auto", board=None) is None


def test_auto_on_a_board_is_a_panel() -> None:
    assert opened(pins="auto", board="Raspberry Pi 4") is not None


def test_fake_pins_start_anywhere() -> None:
    with opened(pins="fake") as panel:
        assert panel.no_knobs is None


def test_moves_are_played_on_fake_pins_whatever_the_machine() -> None:
    assert opened(("1:fs1",), pins="auto") is not None


def test_a_shared_mirror_follows_the_panel() -> None:
    settings = build({"controls": {"pins": "fake"}})
    mirror = Mirror(settings.band)
    panel = open_panel(settings, lambda _: None, lambda: 0.0, mirror=mirror)
    assert panel is not None
    panel.observe(parse("all", "role", "fight", 0.0, "osc"))
    assert mirror.value(("bass",), "role") == "fight"


def test_moves_on_real_pins_are_refused() -> None:
    with pytest.raises(UsageError, match=r"controls\.pins = 'rpi'"):
        opened(("1:fs1",), pins="rpi")


def test_a_wrong_bindings_file_shows_even_where_pins_are_off(tmp_path: Path) -> None:
    path = tmp_path / "b.toml"
    path.write_text("[bank.a.fs9]\n")
    with pytest.raises(SettingsError, match="fs9"):
        opened(pins="off", bindings=str(path))
