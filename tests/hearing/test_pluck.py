"""Plucks that do not raise the level."""

from __future__ import annotations

import numpy as np
import pytest
from strings_and_scores import HOP_FRAMES, HOP_S, RATE_HZ, pluck, silence

from improvbox.hearing.pluck import PluckDetector


def plucks(sound: np.ndarray) -> list[float]:
    detector, found = PluckDetector(38), []
    for i in range(len(sound) // HOP_FRAMES):
        detector.push(sound[i * HOP_FRAMES : (i + 1) * HOP_FRAMES], (i + 1) * HOP_S)
        if detector.last is not None and detector.last not in found:
            found.append(detector.last)
    return found


def test_a_second_note_as_loud_as_the_first_is_dated_within_2_ms() -> None:
    second = pluck(52, 0.3)
    second[:96] += 0.08 * np.random.default_rng(1).normal(size=96).astype(np.float32)  # 2 ms of pick
    found = plucks(np.concatenate((silence(0.1), pluck(50, 0.3), second)))
    assert found == [pytest.approx(0.1, abs=0.002), pytest.approx(0.4, abs=0.002)]


def test_a_ringing_string_is_plucked_once() -> None:
    assert len(plucks(np.concatenate((silence(0.1), pluck(40, 1.5))))) == 1


def test_hiss_is_no_pluck() -> None:
    hiss = 1e-5 * np.random.default_rng(2).normal(size=RATE_HZ)
    assert plucks(hiss.astype(np.float32)) == []
