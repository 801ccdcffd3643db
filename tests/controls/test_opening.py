"""The panel that the settings ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from improvbox.config import build
from improvbox.controls.opening import open_panel
from improvbox.controls.rpi import board
from improvbox.errors import MissingDriverError, SettingsError, UsageError


def opened(moves: tuple[str, ...] = (), **controls: str) -> Any:
    return open_panel(build({"controls": controls}), lambda _: None, lambda: 0.0, moves)


def test_off_is_no_panel() -> None:
    assert opened(pins="off") is None


def test_auto_off_a_board_is_no_panel() -> None:
    assert board() is None
    assert opened(pins="auto") is None


def test_fake_pins_start_anywhere() -> None:
    with opened(pins="fake") as panel:
        assert panel.no_knobs is None


def test_moves_are_played_on_fake_pins_whatever_the_machine() -> None:
    assert opened(("1:fs1",), pins="auto") is not None


def test_moves_on_real_pins_are_refused() -> None:
    with pytest.raises(UsageError, match=r"controls\.pins = 'rpi'"):
        opened(("1:fs1",), pins="rpi")


def test_real_pins_off_a_board_say_what_to_install_when_started() -> None:
    with pytest.raises(MissingDriverError, match="rpi-lgpio"):
        opened(pins="rpi").start()


def test_a_wrong_bindings_file_shows_even_where_pins_are_off(tmp_path: Path) -> None:
    path = tmp_path / "b.toml"
    path.write_text("[bank.a.fs9]\n")
    with pytest.raises(SettingsError, match="fs9"):
        opened(pins="off", bindings=str(path))
