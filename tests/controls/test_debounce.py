"""Debounce is a pure function of time and level."""

from __future__ import annotations

import math

import pytest

from improvbox.controls.debounce import IGNORE_S, Contact, sample


def run(samples: list[tuple[float, bool, bool]]) -> list[tuple[float, bool]]:
    """(t, down, edge) samples -> the changes acted on."""
    contact, changes = Contact(), []
    for t, down, edge in samples:
        contact, changed = sample(contact, t, down, edge)
        if changed:
            changes.append((t, contact.down))
    return changes


def test_the_first_edge_acts_at_its_own_time() -> None:
    assert run([(1.0, True, True)]) == [(1.0, True)]


def test_bounces_within_20_ms_are_ignored() -> None:
    bounces = [(1.0 + k * 0.0015, k % 2 == 0, True) for k in range(13)]
    assert run(bounces) == [(1.0, True)]


def test_a_release_within_the_bounce_time_is_found_by_reading_again() -> None:
    assert run([(1.0, True, True), (1.01, False, True), (1.02, False, False)]) == [(1.0, True), (1.02, False)]


def test_the_line_is_to_be_read_again_20_ms_after_a_change() -> None:
    contact, _ = sample(Contact(), 1.0, True, edge=True)
    assert contact.look_at == pytest.approx(1.0 + IGNORE_S)


def test_reading_again_without_a_change_settles() -> None:
    contact, _ = sample(Contact(), 1.0, True, edge=True)
    contact, changed = sample(contact, 1.02, True, edge=False)
    assert (changed, contact.look_at) == (False, math.inf)


def test_an_edge_that_was_read_too_late_asks_for_another_look() -> None:
    contact, changed = sample(Contact(), 1.0, False, edge=True)
    assert (changed, contact.look_at) == (False, pytest.approx(1.02))


def test_press_and_release_apart_are_both_acted_on() -> None:
    assert run([(1.0, True, True), (1.1, False, True), (1.2, True, True)]) == [(1.0, True), (1.1, False), (1.2, True)]


def test_the_same_samples_always_give_the_same_contact() -> None:
    assert sample(Contact(), 2.0, True, edge=True) == sample(Contact(), 2.0, True, edge=True)
