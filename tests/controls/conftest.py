"""The shipped pin map and bindings, and a substitute for a GPIO library."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from improvbox.controls import bindings, pinmap
from improvbox.controls.bindings import Bindings
from improvbox.controls.pinmap import PinMap


@pytest.fixture(scope="session")
def pins_file() -> PinMap:
    return pinmap.load()


@pytest.fixture(scope="session")
def bound(pins_file: PinMap) -> Bindings:
    return bindings.load(pins_file)


class Gpio:
    """The RPi.GPIO interface over a dict of levels: same names, same checks, edges by callback."""

    BCM, BOARD, IN, OUT, LOW, HIGH = 11, 10, 1, 0, 0, 1
    PUD_OFF, PUD_DOWN, PUD_UP, BOTH = 20, 21, 22, 33

    def __init__(self, edges: bool = True) -> None:
        self.edges = edges
        self.mode: int | None = None
        self.levels: dict[int, int] = {}
        self.directions: dict[int, int] = {}
        self.pulls: dict[int, int] = {}
        self.callbacks: dict[int, Callable[[int], None]] = {}
        self.cleaned: list[int] = []

    def setmode(self, mode: int) -> None:
        if self.mode not in (None, mode):
            raise ValueError("A different mode has already been set!")
        self.mode = mode

    def setwarnings(self, flag: bool) -> None:
        assert flag is False

    def setup(self, channel: int, direction: int, pull_up_down: int = PUD_OFF, initial: int | None = None) -> None:
        if direction == self.OUT and pull_up_down != self.PUD_OFF:
            raise ValueError("pull_up_down parameter is not valid for outputs")
        self.directions[channel] = direction
        self.pulls[channel] = pull_up_down
        default = 1 if pull_up_down == self.PUD_UP else 0
        self.levels[channel] = default if initial is None else initial

    def input(self, channel: int) -> int:
        if channel not in self.directions:
            raise RuntimeError("You must setup() the GPIO channel first")
        return self.levels[channel]

    def output(self, channel: int, value: int) -> None:
        if self.directions.get(channel) != self.OUT:
            raise RuntimeError("The GPIO channel has not been set up as an OUTPUT")
        self.levels[channel] = value

    def add_event_detect(self, channel: int, edge: int, callback: Callable[[int], None]) -> None:
        if not self.edges:
            raise RuntimeError("Failed to add edge detection")
        assert edge == self.BOTH
        self.callbacks[channel] = callback

    def cleanup(self, channels: list[int]) -> None:
        self.cleaned += channels
        for channel in channels:
            self.directions.pop(channel)
            self.callbacks.pop(channel, None)

    def drive(self, channel: int, level: int) -> None:
        """What a foot does."""
        self.levels[channel] = level
        if channel in self.callbacks:
            self.callbacks[channel](channel)


@pytest.fixture
def gpio() -> Gpio:
    return Gpio()


@pytest.fixture
def gpio_without_edges() -> Gpio:
    return Gpio(edges=False)
