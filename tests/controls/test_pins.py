"""Real pins on the RPi.GPIO interface, and the fakes, behind one protocol.

The library is a substitute given to the constructor: the real ones need a gpiochip.
"""

from __future__ import annotations

import threading
from typing import Any

import pytest

from improvbox.clock import Stopwatch, monotonic_s
from improvbox.controls.fake import FakeKnobs, FakePins
from improvbox.controls.pinmap import PinMap
from improvbox.controls.pins import Edge, EdgeQueue, Pins
from improvbox.controls.rpi import RpiPins, board, driver
from improvbox.controls.script import parse
from improvbox.errors import DeviceError, MissingDriverError


def opened(gpio: Any) -> RpiPins:
    pins = RpiPins(gpio)
    pins.start()
    return pins


@pytest.fixture(params=["real", "fake"])
def pins(request: pytest.FixtureRequest, gpio: Any, pins_file: PinMap) -> Pins:
    made: Pins = RpiPins(gpio) if request.param == "real" else FakePins(pins_file)
    made.start()
    return made


def test_a_pin_cannot_be_reserved_twice(pins: Pins) -> None:
    pins.setup_input(5, "up", "switch fs1")
    with pytest.raises(DeviceError, match="BCM 5 for LED x is already reserved for switch fs1"):
        pins.setup_output(5, False, "LED x")


def test_an_output_cannot_be_read_as_an_input(pins: Pins) -> None:
    pins.setup_output(17, False, "LED x")
    with pytest.raises(DeviceError, match="BCM 17 is not set up as an input"):
        pins.read(17)


def test_a_line_that_was_never_set_up_cannot_be_written(pins: Pins) -> None:
    with pytest.raises(DeviceError, match="BCM 4 is not set up as an output"):
        pins.write(4, True)


def test_after_stop_every_line_is_free_again(pins: Pins) -> None:
    pins.setup_input(5, "up", "a")
    pins.stop()
    pins.start()
    pins.setup_input(5, "up", "b")
    assert pins.read(5) is True


def test_stop_twice_is_harmless(pins: Pins) -> None:
    pins.setup_input(5, "up", "a")
    pins.stop()
    pins.stop()


def test_wait_ends_at_its_timeout_without_edges(pins: Pins) -> None:
    pins.setup_input(5, "up", "a")
    watch = Stopwatch()
    assert pins.wait(0.03) == []
    assert watch.elapsed_s() >= 0.029


def test_wake_ends_a_wait_from_another_thread(pins: Pins) -> None:
    pins.setup_input(5, "up", "a")
    threading.Timer(0.02, pins.wake).start()
    watch = Stopwatch()
    assert pins.wait(20.0) == []
    assert watch.elapsed_s() < 10


def test_an_edge_from_the_library_arrives_with_level_and_monotonic_time(gpio: Any) -> None:
    pins = opened(gpio)
    pins.setup_input(5, "up", "switch fs1")
    before = monotonic_s()
    gpio.drive(5, 0)
    (edge,) = pins.wait(1.0)
    assert (edge.bcm, edge.level) == (5, False)
    assert before <= edge.t <= monotonic_s()


def test_pulls_and_first_levels_reach_the_library(gpio: Any) -> None:
    pins = opened(gpio)
    pins.setup_input(5, "up", "a")
    pins.setup_input(6, "none", "b")
    pins.setup_output(17, True, "c")
    assert (gpio.pulls[5], gpio.pulls[6], gpio.levels[17]) == (gpio.PUD_UP, gpio.PUD_OFF, 1)
    assert gpio.mode == gpio.BCM


def test_stop_darkens_outputs_and_cleans_up_its_own_lines_only(gpio: Any) -> None:
    pins = opened(gpio)
    pins.setup_output(17, True, "LED")
    pins.setup_input(5, "up", "a")
    pins.stop()
    assert gpio.levels[17] == 0
    assert sorted(gpio.cleaned) == [5, 17]


def test_where_edges_are_refused_the_lines_are_polled(gpio_without_edges: Any) -> None:
    gpio = gpio_without_edges
    pins = opened(gpio)
    pins.setup_input(5, "up", "a")
    assert pins.polling
    threading.Timer(0.02, gpio.drive, (5, 0)).start()
    assert [(e.bcm, e.level) for e in pins.wait(5.0)] == [(5, False)]


def test_where_edges_are_refused_wake_still_ends_a_wait(gpio_without_edges: Any) -> None:
    pins = opened(gpio_without_edges)
    pins.setup_input(5, "up", "a")
    threading.Timer(0.02, pins.wake).start()
    watch = Stopwatch()
    pins.wait(20.0)
    assert watch.elapsed_s() < 10


def test_another_programs_numbering_is_an_error_with_a_hint(gpio: Any) -> None:
    gpio.setmode(gpio.BOARD)
    with pytest.raises(DeviceError, match=r"numbering: A different mode .*another program"):
        RpiPins(gpio).start()


def test_a_line_that_the_library_refuses_is_not_left_reserved(gpio: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = opened(gpio)
    with monkeypatch.context() as patch:
        patch.setattr(gpio, "setup", lambda *_a, **_k: (_ for _ in ()).throw(RuntimeError("GPIO busy")))
        with pytest.raises(DeviceError, match="cannot set up BCM 5 for a: GPIO busy"):
            pins.setup_input(5, "up", "a")
    pins.setup_input(5, "up", "a")


def test_an_edge_whose_line_cannot_be_read_wakes_the_panel(gpio: Any) -> None:
    pins = opened(gpio)
    pins.setup_input(5, "up", "a")
    callback = gpio.callbacks[5]
    gpio.directions.pop(5)
    threading.Timer(0.02, callback, (5,)).start()
    watch = Stopwatch()
    assert pins.wait(20.0) == []
    assert watch.elapsed_s() < 10


def test_a_missing_library_says_what_to_install() -> None:
    with pytest.raises(MissingDriverError, match=r"no_such_board\.GPIO: .*rpi-lgpio.*Jetson\.GPIO.*controls\.pins"):
        driver(["no_such_board.GPIO"])


def test_boards_are_told_by_their_device_tree(tmp_path: Any) -> None:
    model = tmp_path / "model"
    model.write_bytes(b"Raspberry Pi 5 Model B Rev 1.0\0")
    assert board(model) == "Raspberry Pi 5 Model B Rev 1.0"
    model.write_bytes(b"NVIDIA Jetson Orin Nano Developer Kit\0")
    assert board(model) == "NVIDIA Jetson Orin Nano Developer Kit"
    model.write_bytes(b"Some laptop\0")
    assert board(model) is None
    assert board(tmp_path / "none") is None


def test_more_edges_than_fit_are_counted_and_dropped() -> None:
    edges = EdgeQueue()
    for k in range(EdgeQueue.LIMIT + 5):
        edges.put(Edge(5, bool(k % 2), float(k)))
    assert edges.lost == 5
    assert len(edges.take(0.0)) == EdgeQueue.LIMIT


def test_a_fake_press_and_release_are_edges_of_the_active_level(pins_file: PinMap) -> None:
    pins = FakePins(pins_file)
    pins.start()
    pins.setup_input(5, "up", "switch fs1")
    pins.press("fs1", 1.0)
    pins.release("fs1", 1.1)
    assert pins.wait(1.0) == [Edge(5, False, 1.0), Edge(5, True, 1.1)]


def test_a_second_press_without_a_release_is_no_edge(pins_file: PinMap) -> None:
    pins = FakePins(pins_file)
    pins.setup_input(5, "up", "switch fs1")
    pins.press("fs1")
    pins.press("fs1")
    assert len(pins.wait(1.0)) == 1


def test_scripted_moves_carry_the_time_they_were_meant_for(pins_file: PinMap) -> None:
    began = monotonic_s()
    pins = FakePins(pins_file, parse(["0.01:fs1"], pins_file), now=lambda: monotonic_s() - began)
    pins.setup_input(5, "up", "switch fs1")
    edges = pins.wait(2.0) + pins.wait(2.0)
    assert [(e.bcm, e.level, round(e.t - began, 3)) for e in edges] == [(5, False, 0.01), (5, True, 0.13)]


def test_moves_without_a_clock_are_an_error(pins_file: PinMap) -> None:
    pins = FakePins(pins_file, parse(["0:fs1"], pins_file))
    with pytest.raises(DeviceError, match="no clock"):
        pins.wait(0.01)


def test_fake_leds_can_be_looked_at(pins_file: PinMap) -> None:
    pins = FakePins(pins_file)
    pins.setup_output(17, False, "LED fs1")
    assert pins.led("fs1") is False
    pins.write(17, True)
    assert pins.led("fs1") is True


def test_fake_knobs_turn_by_hand_and_by_script(pins_file: PinMap) -> None:
    t = [0.0]
    knobs = FakeKnobs(pins_file, parse(["5:k2=1"], pins_file), now=lambda: t[0])
    knobs.set("k1", 0.25)
    assert (knobs.read(0), knobs.read(1)) == (256, FakeKnobs.MIDDLE)
    t[0] = 5.0
    assert knobs.read(1) == 1023
