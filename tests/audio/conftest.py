"""The rig for tests of real ALSA; where it cannot run, its tests say why."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from improvbox.audio.rig import Rig, may_be_realtime, missing

READER_PRIORITY = 30  # where allowed: a test that reads late because other programs run would test those


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    problem = missing()
    if problem:
        pytest.skip(f"no rig for real ALSA: {problem}")
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    if may_be_realtime():
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(READER_PRIORITY))
    try:
        with Rig() as running, running.environment():
            yield running
    finally:
        os.sched_setscheduler(0, *before)
