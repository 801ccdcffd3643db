"""The shipped card, played: feet and hands in, commands out."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from improvbox.commands import parse
from improvbox.config import BandSettings
from improvbox.controls.bindings import Bindings
from improvbox.controls.mirror import Mirror
from improvbox.controls.pedal import Pedal
from improvbox.controls.pinmap import PinMap
from improvbox.controls.script import parse as moves
from improvbox.events import BANDS, Command

Play = Callable[..., list[Command]]


@pytest.fixture
def pedal(bound: Bindings, pins_file: PinMap) -> Pedal:
    return Pedal(bound, tuple(pins_file.switches), Mirror(BandSettings()))


@pytest.fixture
def play(pedal: Pedal, pins_file: PinMap) -> Play:
    def run(*texts: str) -> list[Command]:
        commands: list[Command] = []
        last = 0.0
        for move in moves(texts, pins_file):
            commands += pedal.change(move.name, bool(move.value), move.t)
            last = move.t
        return commands + pedal.advance(last + 1.0)

    return run


def words(commands: list[Command]) -> list[str]:
    return [f"{c.target}:{c.verb}" + ("" if c.value is None else f"={c.value}") for c in commands]


def bands(role: str) -> list[str]:
    return [f"{name}:role={role}" for name in BANDS]


def test_home_turns_between_make_room_and_accompany(play: Play) -> None:
    assert words(play("1:fs1", "2:fs1")) == bands("room") + bands("accompany")


def test_home_comes_back_from_a_fight_to_accompany(play: Play) -> None:
    assert words(play("1:fs2", "2:fs1")) == bands("fight") + bands("accompany")


def test_trade_takes_over_and_answers_at_once(play: Play) -> None:
    assert words(play("1:fs3")) == [*bands("takeover"), "box:return"]


def test_trade_and_stop_are_given_on_the_down_edge(pedal: Pedal) -> None:
    assert {c.t for c in pedal.change("fs3", True, 1.0)} == {1.0}
    assert words(pedal.change("fs4", True, 2.0)) == ["all:role=rest"]


def test_a_role_with_something_longer_behind_it_is_given_on_the_release(pedal: Pedal) -> None:
    assert pedal.change("fs2", True, 1.0) == []
    assert {c.t for c in pedal.change("fs2", False, 1.2)} == {1.2}


def test_holding_stop_is_panic_on_top(play: Play) -> None:
    assert words(play("1:fs4:hold")) == ["all:role=rest", "box:panic"]


def test_holding_home_chooses_whom(play: Play, pedal: Pedal) -> None:
    assert words(play("1:fs1:hold", "3:fs2")) == ["bass:role=fight"]
    assert pedal.selected == ("bass",)


def test_choosing_goes_round_all_and_back_to_the_bands(play: Play, pedal: Pedal) -> None:
    seen = []
    for k in range(5):
        play(f"{k * 3 + 1}:fs1:hold")
        seen.append(pedal.selected)
    assert seen == [("bass",), ("mid",), ("high",), ("drums",), BANDS]


def test_holding_fight_brings_the_drummer_in_and_out(play: Play) -> None:
    assert words(play("1:fs2:hold", "3:fs2:hold")) == ["drums:role=accompany", "drums:role=rest"]


def test_bringing_the_bands_back_after_stop_leaves_the_drummer_out(play: Play) -> None:
    assert words(play("1:fs4", "2:fs1")) == ["all:role=rest", *bands("accompany")]


def test_both_left_switches_change_the_bank_and_back(play: Play, pedal: Pedal) -> None:
    assert play("1:fs1+fs2") == []
    assert (pedal.bank, pedal.in_first_bank) == ("time", False)
    play("3:fs1+fs2")
    assert (pedal.bank, pedal.in_first_bank) == ("band", True)


def test_taps_carry_the_times_of_their_down_edges(play: Play) -> None:
    taps = play("1:fs1+fs2", "3:fs3", "3.5:fs3", "4.0:fs3")
    assert [(c.verb, c.t) for c in taps] == [("tap", 3.0), ("tap", 3.5), ("tap", 4.0)]


def test_time_and_the_humans_band_cycle_in_the_second_bank(play: Play) -> None:
    said = words(play("1:fs1+fs2", "3:fs1", "4:fs1", "5:fs1", "6:fs1:hold"))
    assert said == ["box:time=free", "box:time=metered", "box:time=auto", "human:band=bass"]


def test_a_cycle_follows_commands_from_elsewhere(play: Play, pedal: Pedal) -> None:
    pedal.mirror.observe(parse("all", "role", "room", 0.0, "osc"))
    assert words(play("1:fs1")) == bands("accompany")


def test_everything_that_the_shipped_card_gives_is_a_right_command(play: Play) -> None:
    texts = [
        f"{b * 100 + s * 20 + g * 5 + 1}:fs{s + 1}{kind}"
        for b in (0, 1)
        for s in range(4)
        for g, kind in enumerate(["", ":hold"])
    ]
    said = play(*texts, "99:fs1+fs2")
    assert len(said) > 20
    for c in said:
        assert parse(c.target, c.verb, c.value, c.t, "footswitch") == c


def test_a_knob_moves_its_control_for_whoever_is_chosen(play: Play, pedal: Pedal) -> None:
    pedal.turn("k1", 512, 0.0)
    assert [(c.target, c.verb, c.source) for c in pedal.turn("k1", 800, 0.1)] == [
        (name, "density", "knob") for name in BANDS
    ]
    play("1:fs1:hold")
    assert {c.target for c in pedal.turn("k1", 700, 5.0)} == {"bass"}


def test_a_knob_waits_for_a_player_whose_value_is_elsewhere(play: Play, pedal: Pedal) -> None:
    pedal.mirror.observe(parse("bass", "density", 0.1, 0.0))
    play("1:fs1:hold")
    pedal.turn("k1", 512, 5.0)
    assert pedal.turn("k1", 700, 5.1) == []
    assert words(pedal.turn("k1", 60, 5.2)) == ["bass:density=0.048"]


def test_switch_leds_show_which_step_is_in_force(play: Play, pedal: Pedal) -> None:
    assert [pedal.shows(s) for s in pedal.switches] == ["first", None, None, None]
    play("1:fs1")
    assert [pedal.shows(s) for s in pedal.switches] == ["second", None, None, None]
    play("2:fs2")
    assert [pedal.shows(s) for s in pedal.switches] == [None, "first", None, None]
    play("3:fs4")
    assert [pedal.shows(s) for s in pedal.switches] == [None, None, None, "first"]


def test_choosing_is_shown_on_the_leds_of_the_chosen(play: Play, pedal: Pedal) -> None:
    play("1:fs1:hold")
    assert pedal.notices() == [("acted", ("fs1",)), ("chosen", ("fs1",)), ("not chosen", ("fs2", "fs3", "fs4"))]
    assert pedal.notices() == []


def test_panic_is_shown_on_every_led(play: Play, pedal: Pedal) -> None:
    play("1:fs4:hold")
    assert ("panic", ("status", "fs1", "fs2", "fs3", "fs4")) in pedal.notices()


def test_the_bank_is_shown_on_the_led_of_its_number(play: Play, pedal: Pedal) -> None:
    play("1:fs1+fs2")
    assert ("bank", ("fs2",)) in pedal.notices()
