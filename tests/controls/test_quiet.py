"""A log that a fault cannot flood."""

from __future__ import annotations

import logging

import pytest

from improvbox.controls.quiet import QuietLog


def test_a_flood_is_one_line_every_five_seconds_with_a_count(caplog: pytest.LogCaptureFixture) -> None:
    quiet = QuietLog(logging.getLogger("flood"))
    with caplog.at_level(logging.WARNING):
        for k in range(1000):
            quiet.warn(k * 0.01, "packet %d", k)
    assert caplog.messages == ["packet 0", "packet 500 (and 499 more like it)"]


def test_the_first_line_is_written_whatever_the_time(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        QuietLog(logging.getLogger("flood")).warn(-100.0, "early")
    assert caplog.messages == ["early"]
