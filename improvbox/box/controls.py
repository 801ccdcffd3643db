"""Pins, knobs and OSC in, wired to a live box."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from improvbox.box.session import Witness
from improvbox.config import Settings
from improvbox.controls import bindings, pinmap, script
from improvbox.controls.fake import FakeKnobs, FakePins
from improvbox.controls.knobs import Adc, Mcp3008
from improvbox.controls.mirror import Mirror
from improvbox.controls.osc_in import OscServer
from improvbox.controls.panel import Panel
from improvbox.controls.pedal import Pedal
from improvbox.controls.pins import Pins
from improvbox.controls.rpi import RpiPins, board
from improvbox.errors import ImprovBoxError, UsageError
from improvbox.events import Command

log = logging.getLogger(__name__)


class Controls(Witness):
    """Everything that gives commands. A witness of the session, so that LEDs and cycles follow every command."""

    def __init__(
        self, settings: Settings, submit: Callable[[Command], None], now: Callable[[], float], moves: Sequence[str] = ()
    ) -> None:
        """submit, now: of the box. moves: feet and hands on fake pins, see `controls.script`.

        Raises SettingsError (pin map, bindings), UsageError (moves).
        """
        chosen = settings.controls
        self._pinmap = pinmap.load(chosen.pinmap or None)
        self._mirror = Mirror(settings.band)
        self.panel: Panel | None = None
        self.osc = OscServer(settings.osc, submit, now, self._mirror.messages)
        self.problem = ""
        """why there are no footswitches though the settings ask for them"""
        self._required = chosen.pins in ("rpi", "fake")
        scripted = script.parse(moves, self._pinmap)
        pins, knobs = _hardware(chosen.pins, self._pinmap, scripted, now)
        if moves and not isinstance(pins, FakePins):
            raise UsageError(f"moves are for fake pins, and controls.pins = {chosen.pins!r}; set it to 'fake'")
        if pins is not None:
            bound = bindings.load(self._pinmap, chosen.bindings or None)
            pedal = Pedal(bound, tuple(self._pinmap.switches), self._mirror)
            self.panel = Panel(pins, self._pinmap, pedal, submit=submit, now=now, adc=knobs)

    def start(self) -> None:
        """Raises DeviceError (a port or pin in use), SettingsError; MissingDriverError where pins are required."""
        self.osc.start()
        if self.panel is None:
            return
        try:
            self.panel.start()
        except ImprovBoxError as error:
            if self._required:
                raise
            self.problem, self.panel = str(error), None
            log.warning("no footswitches: %s", error)

    def stop(self) -> None:
        self.osc.stop()
        if self.panel is not None:
            self.panel.stop()

    def command(self, command: Command, now: float) -> None:
        if self.panel is not None:
            self.panel.observe(command)
        else:
            self._mirror.observe(command)

    def show(self, state: str) -> None:
        """On the status LED."""
        if self.panel is not None:
            self.panel.show(state)


def _hardware(
    pins: str, lines: pinmap.PinMap, moves: Sequence[script.Move], now: Callable[[], float]
) -> tuple[Pins | None, Adc | None]:
    if pins == "auto":
        pins = "rpi" if board() is not None else "off"
    if pins == "fake":
        return FakePins(lines, moves, now), FakeKnobs(lines, moves, now)
    if pins == "rpi":
        return RpiPins(), Mcp3008(lines.spi)
    return None, None
