"""The bindings file: what its words mean, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from improvbox.controls import bindings
from improvbox.controls.actions import SELECTED, Bank, Cycle, Order, Select, Send, order, targets
from improvbox.controls.bindings import Bindings, Turn
from improvbox.controls.gestures import Wants
from improvbox.controls.pinmap import PinMap
from improvbox.errors import CommandError, InputFileError, SettingsError
from improvbox.events import BANDS


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bindings.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("fight", Order(SELECTED, "role", "fight")),
        ("drums:rest", Order(("drums",), "role", "rest")),
        ("bands:density=0.8", Order(BANDS, "density", 0.8)),
        ("bass+high:for=human", Order(("bass", "high"), "for", ("human",))),
        ("tap", Order(("box",), "tap", None)),
        ("box:tap", Order(("box",), "tap", None)),
        ("time=free", Order(("box",), "time", "free")),
        ("band=mid", Order(("human",), "band", "mid")),
        ("human:band=mid", Order(("human",), "band", "mid")),
    ],
)
def test_an_order_is_a_cue_without_its_time(text: str, meant: Order) -> None:
    assert order(text) == meant


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("figth", "'figth' is no command; did you mean 'fight'"),
        ("bas:fight", "'bas' is nobody; did you mean 'bass'"),
        ("bass:density=2", r"'2' is not a number in 0\.\.1"),
        ("bass:tap", "'bass' cannot take 'tap'"),
        ("density", "density: "),
    ],
)
def test_a_wrong_order_is_named_with_what_is_right(text: str, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        order(text)


def test_targets_joined_by_plus_name_nobody_twice() -> None:
    assert targets("bands+bass+drums") == ("bass", "mid", "high", "drums")


def test_a_cycle_goes_on_from_the_present_state_and_begins_anew_from_any_other() -> None:
    cycle = Cycle((order("accompany"), order("room")))
    assert [cycle.after(v).value for v in ("accompany", "room", "fight", None)] == [
        "room",
        "accompany",
        "accompany",
        "accompany",
    ]


def test_a_selection_goes_round() -> None:
    select = Select((BANDS, ("bass",), ("drums",)))
    assert [select.after(p) for p in (BANDS, ("bass",), ("drums",), ("high",))] == [("bass",), ("drums",), BANDS, BANDS]


def test_every_kind_of_action_can_be_written(tmp_path: Path, pins_file: PinMap) -> None:
    text = """
        select = "bass"
        [knobs]
        k1 = "all:level"
        exp = "variation"
        [bank.a.fs1]
        label = "One"
        press = ["takeover", "return"]
        hold = { cycle = ["time=free", "time=metered"] }
        double = { select = ["bass", "mid+high"] }
        [bank.a."fs2+fs1"]
        press = { bank = "b" }
        [bank.b.fs2]
        press = "tap"
        """
    made = bindings.load(pins_file, written(tmp_path, text))
    one = made.banks["a"][("fs1",)]
    assert one.label == "One"
    assert one.actions["press"] == Send((Order(SELECTED, "role", "takeover"), Order(("box",), "return", None)))
    assert one.actions["hold"] == Cycle((Order(("box",), "time", "free"), Order(("box",), "time", "metered")))
    assert one.actions["double"] == Select((("bass",), ("mid", "high")))
    assert made.banks["a"][("fs1", "fs2")].actions["press"] == Bank("b")
    assert made.knobs == {"k1": Turn(("all",), "level"), "exp": Turn(SELECTED, "variation")}
    assert made.select == ("bass",)


def test_the_recognizer_is_told_what_to_wait_for(tmp_path: Path, pins_file: PinMap) -> None:
    text = '[bank.a.fs1]\npress = "fight"\nhold = "panic"\n[bank.a."fs1+fs2"]\npress = "tap"\n'
    made = bindings.load(pins_file, written(tmp_path, text))
    assert made.wants("a", tuple(pins_file.switches)) == {
        "fs1": Wants(hold=True, partners=frozenset({"fs2"})),
        "fs2": Wants(partners=frozenset({"fs1"})),
        "fs3": Wants(),
        "fs4": Wants(),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[bnak.a.fs1]\n", r"unknown key 'bnak'; did you mean 'bank'"),
        ("select = 'bass'\n", r"bank is missing"),
        ("[bank]\n", r"bank must have at least one table"),
        ("[bank.a.fs9]\n", r"unknown switch 'bank\.a\.fs9'; did you mean 'fs"),
        ('[bank.a."fs1+fs1"]\n', r"unknown switch 'bank\.a\.fs1\+fs1'"),
        ('[bank.a."fs1+fs2+fs3"]\n', r"unknown switch 'bank\.a\.fs1\+fs2\+fs3'"),
        ("[bank.a.fs1]\nprses = 'fight'\n", r"unknown key 'bank\.a\.fs1\.prses'; did you mean 'press'"),
        ('[bank.a."fs1+fs2"]\nhold = "tap"\n', r"unknown key 'bank\.a\.fs1\+fs2\.hold'"),
        ("[bank.a.fs1]\npress = 'figth'\n", r"bank\.a\.fs1\.press = 'figth' is not right: .*did you mean 'fight'"),
        ("[bank.a.fs1]\npress = 3\n", r"bank\.a\.fs1\.press = 3 must be a table"),
        ("[bank.a.fs1]\npress = []\n", r"bank\.a\.fs1\.press = \[\] must be a list of strings, at least one"),
        (
            "[bank.a.fs1]\npress = { cylce = ['tap'] }\n",
            r"unknown key 'bank\.a\.fs1\.press\.cylce'; did you mean 'cycle'",
        ),
        ("[bank.a.fs1]\npress = {}\n", r"bank\.a\.fs1\.press must have one of cycle, select, bank"),
        ("[bank.a.fs1]\npress = { cycle = ['tap', 'fight'] }\n", r"must tell the same players the same kind of thing"),
        ("[bank.a.fs1]\npress = { select = ['bas'] }\n", r"'bas' is nobody; did you mean 'bass'"),
        (
            "[bank.a.fs1]\npress = { bank = 'tiem' }\n[bank.time]\n",
            r"press\.bank = 'tiem' is no bank; did you mean 'time'",
        ),
        ("[bank.a.fs1]\nat_once = 1\n", r"bank\.a\.fs1\.at_once = 1 must be true or false"),
        ("[bank.a.fs1]\nlabel = 1\n", r"bank\.a\.fs1\.label = 1 must be a string"),
        ("[bank.a]\n[knobs]\nk9 = 'order'\n", r"unknown key 'knobs\.k9'; allowed: k1"),
        ("[bank.a]\n[knobs]\nk1 = 'odrer'\n", r"knobs\.k1 = 'odrer' is no control; did you mean 'order'"),
        ("[bank.a]\n[knobs]\nk1 = 'bas:order'\n", r"knobs\.k1 = 'bas:order' is not right: 'bas' is nobody"),
        ("select = 'nobody'\n[bank.a]\n", r"select = 'nobody' is not right"),
    ],
)
def test_a_wrong_word_is_named_with_file_key_and_what_is_right(
    tmp_path: Path, pins_file: PinMap, text: str, message: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError, match=message) as caught:
        bindings.load(pins_file, path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(pins_file: PinMap) -> None:
    with pytest.raises(InputFileError, match=r"/nowhere/b\.toml: No such file"):
        bindings.load(pins_file, "/nowhere/b.toml")


def test_stop_trade_and_tap_act_as_the_foot_lands(bound: Bindings, pins_file: PinMap) -> None:
    urgent = {"rest", "takeover", None}
    for name, bank in bound.banks.items():
        wants = bound.wants(name, tuple(pins_file.switches))
        for switches, binding in bank.items():
            press = binding.actions["press"]
            if isinstance(press, Send) and press.orders[0].value in urgent:
                (switch,) = switches
                assert wants[switch].at_once or not wants[switch].longer


def test_stop_and_panic_are_on_the_same_switch_in_every_bank(bound: Bindings) -> None:
    for bank in bound.banks.values():
        stop = bank[("fs4",)]
        assert stop.actions["press"] == Send((Order(("all",), "role", "rest"),))
        assert stop.actions["hold"] == Send((Order(("box",), "panic", None),))


def test_every_role_and_all_knobs_are_within_reach_of_the_foot(bound: Bindings) -> None:
    orders = {
        (o.verb, o.value)
        for bank in bound.banks.values()
        for binding in bank.values()
        for action in binding.actions.values()
        if isinstance(action, Send | Cycle)
        for o in action.orders
    }
    assert {("role", r) for r in ("rest", "room", "takeover", "fight", "accompany")} <= orders
    assert [turn.control for turn in bound.knobs.values()] == ["density", "order", "variation", "texture"]


def test_every_bank_can_be_left(bound: Bindings) -> None:
    for bank in bound.banks.values():
        assert any(isinstance(action, Bank) for binding in bank.values() for action in binding.actions.values())
