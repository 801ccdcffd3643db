"""Moves written down."""

from __future__ import annotations

import pytest

from improvbox.controls.gestures import Recognizer, Wants
from improvbox.controls.pinmap import PinMap
from improvbox.controls.script import parse
from improvbox.errors import UsageError


@pytest.mark.parametrize(("text", "told"), [("1:fs1", "press"), ("1:fs1:hold", "hold"), ("1:fs1:double", "double")])
def test_a_written_gesture_is_recognized_as_itself(pins_file: PinMap, text: str, told: str) -> None:
    machine = Recognizer({"fs1": Wants(hold=True, double=True)})
    gestures = [g for m in parse([text], pins_file) for g in machine.change(m.name, bool(m.value), m.t)]
    assert [g.name for g in gestures + machine.advance(10.0)] == [told]


def test_two_switches_joined_by_plus_go_down_at_once(pins_file: PinMap) -> None:
    wants = {"fs1": Wants(partners=frozenset({"fs2"})), "fs2": Wants(partners=frozenset({"fs1"}))}
    machine = Recognizer(wants)
    gestures = [g for m in parse(["1:fs1+fs2"], pins_file) for g in machine.change(m.name, bool(m.value), m.t)]
    assert [g.switches for g in gestures] == [("fs1", "fs2")]


def test_moves_come_in_order_of_time(pins_file: PinMap) -> None:
    moves = parse(["3:k1=0.5", "1:fs2", "2:fs1"], pins_file)
    assert [m.t for m in moves] == sorted(m.t for m in moves)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fs1", "'fs1' is not a time"),
        ("-1:fs1", "'-1' is not a time"),
        ("nan:fs1", "'nan' is not a time"),
        ("1:fs9", "'fs9' is not on the panel; did you mean 'fs"),
        ("1:fs1:hld", "'hld' is no gesture; did you mean 'hold'"),
        ("1:k9=0.5", "'k9' is not on the panel"),
        ("1:k1=2", r"'2' is not a number in 0\.\.1"),
        ("1:k1=loud", r"'loud' is not a number in 0\.\.1"),
    ],
)
def test_a_wrong_move_is_named_with_what_is_right(pins_file: PinMap, text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse([text], pins_file)
