"""The pin file and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from improvbox.controls import pinmap
from improvbox.controls.pinmap import HEADER, PinMap
from improvbox.errors import InputFileError, SettingsError

ROOT = Path(__file__).parents[2]
SHIPPED = (ROOT / "hardware" / "pinmap.toml").read_text()


def changed(tmp_path: Path, old: str, new: str) -> Path:
    assert old in SHIPPED
    path = tmp_path / "pinmap.toml"
    path.write_text(SHIPPED.replace(old, new, 1))
    return path


def test_the_package_holds_the_file_under_hardware_and_no_copy() -> None:
    assert pinmap.shipped().resolve() == (ROOT / "hardware" / "pinmap.toml").resolve()


def test_four_switches_five_leds_and_four_knobs_are_there(pins_file: PinMap) -> None:
    assert list(pins_file.switches) == ["fs1", "fs2", "fs3", "fs4"]
    assert list(pins_file.leds) == ["fs1", "fs2", "fs3", "fs4", "status"]
    assert {"k1", "k2", "k3", "k4"} <= set(pins_file.knobs)


def test_no_line_stands_in_the_way_of_a_sound_card_or_a_serial_console(pins_file: PinMap) -> None:
    ours = {line.bcm for group in (pins_file.switches, pins_file.leds) for line in group.values()}
    i2c_and_eeprom, serial, spi, i2s = {0, 1, 2, 3}, {14, 15}, {7, 8, 9, 10, 11}, {18, 19, 20, 21}
    assert ours & (i2c_and_eeprom | serial | spi | i2s) == set()


def test_leds_are_dark_while_the_board_starts(pins_file: PinMap) -> None:
    pulled_up_at_reset = set(range(9))  # BCM2711 data sheet, table 5.2: GPIO 0..8 up, 9..27 down
    assert all(led.active_high and led.bcm not in pulled_up_at_reset for led in pins_file.leds.values())


def test_the_header_has_28_lines_each_in_its_own_hole() -> None:
    assert sorted(HEADER) == list(range(28))
    assert len(set(HEADER.values())) == 28


def test_a_hole_that_does_not_fit_its_number_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"switch\.fs1\.pin = 30 does not fit bcm = 5, which is pin 29"):
        pinmap.load(changed(tmp_path, "pin = 29", "pin = 30"))


def test_a_line_used_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"switch\.fs2\.pin = 29 is taken by switch\.fs1"):
        pinmap.load(changed(tmp_path, "bcm = 6\npin = 31", "bcm = 5\npin = 29"))


def test_an_led_on_a_wire_of_the_converter_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"spi\.wire\.sclk\.pin = 23 is taken by led\.fs1"):
        pinmap.load(changed(tmp_path, "bcm = 17\npin = 11", "bcm = 11\npin = 23"))


def test_a_converter_channel_used_twice_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"knob\.k2\.channel = 0 is taken by knob\.k1"):
        pinmap.load(changed(tmp_path, "channel = 1", "channel = 0"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[switch.fs1]\nbcm", "[switch.fs1]\nbmc", r"unknown key 'switch\.fs1\.bmc'; did you mean 'bcm'"),
        ("bus = 0\n", "", r"spi\.bus is missing"),
        ("[supply]", "[suply]", r"unknown key 'suply'; did you mean 'supply'"),
        ('active = "low"', 'active = "lo"', r"switch\.fs1\.active = 'lo' is not known; did you mean 'low'"),
        ("bcm = 5", "bcm = 28", r"switch\.fs1\.bcm = 28 must be a whole number in 0\.\.27"),
        ("bcm = 5", "bcm = true", r"switch\.fs1\.bcm = True must be a whole number"),
        ("bcm = 5\n", "", r"switch\.fs1\.bcm is missing"),
        ("channel = 4", "channel = 8", r"knob\.exp\.channel = 8 must be a whole number in 0\.\.7"),
        ("version = 1", "version = 2", r"version = 2 must be a whole number in 1\.\.1"),
        ("ground = [6", 'ground = ["6"', r"supply\.ground = .* must be a list of whole numbers"),
    ],
)
def test_a_wrong_key_or_value_is_named_with_what_is_right(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = changed(tmp_path, old, new)
    with pytest.raises(SettingsError, match=message) as caught:
        pinmap.load(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(InputFileError, match=r"/nowhere/pins\.toml: No such file"):
        pinmap.load("/nowhere/pins.toml")


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pins.toml"
    path.write_bytes(b"\xff\xfe[switch")
    with pytest.raises(SettingsError, match="not TOML"):
        pinmap.load(path)
