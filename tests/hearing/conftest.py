"""What several hearing tests need."""

from __future__ import annotations

from pathlib import Path

import pytest
from strings_and_scores import SteadyLevel

import improvbox
from improvbox.hearing.level import LevelMeter


@pytest.fixture
def steady_level() -> LevelMeter:
    return SteadyLevel()


@pytest.fixture(scope="session")
def shipped_model() -> Path:
    folder = Path(improvbox.__file__).parent / "data" / "models" / "pitch-v1"
    assert (folder / "model.tflite").is_file(), "the shipped pitch model is missing"
    return folder
