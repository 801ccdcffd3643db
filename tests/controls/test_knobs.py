"""Knobs: the converter's bytes, clamped ends, hysteresis, pick-up."""

from __future__ import annotations

import pytest

from improvbox.controls.knobs import FULL_SCALE, Knob, Mcp3008, position
from improvbox.controls.pinmap import PinMap
from improvbox.errors import DeviceError, MissingDriverError


class SpiDevice:
    """The SpiDev interface over a table of counts: an MCP3008 as its data sheet says."""

    max_speed_hz = 0
    mode = -1

    def __init__(self, counts: dict[int, int], absent: bool = False) -> None:
        self.counts = counts
        self.absent = absent
        self.opened: tuple[int, int] | None = None

    def open(self, bus: int, device: int) -> None:
        if self.absent:
            raise FileNotFoundError(2, "No such file or directory")
        self.opened = (bus, device)

    def close(self) -> None:
        self.opened = None

    def xfer2(self, sent: list[int]) -> list[int]:
        start, select, _ = sent
        assert start == 1
        assert select & 0x80, "single-ended"
        counts = self.counts[(select >> 4) & 7]
        return [0xFF, 0xF8 | counts >> 8, counts & 0xFF]


def test_the_converter_gives_ten_bits_of_the_channel_asked_for(pins_file: PinMap) -> None:
    adc = Mcp3008(pins_file.spi, lambda: SpiDevice({0: 0, 3: 1023, 5: 0x2A5}))
    adc.start()
    assert [adc.read(channel) for channel in (0, 3, 5)] == [0, 1023, 0x2A5]


def test_bus_speed_and_mode_are_those_of_the_pin_file(pins_file: PinMap) -> None:
    device = SpiDevice({})
    adc = Mcp3008(pins_file.spi, lambda: device)
    adc.start()
    assert (device.opened, device.max_speed_hz, device.mode) == ((0, 0), 1_000_000, 0)
    adc.stop()
    assert device.opened is None


def test_a_bus_that_nothing_answers_on_is_an_error(pins_file: PinMap) -> None:
    class Floating(SpiDevice):
        def xfer2(self, sent: list[int]) -> list[int]:
            return [0xFF, 0xFF, 0xFF]

    adc = Mcp3008(pins_file.spi, lambda: Floating({}))
    adc.start()
    with pytest.raises(DeviceError, match=r"nothing answers on /dev/spidev0\.0"):
        adc.read(0)


def test_an_absent_bus_is_named_with_what_to_do(pins_file: PinMap) -> None:
    with pytest.raises(DeviceError, match=r"cannot open /dev/spidev0\.0: .*enable SPI"):
        Mcp3008(pins_file.spi, lambda: SpiDevice({}, absent=True)).start()


def test_a_missing_library_says_what_to_install(pins_file: PinMap) -> None:
    def missing() -> None:
        raise ImportError("No module named 'spidev'")

    with pytest.raises(MissingDriverError, match="`spidev`; install it"):
        Mcp3008(pins_file.spi, missing).start()


def test_both_ends_are_within_reach_of_a_poor_potentiometer() -> None:
    assert [position(raw) for raw in (0, 12, 1011, 1023)] == [0.0, 0.0, 1.0, 1.0]


def test_between_the_ends_the_scale_is_straight() -> None:
    assert position(512) == pytest.approx((512 - 12) / 999)


def counts(place: float) -> int:
    return 12 + round(place * (FULL_SCALE - 24))


def turned(places: list[float], value: float | None) -> list[float]:
    """What a knob says on its way when nobody else moves the value."""
    knob, said = Knob(), []
    for place in places:
        new = knob.turn(counts(place), value)
        if new is not None:
            said.append(new)
            value = new
    return said


def test_the_first_reading_moves_nothing() -> None:
    assert turned([0.9], 0.5) == []


def test_a_knob_at_its_value_leads_from_the_start() -> None:
    assert turned([0.5, 0.6, 0.4], 0.5) == [pytest.approx(0.6, abs=0.001), pytest.approx(0.4, abs=0.001)]


def test_noise_of_four_counts_says_nothing() -> None:
    assert turned([0.5 + 0.004 * (-1) ** k for k in range(50)], 0.5) == []


def test_a_knob_away_from_its_value_waits_until_it_passes_it() -> None:
    assert turned([0.9, 0.8, 0.7], 0.5) == []
    assert turned([0.9, 0.7, 0.3], 0.5) == [pytest.approx(0.3, abs=0.001)]


def test_a_slow_turn_picks_the_value_up_where_they_meet() -> None:
    said = turned([0.9 - 0.01 * k for k in range(60)], 0.5)
    assert said[0] == pytest.approx(0.52, abs=0.011)
    assert said == sorted(said, reverse=True)


def test_a_value_moved_by_somebody_else_is_let_go() -> None:
    knob = Knob()
    knob.turn(counts(0.5), 0.5)
    assert knob.turn(counts(0.6), 0.5) is not None
    assert knob.turn(counts(0.62), 0.1) is None
    assert knob.turn(counts(0.05), 0.1) == pytest.approx(0.05, abs=0.001)


def test_with_no_single_value_to_meet_the_knob_takes_over_where_it_stands() -> None:
    knob = Knob()
    knob.turn(counts(0.9), None)
    assert knob.turn(counts(0.8), None) == pytest.approx(0.8, abs=0.001)


def test_the_ends_are_reached_in_steps_smaller_than_the_hysteresis() -> None:
    assert turned([0.5, 0.995, 1.0], 0.5)[-1] == 1.0
