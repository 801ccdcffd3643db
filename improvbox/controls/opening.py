"""The panel that the settings ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from improvbox.config import Settings
from improvbox.controls import bindings, pinmap, script
from improvbox.controls.fake import FakeKnobs, FakePins
from improvbox.controls.knobs import Adc, Mcp3008
from improvbox.controls.mirror import Mirror
from improvbox.controls.panel import Panel
from improvbox.controls.pedal import Pedal
from improvbox.controls.pins import Pins
from improvbox.controls.rpi import RpiPins, board
from improvbox.errors import UsageError
from improvbox.events import Command


def open_panel(
    settings: Settings,
    submit: Callable[[Command], None],
    now: Callable[[], float],
    moves: Sequence[str] = (),
    *,
    detect: Callable[[], str | None] = board,
    mirror: Mirror | None = None,
) -> Panel | None:
    """A panel, not yet started; None where the settings or the machine have no pins.

    `moves`, as in script.py, are played on fake pins. `detect` names the board, None off one. `mirror`: one to
    share, which outlives a panel that does not start. Pin and bindings files are read in any case, so that a mistake in
    them shows on every machine. Raises InputFileError, SettingsError or UsageError.
    """
    kind = settings.controls.pins
    pins_file = pinmap.load(settings.controls.pinmap)
    bound = bindings.load(pins_file, settings.controls.bindings)
    played = script.parse(moves, pins_file)
    if played and kind == "rpi":
        raise UsageError("moves are played on fake pins, but controls.pins = 'rpi'; set it to 'fake' or 'auto'")
    if played or kind == "fake":
        pins: Pins = FakePins(pins_file, played, now)
        adc: Adc = FakeKnobs(pins_file, played, now)
    elif kind == "rpi" or (kind == "auto" and detect() is not None):
        pins, adc = RpiPins(), Mcp3008(pins_file.spi)
    else:
        return None
    pedal = Pedal(bound, tuple(pins_file.switches), mirror or Mirror(settings.band))
    return Panel(pins, pins_file, pedal, submit=submit, now=now, adc=adc if bound.knobs else None)
