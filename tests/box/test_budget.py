from __future__ import annotations

import pytest

from improvbox.box.budget import WINDOW, Budget, limits


@pytest.fixture
def budget() -> Budget:
    return Budget(limits(48000, 64, 128))


def stats(budget: Budget, stage: str):  # type: ignore[no-untyped-def]
    return next(s for s in budget.stats() if s.stage == stage)


def test_budgets_follow_the_sizes_in_use(budget: Budget) -> None:
    assert stats(budget, "hearing").budget_ms == pytest.approx(128 / 48 / 2)
    assert {s.stage: s.budget_ms for s in budget.stats()} | {"capture": 0, "hearing": 0} == {
        "capture": 0,
        "hearing": 0,
        "band": 10.0,
        "stage": 1.0,
        "command": 5.0,
    }


def test_what_was_not_measured_is_not_zero(budget: Budget) -> None:
    assert (stats(budget, "band").p50_ms, stats(budget, "band").max_ms) == (None, None)
    assert budget.loads()["band"] is None


def test_percentiles_are_those_of_the_last_window(budget: Budget) -> None:
    budget.note("band", 9.0)
    for i in range(WINDOW):
        budget.note("band", (i % 100) * 1e-5)
    found = stats(budget, "band")
    assert found.p50_ms == pytest.approx(0.5, abs=0.02)
    assert found.max_ms == pytest.approx(0.99)
    assert found.over_budget == 1


def test_a_load_is_the_mean_share_of_the_budget_since_the_last_look(budget: Budget) -> None:
    for ms in (5.0, 15.0):
        budget.note("band", ms / 1e3)
    assert budget.loads()["band"] == pytest.approx(1.0)
    assert budget.loads()["band"] is None
    budget.note("band", 20e-3)
    assert budget.loads()["band"] == pytest.approx(2.0)


def test_memory_does_not_grow(budget: Budget) -> None:
    for _ in range(5 * WINDOW):
        budget.note("stage", 1e-4)
    assert len(budget.windows["stage"].recent()) == WINDOW
