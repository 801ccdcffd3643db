from __future__ import annotations

import itertools

import pytest

from improvbox.box.ladder import STEPS, WAIT_LIMIT_S, Change, Ladder

TICK = 0.5


def drive(ladder: Ladder, start: float, seconds: float, **loads: float | None) -> list[tuple[float, Change]]:
    """Feeds constant loads and returns what changed when."""
    steps = round(seconds / TICK)
    return [(start + i * TICK, c) for i in range(steps) for c in ladder.update(start + i * TICK, dict(loads))]


def names(changes: list[tuple[float, Change]]) -> list[tuple[str, bool]]:
    return [(c.step, c.entered) for _, c in changes]


def test_nothing_is_degraded_while_everybody_keeps_up() -> None:
    ladder = Ladder()
    assert drive(ladder, 0, 60, band=0.9, hearing=0.9) == []
    assert (ladder.name, ladder.cause) == ("full", "")


def test_one_stall_enters_nothing() -> None:
    ladder = Ladder()
    drive(ladder, 0, 5, hearing=0.3)
    assert drive(ladder, 5, 1, hearing=9.0) == []
    assert drive(ladder, 6, 5, hearing=0.3) == []


def test_slow_hearing_goes_to_half_rate_and_only_then_to_dsp() -> None:
    ladder = Ladder()
    assert names(drive(ladder, 0, 10, hearing=1.8)) == [("half rate", True), ("dsp hearing", True)]
    assert ladder.name == "dsp hearing"
    assert ladder.cause == "hearing took 1.8 of its budget for 2 s"


def test_half_rate_that_helps_is_enough() -> None:
    ladder = Ladder()
    drive(ladder, 0, 3, hearing=1.4)
    assert drive(ladder, 3, 60, hearing=0.7) == []
    assert ladder.active == ("half rate",)


def test_a_slow_band_loses_plans_before_it_holds() -> None:
    ladder = Ladder()
    assert names(drive(ladder, 0, 10, band=5.0)) == [("fewer plans", True), ("hold", True)]


def test_the_way_back_up_is_the_way_down_reversed() -> None:
    ladder = Ladder()
    drive(ladder, 0, 10, hearing=1.8, band=5.0)
    up = names(drive(ladder, 10, 120, hearing=0.1, band=0.1))
    assert up == [("hold", False), ("fewer plans", False), ("dsp hearing", False), ("half rate", False)]
    assert (ladder.name, ladder.cause) == ("full", "")


def test_a_stall_now_and_then_hinders_no_way_up() -> None:
    ladder = Ladder()
    drive(ladder, 0, 3, hearing=1.4)
    left = []
    for i in range(120):
        changes = ladder.update(3 + i * TICK, {"hearing": 1.1 if i % 10 == 0 else 0.2})
        left += [c for c in changes if not c.entered]
    assert [c.step for c in left] == ["half rate"]


def test_silence_is_room_too() -> None:
    ladder = Ladder()
    drive(ladder, 0, 2, band=2.0)
    assert names(drive(ladder, 2, 60, band=None)) == [("fewer plans", False)]


def test_a_step_that_keeps_failing_is_retried_ever_more_rarely() -> None:
    ladder = Ladder()
    entered = []
    for i in range(2400):
        load = 0.3 if ladder.active else 1.5  # only the step itself helps
        entered += [i * TICK for c in ladder.update(i * TICK, {"hearing": load}) if c.entered]
    gaps = [b - a for a, b in itertools.pairwise(entered)]
    assert gaps == sorted(gaps)
    assert gaps[0] < 25
    assert gaps[-1] == pytest.approx(WAIT_LIMIT_S, abs=15)


def test_a_missing_model_keeps_its_step_for_good() -> None:
    ladder = Ladder()
    ladder.force("dsp hearing", "pitch-v1: sha256 is wrong")
    assert drive(ladder, 0, 300, hearing=0.01) == []
    assert (ladder.name, ladder.cause) == ("dsp hearing", "pitch-v1: sha256 is wrong")


@pytest.mark.parametrize("step", STEPS, ids=lambda s: s.name)
def test_every_step_has_hysteresis_and_says_what_it_does(step) -> None:  # type: ignore[no-untyped-def]
    assert step.exit_load < step.enter_load
    assert step.exit_s > step.enter_s
    assert step.does
    assert step.after in ("", *(s.name for s in STEPS))
