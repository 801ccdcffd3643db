"""The rig for tests of real ALSA; where it cannot run, its tests say why."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from improvbox.audio.rig import Rig, missing


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    problem = missing()
    if problem:
        pytest.skip(f"no rig for real ALSA: {problem}")
    with Rig() as running, running.environment():
        yield running
