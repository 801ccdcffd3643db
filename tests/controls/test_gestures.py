"""Press, hold, double, two at once."""

from __future__ import annotations

import math

import pytest

from improvbox.controls.gestures import DOUBLE_S, HOLD_S, TOGETHER_S, Gesture, Recognizer, Wants

PLAIN = Wants()
HOLD = Wants(hold=True)
DOUBLE = Wants(double=True)


def told(
    wants: dict[str, Wants], changes: list[tuple[float, str, bool]], until: float = 10.0
) -> list[tuple[str, float]]:
    """(name, t) of every gesture, time advanced as late as possible."""
    machine = Recognizer(wants)
    gestures: list[Gesture] = []
    for t, name, down in changes:
        gestures += machine.change(name, down, t)
    gestures += machine.advance(until)
    return [(g.name if len(g.switches) == 1 else "+".join(g.switches), round(g.t, 6)) for g in gestures]


def test_a_press_with_nothing_longer_bound_acts_on_the_down_edge() -> None:
    assert Recognizer({"a": PLAIN}).change("a", True, 1.0) == [Gesture("press", ("a",), 1.0, 1.0)]


def test_a_press_acts_once_however_long_it_lasts() -> None:
    assert told({"a": PLAIN}, [(1.0, "a", True), (5.0, "a", False)]) == [("press", 1.0)]


def test_with_a_hold_bound_the_press_acts_on_the_release() -> None:
    assert told({"a": HOLD}, [(1.0, "a", True), (1.15, "a", False)]) == [("press", 1.15)]


def test_a_hold_acts_at_its_time_while_the_foot_stays() -> None:
    machine = Recognizer({"a": HOLD})
    machine.change("a", True, 1.0)
    assert machine.due() == pytest.approx(1.0 + HOLD_S)
    assert machine.advance(1.59) == []
    assert [g.name for g in machine.advance(1.6)] == ["hold"]


def test_a_hold_is_no_press_when_it_ends() -> None:
    assert told({"a": HOLD}, [(1.0, "a", True), (2.0, "a", False)]) == [("hold", 1.6)]


def test_two_quick_presses_are_a_double_on_the_second_down_edge() -> None:
    changes = [(1.0, "a", True), (1.1, "a", False), (1.25, "a", True), (1.3, "a", False)]
    assert told({"a": DOUBLE}, changes) == [("double", 1.25)]


def test_with_a_double_bound_a_single_press_waits_for_the_second() -> None:
    assert told({"a": DOUBLE}, [(1.0, "a", True), (1.1, "a", False)]) == [("press", 1.0 + DOUBLE_S)]


def test_two_slow_presses_are_two_presses() -> None:
    changes = [(1.0, "a", True), (1.1, "a", False), (1.5, "a", True), (1.6, "a", False)]
    assert told({"a": DOUBLE}, changes) == [("press", 1.3), ("press", 1.8)]


def test_hold_and_double_on_one_switch_leave_a_slow_press_to_the_release() -> None:
    both = Wants(hold=True, double=True)
    assert told({"a": both}, [(1.0, "a", True), (1.45, "a", False)]) == [("press", 1.45)]


def test_at_once_gives_the_press_on_the_down_edge_and_the_hold_on_top() -> None:
    eager = Wants(hold=True, at_once=True)
    assert told({"a": eager}, [(1.0, "a", True), (2.0, "a", False)]) == [("press", 1.0), ("hold", 1.6)]


def test_at_once_gives_no_second_press_on_the_release() -> None:
    eager = Wants(hold=True, at_once=True)
    assert told({"a": eager}, [(1.0, "a", True), (1.1, "a", False)]) == [("press", 1.0)]


PAIR = {"a": Wants(partners=frozenset("b")), "b": Wants(partners=frozenset("a")), "c": PLAIN}


def test_two_at_once_are_one_gesture_and_no_presses() -> None:
    changes = [(1.0, "a", True), (1.03, "b", True), (1.2, "a", False), (1.21, "b", False)]
    assert told(PAIR, changes) == [("a+b", 1.03)]


def test_a_switch_with_a_partner_waits_60_ms_for_it() -> None:
    assert told(PAIR, [(1.0, "a", True), (1.5, "a", False)]) == [("press", 1.0 + TOGETHER_S)]


def test_a_switch_without_a_partner_never_waits() -> None:
    assert told(PAIR, [(1.0, "c", True)]) == [("press", 1.0)]


def test_partners_further_apart_are_two_presses() -> None:
    assert told(PAIR, [(1.0, "a", True), (1.1, "b", True)]) == [("press", 1.06), ("press", 1.16)]


def test_a_held_partner_does_not_swallow_a_later_press() -> None:
    wants = {"a": Wants(hold=True, partners=frozenset("b")), "b": Wants(partners=frozenset("a"))}
    assert told(wants, [(1.0, "a", True), (3.0, "b", True)]) == [("hold", 1.6), ("press", 3.06)]


def test_when_time_is_advanced_does_not_change_what_is_told() -> None:
    changes = [
        (1.0, "a", True),
        (1.1, "a", False),
        (1.25, "a", True),
        (1.9, "a", False),
        (3.0, "a", True),
        (3.05, "a", False),
    ]
    fine = Recognizer({"a": DOUBLE})
    gestures: list[Gesture] = []
    at = 0
    for step in range(500):
        t = step * 0.01
        while at < len(changes) and changes[at][0] <= t:
            gestures += fine.change("a", changes[at][2], changes[at][0])
            at += 1
        gestures += fine.advance(t)
    assert [(g.name, round(g.t, 6)) for g in gestures] == told({"a": DOUBLE}, changes)


def test_nothing_is_due_when_nothing_is_open() -> None:
    machine = Recognizer({"a": PLAIN})
    machine.change("a", True, 1.0)
    assert machine.due() == math.inf


def test_after_rebinding_a_switch_that_is_down_means_nothing_until_released() -> None:
    machine = Recognizer({"a": HOLD})
    machine.change("a", True, 1.0)
    machine.rebind({"a": HOLD})
    assert machine.advance(5.0) == []
    assert machine.change("a", False, 5.1) == []
    assert [g.name for g in machine.change("a", True, 6.0) + machine.change("a", False, 6.1)] == ["press"]
