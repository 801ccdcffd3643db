"""Knobs: the converter, and a pure reading of it: clamped ends, hysteresis, pick-up."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from improvbox.controls.pinmap import Spi
from improvbox.errors import DeviceError, MissingDriverError

FULL_SCALE = 1023  # 10 bits
END = 12  # counts: cheap potentiometers leave 1 % at either end, without clamping 0 and 1 are out of reach
STEP = 0.008  # 8 counts: twice the noise of a wiper beside a switching supply, finer than anyone hears
NEAR = 0.02  # a knob this near to the value may take it over without a jump that anyone hears


class Adc(Protocol):
    """A 10-bit converter. One thread uses it; errors are DeviceError or MissingDriverError."""

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def read(self, channel: int) -> int:
        """Counts, 0..1023, of channel 0..7."""
        ...


def spidev_device() -> Any:
    """A `spidev.SpiDev`. Raises ImportError."""
    import spidev

    return spidev.SpiDev()


class Mcp3008:
    """The MCP3008 on an SPI bus, through `spidev`."""

    def __init__(self, spi: Spi, make_device: Callable[[], Any] = spidev_device) -> None:
        """`make_device`: gives an object with the SpiDev interface; called by `start`."""
        self._spi = spi
        self._make_device = make_device
        self._device: Any = None

    @property
    def path(self) -> Path:
        """The kernel's device."""
        return Path(f"/dev/spidev{self._spi.bus}.{self._spi.device}")

    def start(self) -> None:
        try:
            self._device = self._make_device()
        except ImportError:
            raise MissingDriverError("the knobs need `spidev`; install it, or run without knobs") from None
        try:
            self._device.open(self._spi.bus, self._spi.device)
        except OSError as error:
            hint = "enable SPI (dtparam=spi=on), and is the user in the group spi?"
            raise DeviceError(f"cannot open {self.path}: {error.strerror or error}; {hint}") from error
        self._device.max_speed_hz = self._spi.speed_hz
        self._device.mode = 0

    def stop(self) -> None:
        if self._device is not None:
            self._device.close()
            self._device = None

    def read(self, channel: int) -> int:
        # MCP3008 data sheet, 6.1: start bit, single-ended and channel, then a null bit and ten bits of data.
        try:
            _, high, low = self._device.xfer2([1, (8 + channel) << 4, 0])
        except OSError as error:
            raise DeviceError(f"cannot read {self.path}: {error.strerror or error}; check its wires") from error
        if high & 4:
            raise DeviceError(f"nothing answers on {self.path}: the null bit of an MCP3008 is missing; check its wires")
        return (high & 3) << 8 | low


def position(raw: int) -> float:
    """Counts -> 0..1, the ends clamped."""
    return min(1.0, max(0.0, (raw - END) / (FULL_SCALE - 2 * END)))


class Knob:
    """One knob against the value that it moves.

    It moves the value only once it has met it (pick-up): after a change of selection, or of the value by somebody
    else, the knob must pass the value first. With no single value to meet (None) it takes over where it stands.
    """

    def __init__(self) -> None:
        self._at = math.nan  # where it last counted as moved; nan: never read
        self._said = math.nan  # what it last said; nan: it does not lead

    def turn(self, raw: int, value: float | None) -> float | None:
        """The new value to send, or None. `raw`: counts; `value`: what is in force now, 0..1."""
        at, before = position(raw), self._at
        if math.isnan(before):
            self._at = at
            if value is not None and abs(at - value) <= NEAR:
                self._said = value
            return None
        if abs(at - before) < STEP and not (at in (0.0, 1.0) and at != before):
            return None
        self._at = at
        leads = not math.isnan(self._said) and value is not None and abs(value - self._said) <= NEAR
        met = value is None or abs(at - value) <= NEAR or (before - value) * (at - value) <= 0
        if not (leads or met):
            self._said = math.nan
            return None
        self._said = round(at, 3)
        return self._said
