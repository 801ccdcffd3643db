"""Batch = stream = int8: what the float net says of one sound in a single batch, kept for a test of the shipped file.

python -m models.training.pitch.parity CHECKPOINT OUT.npz
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from improvbox.hearing.frontend import RATE_HZ, FrontEnd
from models.training.pitch.convert import scaled
from models.training.pitch.net import Net

FRAME = 256  # samples at 48 kHz
SECONDS = 0.8


def sound() -> np.ndarray:
    """A low string, a chord on it, one of its notes again: int16."""
    t = np.arange(round(SECONDS * RATE_HZ)) / RATE_HZ
    out = 1e-4 * np.random.default_rng(4).standard_normal(len(t))
    for start, midi in ((0.2, 40), (0.35, 52), (0.36, 56.2), (0.37, 59), (0.6, 59)):
        since = np.maximum(t - start, 0)
        hz = 440 * 2 ** ((midi - 69) / 12)
        partials = (np.sin(2 * np.pi * hz * k * since) * np.sin(np.pi * k / 5) / k for k in range(1, 25))
        out += 0.2 * sum(partials) * np.exp(-2 * since) * (t > start)
    return np.rint(np.clip(out, -1, 1) * 32767).astype(np.int16)


def main(checkpoint: Path, out: Path) -> None:
    samples = sound()
    local, levels = FrontEnd(FRAME).batch(samples.astype(np.float32) / 32768)
    net = Net()
    net.load_state_dict(torch.load(checkpoint, weights_only=True))
    with torch.no_grad():
        answers = net.float()(torch.from_numpy(scaled(local))[None], torch.from_numpy(scaled(levels))[None])
    onset, frame, deviation, release = (a[0].float().numpy() for a in answers)
    np.savez_compressed(
        out, samples=samples, onset=_probability(onset), frame=_probability(frame),
        deviation=deviation.astype(np.float16), release=_probability(release),
    )  # fmt: skip


def _probability(logit: np.ndarray) -> np.ndarray:
    return (1 / (1 + np.exp(-logit))).astype(np.float16)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
