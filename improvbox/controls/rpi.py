"""Real pins, through the RPi.GPIO interface: the only module that touches a GPIO library.

Three packages give the same interface and are drop-ins: `RPi.GPIO` (Raspberry Pi up to 4), `rpi-lgpio` (any Pi, and the
only one for a Pi 5), `Jetson.GPIO` (Jetson, under its own name and mostly as RPi.GPIO too).
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from improvbox.clock import monotonic_s
from improvbox.controls.pins import Edge, EdgeQueue, Reservations
from improvbox.errors import DeviceError, MissingDriverError

MODULES = ("RPi.GPIO", "Jetson.GPIO")

POLL_S = 0.002  # where edge detection is refused: half the switch budget of 5 ms; costs some 1 % of a core

INSTALL = (
    "on a Raspberry Pi install `rpi-lgpio` (and remove `RPi.GPIO`: never both), on a Jetson `Jetson.GPIO`; "
    "without pins set controls.pins = 'off' or 'fake'"
)

log = logging.getLogger(__name__)


def board(model: str | Path = "/proc/device-tree/model") -> str | None:
    """The board's own name where it is one with a 40-pin header that we drive, else None."""
    try:
        name = Path(model).read_text(encoding="utf-8", errors="replace").strip("\0\n ")
    except OSError:
        return None
    return name if any(word in name for word in ("Raspberry Pi", "Jetson", "NVIDIA")) else None


def driver(modules: Iterable[str] = MODULES) -> Any:
    """The GPIO library of this board. Raises MissingDriverError saying what to install."""
    told = []
    for name in modules:
        try:
            return importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - off a board they raise RuntimeError, NotImplementedError, plain Exception
            told.append(f"{name}: {error}")
    raise MissingDriverError(f"no GPIO library works here ({'; '.join(told)}); {INSTALL}")


class RpiPins:
    """Pins on a real header.

    Edges come from a thread of the library, stamped on arrival. Where the library refuses edge detection (RPi.GPIO on
    kernels without sysfs GPIO does), `wait` polls every POLL_S instead and `polling` says so.
    """

    def __init__(self, gpio: Any = None) -> None:
        """`gpio`: a module with the RPi.GPIO interface; None: the board's own, imported by `start`."""
        self._gpio = gpio
        self._started = False
        self._reserved = Reservations()
        self._edges = EdgeQueue()
        self._polled: dict[int, bool] = {}
        self.polling = False

    @property
    def lost(self) -> int:
        """Edges dropped because nobody took them."""
        return self._edges.lost

    def start(self) -> None:
        if self._gpio is None:
            self._gpio = driver()
        self._call("set the pin numbering", self._gpio.setmode, self._gpio.BCM)
        self._gpio.setwarnings(False)  # they go to stderr about lines left over from a killed run; we set them up anew
        self._started = True

    def stop(self) -> None:
        if not self._started:
            return
        self._started = False
        for bcm in self._reserved.outputs():
            self._call(f"darken BCM {bcm}", self._gpio.output, bcm, self._gpio.LOW)
        lines = self._reserved.all()
        if lines:  # an empty list would make some libraries warn, none at all clean up other programs' lines
            self._call("give the pins back", self._gpio.cleanup, lines)
        self._reserved.clear()
        self._polled.clear()

    def setup_input(self, bcm: int, pull: str, owner: str) -> None:
        gpio = self._gpio
        self._reserved.take(bcm, owner, output=False)
        pulls = {"up": gpio.PUD_UP, "down": gpio.PUD_DOWN, "none": gpio.PUD_OFF}
        try:
            self._call(f"set up BCM {bcm} for {owner}", gpio.setup, bcm, gpio.IN, pull_up_down=pulls[pull])
        except DeviceError:
            self._reserved.drop(bcm)
            raise
        try:
            gpio.add_event_detect(bcm, gpio.BOTH, callback=self._on_edge)
        except Exception as error:  # noqa: BLE001 - RuntimeError from RPi.GPIO, lgpio.error from rpi-lgpio
            log.warning("edges of BCM %d cannot be detected (%s): it is polled every %g ms", bcm, error, POLL_S * 1e3)
            self._polled[bcm] = self.read(bcm)
            self.polling = True

    def setup_output(self, bcm: int, level: bool, owner: str) -> None:
        self._reserved.take(bcm, owner, output=True)
        try:
            self._call(f"set up BCM {bcm} for {owner}", self._gpio.setup, bcm, self._gpio.OUT, initial=int(level))
        except DeviceError:
            self._reserved.drop(bcm)
            raise

    def read(self, bcm: int) -> bool:
        self._reserved.check(bcm, output=False)
        return bool(self._call(f"read BCM {bcm}", self._gpio.input, bcm))

    def write(self, bcm: int, level: bool) -> None:
        self._reserved.check(bcm, output=True)
        self._call(f"write BCM {bcm}", self._gpio.output, bcm, int(level))

    def wait(self, timeout_s: float) -> list[Edge]:
        if not self._polled:
            return self._edges.take(timeout_s)
        until = monotonic_s() + timeout_s
        while True:
            self._poll()
            left = until - monotonic_s()
            edges = self._edges.take(min(POLL_S, left))
            if edges or self._edges.woken or left <= POLL_S:
                return edges

    def wake(self) -> None:
        self._edges.wake()

    def _on_edge(self, bcm: int) -> None:
        """Runs in the library's thread, which swallows exceptions: a line that cannot be read is left to the panel."""
        t = monotonic_s()
        try:
            level = bool(self._gpio.input(bcm))
        except Exception:  # noqa: BLE001 - see above; the panel's own read of the line reports the fault
            self._edges.wake()
            return
        self._edges.put(Edge(bcm, level, t))

    def _poll(self) -> None:
        for bcm, before in self._polled.items():
            level = self.read(bcm)
            if level != before:
                self._polled[bcm] = level
                self._edges.put(Edge(bcm, level, monotonic_s()))

    def _call(self, what: str, function: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:  # lgpio.error is a plain Exception; whatever it is, the line is unusable
            hint = "is the user in the group gpio, is another program using the pins?"
            raise DeviceError(f"cannot {what}: {error}; {hint}") from error
