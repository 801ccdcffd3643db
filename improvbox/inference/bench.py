"""How long a model's steps take on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from improvbox.clock import Stopwatch
from improvbox.errors import UsageError
from improvbox.inference.store import open_checked

WARM_UP = 20  # steps that are not counted: the first ones page the weights in


@dataclass(frozen=True, slots=True)
class StepTimes:
    """One signature of a model."""

    signature: str
    runtime: str
    steps: int
    p50_ms: float
    p99_ms: float
    max_ms: float


def time_steps(folder: Path, steps: int) -> list[StepTimes]:
    """Times `steps` runs of every signature, arrays in and out included. Raises ModelError, UsageError."""
    if not 10 <= steps <= 1_000_000:
        raise UsageError(f"--steps {steps} must be 10..1000000")
    _, interpreter = open_checked(folder)
    times = []
    for name, signature in interpreter.signatures.items():
        arrays = signature.zeros()
        for _ in range(WARM_UP):
            signature.run(arrays)
        took = np.empty(steps)
        for i in range(steps):
            watch = Stopwatch()
            signature.run(arrays)
            took[i] = watch.elapsed_s()
        p50, p99 = np.percentile(took, (50, 99)) * 1e3
        times.append(StepTimes(name, interpreter.runtime, steps, float(p50), float(p99), float(took.max() * 1e3)))
    return times
