"""docs/footswitches.md is what the shipped files say."""

from __future__ import annotations

from pathlib import Path

from improvbox.controls.bindings import Bindings
from improvbox.controls.card import render
from improvbox.controls.pinmap import PinMap
from improvbox.controls.routes import ROUTES

PAGE = Path(__file__).parents[2] / "docs" / "footswitches.md"


def test_the_page_is_the_one_that_the_shipped_files_make(bound: Bindings, pins_file: PinMap) -> None:
    again = "run python -m improvbox.controls.card > docs/footswitches.md"
    assert PAGE.read_text(encoding="utf-8") == render(bound, pins_file), again


def test_the_page_names_every_switch_led_and_pin(pins_file: PinMap) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for line in (*pins_file.switches.values(), *pins_file.leds.values(), *pins_file.spi.wires.values()):
        assert f"| {line.name} | {line.bcm} | {line.pin} |".replace("| ", "", 1) in page


def test_the_page_names_every_address_but_for_the_player() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for route in ROUTES.values():
        assert route.address.replace(f"/{route.target}/", "/PLAYER/" if route.target != "human" else "/human/") in page
