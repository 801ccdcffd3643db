"""LED states: a table with an owner and a timeout for each."""

from __future__ import annotations

import pytest

from improvbox.controls.leds import CELL_S, LOST, STATES, STATUS, Leds


@pytest.fixture
def leds() -> Leds:
    return Leds(["fs1", "fs2", STATUS])


def pattern(leds: Leds, led: str, t: float, cells: int = 16) -> str:
    return "".join("#" if leds.lit(t + (k + 0.5) * CELL_S)[led] else "." for k in range(cells))


@pytest.mark.parametrize("state", STATES, ids=lambda s: s.name)
def test_every_state_has_a_pattern_an_owner_a_timeout_and_a_meaning(state) -> None:  # type: ignore[no-untyped-def]
    assert set(state.pattern) <= {"#", "."}
    assert state.owner in ("box", "panel")
    assert 0 < state.timeout_s <= 60
    assert state.meaning


def test_no_two_lasting_states_of_the_status_led_look_alike() -> None:
    lasting = [s.pattern for s in STATES if s.owner == "box"] + ["#######.", LOST]
    assert len({(p * 48)[:48] for p in lasting}) == len(lasting)


def test_a_state_shows_its_pattern_until_its_timeout(leds: Leds) -> None:
    leds.show("waiting", 0.0)
    assert pattern(leds, STATUS, 0.0) == "#......." * 2
    assert leds.state(STATUS, 2.99) == "waiting"
    assert leds.state(STATUS, 3.0) is None


def test_saying_it_again_keeps_a_state(leds: Leds) -> None:
    for t in range(10):
        leds.show("playing", float(t))
    assert leds.state(STATUS, 11.0) == "playing"


def test_a_status_led_that_nobody_speaks_for_says_so(leds: Leds) -> None:
    assert pattern(leds, STATUS, 100.0) == (LOST * 16)[:16]


def test_a_switch_led_that_nobody_speaks_for_is_dark(leds: Leds) -> None:
    assert pattern(leds, "fs1", 100.0) == "." * 16


def test_the_graver_state_wins_and_gives_way_when_it_passes(leds: Leds) -> None:
    leds.show("playing", 0.0)
    leds.show("panic", 0.0)
    leds.show("playing", 0.4)
    assert (leds.state(STATUS, 0.45), leds.state(STATUS, 0.55)) == ("panic", "playing")


def test_a_state_for_one_led_leaves_the_others(leds: Leds) -> None:
    leds.show("first", 0.0, ["fs2"])
    assert (leds.lit(0.1)["fs1"], leds.lit(0.1)["fs2"]) == (False, True)


def test_forgetting_ends_a_state_at_once(leds: Leds) -> None:
    leds.show("first", 0.0, ["fs1", "fs2"])
    leds.forget("first", ["fs1"])
    assert (leds.state("fs1", 0.1), leds.state("fs2", 0.1)) == (None, "first")


def test_an_unknown_state_is_refused(leds: Leds) -> None:
    with pytest.raises(KeyError):
        leds.show("happy", 0.0)
