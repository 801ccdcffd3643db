"""The panel's thread: edges become commands within their budget, faults do not end it."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from improvbox.clock import monotonic_s, sleep_s
from improvbox.commands import parse
from improvbox.config import BandSettings
from improvbox.controls.bindings import Bindings
from improvbox.controls.fake import FakeKnobs, FakePins
from improvbox.controls.mirror import Mirror
from improvbox.controls.panel import Panel
from improvbox.controls.pedal import Pedal
from improvbox.controls.pinmap import PinMap
from improvbox.controls.pins import Pins
from improvbox.controls.rpi import RpiPins
from improvbox.controls.script import parse as moves
from improvbox.errors import DeviceError
from improvbox.events import Command

ORIGIN_S = 1000.0  # audio time of these tests is this far from CLOCK_MONOTONIC


def now() -> float:
    return monotonic_s() + ORIGIN_S


class Listener:
    """Takes commands and the audio time at which each arrived."""

    def __init__(self) -> None:
        self.taken: list[tuple[Command, float]] = []
        self._more = threading.Condition()

    def submit(self, command: Command) -> None:
        with self._more:
            self.taken.append((command, now()))
            self._more.notify_all()

    @property
    def commands(self) -> list[Command]:
        return [command for command, _ in self.taken]

    def wait_for(self, count: int, timeout_s: float = 10.0) -> None:
        with self._more:
            assert self._more.wait_for(lambda: len(self.taken) >= count, timeout_s), self.taken


def until(true: Callable[[], bool], timeout_s: float = 10.0) -> None:
    end = monotonic_s() + timeout_s
    while not true():
        assert monotonic_s() < end, "waited in vain"
        sleep_s(0.005)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def made(bound: Bindings, pins_file: PinMap, listener: Listener) -> Iterator[Callable[..., Panel]]:
    panels: list[Panel] = []

    def make(pins: Pins, adc: Any = None, submit: Callable[[Command], None] = listener.submit) -> Panel:
        pedal = Pedal(bound, tuple(pins_file.switches), Mirror(BandSettings()))
        panels.append(Panel(pins, pins_file, pedal, submit=submit, now=now, adc=adc))
        panels[-1].start()
        return panels[-1]

    yield make
    for panel in panels:
        panel.stop()


def test_a_command_carries_the_audio_time_of_its_edge(made: Any, pins_file: PinMap, listener: Listener) -> None:
    pins = FakePins(pins_file)
    made(pins)
    before = now()
    pins.press("fs4")
    listener.wait_for(1)
    (command, arrived) = listener.taken[0]
    assert (command.target, command.verb, command.value, command.source) == ("all", "role", "rest", "footswitch")
    assert before <= command.t <= arrived


def test_the_median_edge_becomes_a_command_within_5_ms(made: Any, pins_file: PinMap, listener: Listener) -> None:
    pins = FakePins(pins_file)
    made(pins)
    for k in range(20):
        pins.press("fs4")
        listener.wait_for(k + 1)
        sleep_s(0.025)
        pins.release("fs4")
        sleep_s(0.025)
    late = sorted(arrived - command.t for command, arrived in listener.taken)
    assert late[len(late) // 2] < 0.005


def test_real_pins_take_the_same_path(made: Any, gpio: Any, listener: Listener) -> None:
    made(RpiPins(gpio))
    gpio.drive(12, 0)
    listener.wait_for(1)
    assert listener.commands[0].value == "rest"


def test_a_bouncing_switch_gives_one_command(made: Any, gpio: Any, listener: Listener) -> None:
    made(RpiPins(gpio))
    for level in (0, 1, 0, 1, 0, 1, 0):
        gpio.drive(13, level)
    listener.wait_for(4)
    sleep_s(0.15)
    assert [c.verb for c in listener.commands] == ["role", "role", "role", "return"]


def test_an_edge_that_the_driver_lost_is_found_by_reading_again(made: Any, gpio: Any, listener: Listener) -> None:
    made(RpiPins(gpio))
    gpio.levels[12] = 0
    listener.wait_for(1)
    assert listener.commands[0].value == "rest"


def test_a_switch_that_is_down_at_power_on_means_nothing(made: Any, pins_file: PinMap, listener: Listener) -> None:
    pins = FakePins(pins_file)
    pins.press("fs4")
    made(pins)
    sleep_s(0.25)
    pins.release("fs4")
    sleep_s(0.05)
    pins.press("fs4")
    listener.wait_for(1)
    assert len(listener.taken) == 1


def test_a_hold_is_given_while_the_foot_stays(made: Any, pins_file: PinMap, listener: Listener) -> None:
    pins = FakePins(pins_file)
    made(pins)
    pins.press("fs4")
    listener.wait_for(2)
    assert [c.verb for c in listener.commands] == ["role", "panic"]
    assert listener.commands[1].t - listener.commands[0].t == pytest.approx(0.6, abs=0.001)


def test_a_script_plays_feet_and_hands(made: Any, pins_file: PinMap, listener: Listener) -> None:
    start = now()
    script = moves([f"{start + 0.1}:fs3", f"{start + 0.2}:k1=0.9"], pins_file)
    made(FakePins(pins_file, script, now), FakeKnobs(pins_file, script, now))
    listener.wait_for(7)
    assert [c.verb for c in listener.commands] == ["role"] * 3 + ["return"] + ["density"] * 3
    assert listener.commands[0].t == pytest.approx(start + 0.1, abs=0.001)


def test_leds_follow_the_roles_and_the_box(made: Any, pins_file: PinMap) -> None:
    pins = FakePins(pins_file)
    panel = made(pins)
    panel.show("playing")
    until(lambda: pins.led("fs1") and pins.led("status"))
    panel.observe(parse("all", "role", "fight", 0.0, "osc"))
    until(lambda: pins.led("fs2") and not pins.led("fs1"))


def test_the_box_is_in_one_state_at_a_time(made: Any, pins_file: PinMap) -> None:
    pins = FakePins(pins_file)
    panel = made(pins)
    panel.show("starting")  # believed for a minute, were nothing else said
    panel.show("playing")
    until(lambda: pins.led("status"))
    assert panel._leds.state("status", monotonic_s()) == "playing"


def test_stopping_darkens_the_leds_and_gives_the_pins_back(made: Any, pins_file: PinMap) -> None:
    pins = FakePins(pins_file)
    panel = made(pins)
    until(lambda: pins.led("fs1"))
    panel.stop()
    assert not pins.led("fs1")
    assert pins.reserved == []
    assert "panel" not in [thread.name for thread in threading.enumerate()]


def test_stopping_twice_is_harmless(made: Any, pins_file: PinMap) -> None:
    panel = made(FakePins(pins_file))
    panel.stop()
    panel.stop()


def test_it_goes_round_at_least_eight_times_a_second(made: Any, pins_file: PinMap) -> None:
    panel = made(FakePins(pins_file))
    until(lambda: panel.alive_at is not None)
    seen = panel.alive_at
    sleep_s(0.3)
    assert panel.alive_at > seen


def test_a_submit_that_fails_does_not_take_panic_away(made: Any, pins_file: PinMap, listener: Listener) -> None:
    calls = itertools.count()

    def submit(command: Command) -> None:
        if next(calls) == 0:
            raise RuntimeError("the band is gone")
        listener.submit(command)

    pins = FakePins(pins_file)
    panel = made(pins, submit=submit)
    pins.press("fs4")
    listener.wait_for(1)
    assert listener.commands[0].verb == "panic"
    assert panel.faults == 1


def test_a_line_that_fails_leaves_the_others_working(made: Any, gpio: Any, listener: Listener) -> None:
    panel = made(RpiPins(gpio))
    gpio.directions.pop(5)  # the library no longer knows the line of fs1
    until(lambda: panel.faults > 0)
    gpio.drive(12, 0)
    listener.wait_for(1)
    assert listener.commands[0].value == "rest"


def test_a_converter_that_does_not_answer_leaves_the_switches_working(
    made: Any, pins_file: PinMap, listener: Listener
) -> None:
    class Dead(FakeKnobs):
        def start(self) -> None:
            raise DeviceError("nothing answers on /dev/spidev0.0")

    pins = FakePins(pins_file)
    panel = made(pins, Dead(pins_file))
    assert panel.no_knobs == "nothing answers on /dev/spidev0.0"
    pins.press("fs4")
    listener.wait_for(1)


def test_a_start_that_fails_reserves_nothing(made: Any, pins_file: PinMap) -> None:
    pins = FakePins(pins_file)
    pins.setup_output(17, False, "a lamp")
    with pytest.raises(DeviceError, match="BCM 17 for LED fs1 is already reserved for a lamp"):
        made(pins)
    assert pins.reserved == []


def test_its_own_commands_coming_back_are_not_observed_twice(made: Any, pins_file: PinMap) -> None:
    panel = made(FakePins(pins_file))
    panel.observe(Command("all", "role", "fight", 0.0, "footswitch"))
    assert ("/improvbox/band/bass/role", ("accompany",)) in panel.messages()
