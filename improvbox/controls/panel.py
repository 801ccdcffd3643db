"""The panel: the thread that ties pins, knobs and LEDs to the pedal, and the pedal to whoever takes commands."""

from __future__ import annotations

import dataclasses
import logging
import math
import threading
from collections.abc import Callable
from typing import Self

from improvbox.clock import monotonic_s
from improvbox.controls.debounce import Contact, sample
from improvbox.controls.knobs import Adc
from improvbox.controls.leds import CELL_S, STATES, Leds
from improvbox.controls.pedal import STEPS, Pedal
from improvbox.controls.pinmap import PinMap
from improvbox.controls.pins import Pins
from improvbox.controls.quiet import QuietLog
from improvbox.errors import ImprovBoxError
from improvbox.events import Command

KNOBS_S = 0.02  # between two readings of the knobs: a moving hand is followed at 50 Hz
REREAD_S = 0.1  # between two readings of every switch: heals an edge that the driver lost
RETRY_S = 5.0  # before a converter that failed is tried again

log = logging.getLogger(__name__)


class Panel:
    """Contract: `submit` is called in the panel's own thread and must not block; a Command carries the audio time of
    the edge that gave it, not of the call. Any thread may `observe`, `show` and ask for `messages`.

    Once started, a failing line or converter is logged and tried again; it never ends the thread.
    """

    def __init__(
        self,
        pins: Pins,
        pinmap: PinMap,
        pedal: Pedal,
        *,
        submit: Callable[[Command], None],
        now: Callable[[], float],
        adc: Adc | None = None,
    ) -> None:
        """`now`: audio time (s)."""
        self._pins = pins
        self._pinmap = pinmap
        self._pedal = pedal
        self._submit = submit
        self._now = now
        self._adc = adc
        self._leds = Leds(pinmap.leds)
        self._lit: dict[str, bool] = {}
        self._contacts: dict[int, Contact] = {}
        self._switch_of = {line.bcm: line for line in pinmap.switches.values()}
        self._next_knobs = self._next_reread = self._next_light = -math.inf
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._quiet = QuietLog(log)
        self.faults = 0
        """times that a line, the converter or `submit` failed since the start"""
        self.alive_at: float | None = None
        """s of CLOCK_MONOTONIC when the thread last went round, at least 8 times a second; None: not yet"""
        self.no_knobs: str | None = None
        """why the knobs are not read; None: they are, or there are none"""

    def start(self) -> None:
        """Reserves the pins and starts the thread. Raises MissingDriverError or DeviceError, with nothing reserved.

        A converter that does not answer is no reason to play without footswitches: `no_knobs` says why.
        """
        self._pins.start()
        try:
            for switch in self._pinmap.switches.values():
                self._pins.setup_input(switch.bcm, switch.pull, f"switch {switch.name}")
                # A switch that is down at power-on is stuck or stood upon: it means nothing until it was released.
                down = self._pins.read(switch.bcm) == switch.active_high
                self._contacts[switch.bcm] = Contact(down)
            for led in self._pinmap.leds.values():
                self._pins.setup_output(led.bcm, not led.active_high, f"LED {led.name}")
        except ImprovBoxError:
            self._pins.stop()
            raise
        self._start_adc(monotonic_s())
        self._thread = threading.Thread(target=self._run, name="panel", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread, darkens the LEDs, gives the pins back. May be called twice."""
        if self._thread is None:
            return
        self._stopping.set()
        self._pins.wake()
        self._thread.join()
        self._thread = None
        try:
            for led in self._pinmap.leds.values():
                self._pins.write(led.bcm, not led.active_high)
            if self._adc is not None:
                self._adc.stop()
            self._pins.stop()
        except ImprovBoxError as error:
            log.warning("the panel did not close cleanly: %s", error)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def observe(self, command: Command) -> None:
        """A command from elsewhere was applied: cycles, knobs and LEDs follow it. The panel's own are known already."""
        if command.source not in ("footswitch", "knob"):
            self._pedal.mirror.observe(command)

    def show(self, state: str) -> None:
        """The box says how it is: a state of leds.STATES that it owns, in place of the last one, for its timeout."""
        for other in STATES:
            if other.owner == "box" and other.name != state:
                self._leds.forget(other.name)
        self._leds.show(state, monotonic_s())

    def messages(self) -> list[tuple[str, tuple[str | float, ...]]]:
        """What every player was last told, as OSC messages: the `state` of an OscServer."""
        return self._pedal.mirror.messages()

    # -- the thread ------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._round()
            except ImprovBoxError as error:
                self._failed(monotonic_s(), error)
                self._stopping.wait(REREAD_S)  # a line that fails at once must not spin a core

    def _round(self) -> None:
        t = monotonic_s()
        self.alive_at = t
        for edge in self._pins.wait(max(0.0, self._due() - t)):
            self._seen(edge.bcm, edge.level, edge.t, edge=True)
        t = monotonic_s()
        self._give(self._pedal.advance(t))
        self._reread(t)
        self._turn_knobs(t)
        self._light(t)

    def _due(self) -> float:
        look = min((c.look_at for c in self._contacts.values()), default=math.inf)
        knobs = self._next_knobs if self._adc is not None else math.inf
        return min(look, self._next_light, knobs, self._next_reread, self._pedal.due())

    def _seen(self, bcm: int, level: bool, t: float, edge: bool) -> None:
        line = self._switch_of[bcm]
        down = level == line.active_high
        self._contacts[bcm], changed = sample(self._contacts[bcm], t, down, edge)
        if changed:
            self._give(self._pedal.change(line.name, down, t))

    def _reread(self, t: float) -> None:
        everything = t >= self._next_reread
        if everything:
            self._next_reread = t + REREAD_S
        for bcm, contact in self._contacts.items():
            if everything or contact.look_at <= t:
                try:
                    level = self._pins.read(bcm)
                except ImprovBoxError as error:  # one bad line does not take the others away
                    self._contacts[bcm] = dataclasses.replace(contact, look_at=self._next_reread)
                    self._failed(t, error)
                else:
                    self._seen(bcm, level, t, edge=False)

    def _turn_knobs(self, t: float) -> None:
        if t < self._next_knobs:
            return
        self._next_knobs = t + KNOBS_S
        if self.no_knobs is not None:
            self._start_adc(t)
        if self._adc is None or self.no_knobs is not None:
            return
        try:
            for name in self._pedal.bindings.knobs:
                self._give(self._pedal.turn(name, self._adc.read(self._pinmap.knobs[name]), t))
        except ImprovBoxError as error:
            self._lose_adc(t, error)

    def _start_adc(self, t: float) -> None:
        if self._adc is None:
            return
        try:
            self._adc.start()
            self.no_knobs = None
        except ImprovBoxError as error:
            self._lose_adc(t, error)

    def _lose_adc(self, t: float, error: ImprovBoxError) -> None:
        self._next_knobs = t + RETRY_S
        if self.no_knobs != str(error):  # a box without a converter says so once
            self.no_knobs = str(error)
            self._failed(t, error)

    def _light(self, t: float) -> None:
        notices = self._pedal.notices()
        if t < self._next_light and not notices:
            return
        self._next_light = (math.floor(t / CELL_S) + 1) * CELL_S
        for state, leds in notices:
            self._leds.show(state, t, leds)
        for switch in self._pinmap.switches:
            shown = self._pedal.shows(switch)
            for step in STEPS:
                if step == shown:
                    self._leds.show(step, t, (switch,))
                else:
                    self._leds.forget(step, (switch,))
        if self._pedal.in_first_bank:
            self._leds.forget("other bank")
        else:
            self._leds.show("other bank", t)
        for name, lit in self._leds.lit(t).items():
            if self._lit.get(name) != lit:
                line = self._pinmap.leds[name]
                self._pins.write(line.bcm, lit == line.active_high)
                self._lit[name] = lit

    def _give(self, commands: list[Command]) -> None:
        for command in commands:
            age_s = monotonic_s() - command.t
            try:
                self._submit(dataclasses.replace(command, t=max(0.0, self._now() - age_s)))
            except Exception as error:  # noqa: BLE001 - a fault behind the panel must not take stop and panic away
                self._failed(monotonic_s(), error)

    def _failed(self, t: float, error: Exception) -> None:
        self.faults += 1
        self._quiet.warn(t, "panel: %s", error)
