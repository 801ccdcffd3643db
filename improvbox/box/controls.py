"""Pins, knobs and OSC in, wired to a live box."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from improvbox.box.session import Onlooker
from improvbox.config import Settings
from improvbox.controls.mirror import Mirror
from improvbox.controls.opening import open_panel
from improvbox.controls.osc_in import OscServer
from improvbox.errors import ImprovBoxError
from improvbox.events import Command

log = logging.getLogger(__name__)


class Controls(Onlooker):
    """Everything that gives commands. A witness of the session, so that LEDs and cycles follow every command."""

    def __init__(
        self, settings: Settings, submit: Callable[[Command], None], now: Callable[[], float], moves: Sequence[str] = ()
    ) -> None:
        """submit, now: of the box. moves: feet and hands on fake pins, see `controls.script`.

        Raises SettingsError, InputFileError (pin map, bindings), UsageError (moves).
        """
        self._mirror = Mirror(settings.band)
        self.panel = open_panel(settings, submit, now, moves)
        answer = self.panel.messages if self.panel is not None else self._mirror.messages
        self.osc = OscServer(settings.osc, submit, now, answer)
        self.problem = ""
        """why there are no footswitches though the settings ask for them"""
        self._required = settings.controls.pins in ("rpi", "fake")

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
