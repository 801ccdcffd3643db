"""The pin file: which line of the 40-pin header is which footswitch, LED and wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import improvbox
from improvbox.controls.strict import Table, read
from improvbox.errors import SettingsError

# Hole on the 40-pin header of each Broadcom number: Raspberry Pi B+ and later, and Jetson boards.
HEADER: Mapping[int, int] = MappingProxyType(
    {
        2: 3, 3: 5, 4: 7, 14: 8, 15: 10, 17: 11, 18: 12, 27: 13, 22: 15, 23: 16, 24: 18, 10: 19, 9: 21, 25: 22,
        11: 23, 8: 24, 7: 26, 0: 27, 1: 28, 5: 29, 6: 31, 12: 32, 13: 33, 19: 35, 16: 36, 26: 37, 20: 38, 21: 40,
    }
)  # fmt: skip

PULLS = ("up", "down", "none")
LEVELS = ("low", "high")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the header."""

    name: str
    """fs1, status, sclk"""
    bcm: int
    """Broadcom number"""
    pin: int
    """hole on the header, 1..40"""
    jetson: str
    """the hole's name on a Jetson; '' where the file does not say"""
    active_high: bool = True
    """the level when a switch is down or an LED is lit"""
    pull: str = "none"
    """one of PULLS"""


@dataclass(frozen=True, slots=True)
class Spi:
    """The bus of the analogue converter."""

    bus: int
    device: int
    speed_hz: int
    wires: Mapping[str, Line]


@dataclass(frozen=True, slots=True)
class PinMap:
    """What `hardware/pinmap.toml` says, checked."""

    file: str
    switches: Mapping[str, Line]
    leds: Mapping[str, Line]
    knobs: Mapping[str, int]
    """name -> channel of the converter, 0..7"""
    spi: Spi
    supply: Mapping[str, tuple[int, ...]]
    """name -> holes on the header"""


def shipped() -> Path:
    """The pin file inside the package."""
    return Path(improvbox.__file__).parent / "data" / "pinmap.toml"


def load(path: str | Path | None = None) -> PinMap:
    """The pin map of a file; None or '': the shipped one. Raises InputFileError or SettingsError."""
    top = read(path or shipped()).need("version", "switch", "spi")
    top.only("version", "switch", "led", "knob", "spi", "supply")
    top.whole("version", 1, 1)
    spi = top.table("spi").only("bus", "device", "speed_hz", "wire").need("bus", "device", "speed_hz")
    made = PinMap(
        file=top.file,
        switches=_lines(top.table("switch"), "active", "pull"),
        leds=_lines(top.table("led"), "active"),
        knobs=MappingProxyType({name: _channel(knob) for name, knob in top.table("knob").tables()}),
        spi=Spi(
            bus=spi.whole("bus", 0, 6),
            device=spi.whole("device", 0, 2),
            speed_hz=spi.whole("speed_hz", 10_000, 3_600_000),  # MCP3008: slower, its sample droops
            wires=_lines(spi.table("wire")),
        ),
        supply=MappingProxyType({name: top.table("supply").wholes(name, 1, 40) for name in top.table("supply")}),
    )
    _no_hole_twice(made)
    return made


def _channel(knob: Table) -> int:
    return knob.only("channel").need("channel").whole("channel", 0, 7)


def _lines(group: Table, *extra: str) -> Mapping[str, Line]:
    return MappingProxyType({name: _line(name, table, extra) for name, table in group.tables()})


def _line(name: str, table: Table, extra: tuple[str, ...]) -> Line:
    table.only("bcm", "pin", "jetson", *extra).need("bcm", "pin")
    bcm, pin = table.whole("bcm", 0, 27), table.whole("pin", 1, 40)
    if HEADER[bcm] != pin:
        raise table.wrong("pin", f"does not fit bcm = {bcm}, which is pin {HEADER[bcm]} of the header")
    active_high = table.text("active", "high", LEVELS) == "high"
    return Line(name, bcm, pin, table.text("jetson"), active_high, table.text("pull", "none", PULLS))


def _no_hole_twice(pins: PinMap) -> None:
    groups = {"switch": pins.switches, "led": pins.leds, "spi.wire": pins.spi.wires}
    seen: dict[int, str] = {pin: f"supply.{name}" for name, holes in pins.supply.items() for pin in holes}
    for group, lines in groups.items():
        for line in lines.values():
            if line.pin in seen:
                raise SettingsError(f"{pins.file}: {group}.{line.name}.pin = {line.pin} is taken by {seen[line.pin]}")
            seen[line.pin] = f"{group}.{line.name}"
    channels: dict[int, str] = {}
    for name, channel in pins.knobs.items():
        if channel in channels:
            raise SettingsError(f"{pins.file}: knob.{name}.channel = {channel} is taken by knob.{channels[channel]}")
        channels[channel] = name


__all__ = ["HEADER", "Line", "PinMap", "Spi", "load", "shipped"]
