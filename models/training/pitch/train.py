"""Trains the net on shards, for a given time, one thread. Shards that appear meanwhile are used."""

from __future__ import annotations

import copy
import math
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from improvbox.hearing.frontend import SPECTRAL, STEP_DB
from models.training.pitch.mix import AGAIN, AGE_STEP, DEVIATION_STEPS, NO_DEVIATION, PITCHES, RATE, SILENT
from models.training.pitch.net import Net
from models.training.pitch.playing import LOWEST

BATCH, STEPS, WARM = 4, 192, 32  # clips, frames of each, first frames that have too little past to be judged
MS_PER_AGE = 1000 * AGE_STEP / RATE
_MIDI = torch.arange(PITCHES) + LOWEST
# An onset is asked for from the release to this age, and neither asked for nor punished for IGNORED_MS after it.
ONSET_MS = torch.where(_MIDI < 48, 56.0, torch.where(_MIDI < 60, 50.0, 42.0))
IGNORED_MS = 25.0
# Around a release every pitch counts more: a wrong early note costs more than a wrong late one can repair.
ATTACK_MS, ATTACK_WEIGHT = 60.0, 2.0
AGAIN_WEIGHT = 2.0  # on top, for a pitch struck again while it rings
RELEASE_MS, RELEASE_IGNORED_MS = 12.0, 20.0


class Shards:
    """Random stretches of clips from all shards NAME-*.npz in a folder."""

    def __init__(self, folder: Path, name: str, seed: int) -> None:
        self._folder, self._name = folder, name
        self._rng = np.random.default_rng(seed)
        self._shards: dict[Path, dict[str, np.ndarray]] = {}

    def refresh(self) -> int:
        """Takes in new shards; how many there are."""
        for path in sorted(self._folder.glob(f"{self._name}-*.npz")):
            if path not in self._shards and ".part" not in path.name:
                small = dict(np.load(path))
                small["local"] = np.load(str(path)[:-4] + "-local.npy", mmap_mode="r")
                self._shards[path] = small
        if not self._shards:
            raise FileNotFoundError(f"{self._folder}: no shard {self._name}-*.npz; run the mixing first")
        return len(self._shards)

    def batch(self, size: int = BATCH, steps: int = STEPS) -> dict[str, Tensor]:
        picked: dict[str, list] = {k: [] for k in ("local", "levels", "age", "deviation", "flags")}
        shards = list(self._shards.values())
        for _ in range(size):
            shard = shards[self._rng.integers(len(shards))]
            clip = self._rng.integers(len(shard["age"]))
            start = self._rng.integers(shard["age"].shape[1] - steps + 1)
            for key, rows in picked.items():
                rows.append(shard[key][clip, start : start + steps])
        made = {k: torch.from_numpy(np.stack(v)) for k, v in picked.items()}
        made["local"] = (made["local"].float() - 128) / 127.5
        made["levels"] = (made["levels"].float() - 128) / 127.5
        return made


def louder_or_softer(batch: dict[str, Tensor]) -> None:
    """Gain of up to 8 dB either way, in the logarithmic domain, with the floor and ceiling of the features."""
    gain = torch.empty(len(batch["local"]), 1, 1).uniform_(-8, 8) / STEP_DB / 127.5
    batch["local"][..., :SPECTRAL] = (batch["local"][..., :SPECTRAL] + gain[..., None]).clamp(-128 / 127.5, 127 / 127.5)
    batch["levels"] = (batch["levels"] + gain).clamp(-128 / 127.5, 127 / 127.5)


def losses(net: Net, batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weighted terms of the loss, each a scalar."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        answers = net(batch["local"], batch["levels"])
    onset, frame, deviation, release = (a.float()[:, WARM:] for a in answers)
    age, true_deviation, flags = (batch[k][:, WARM:] for k in ("age", "deviation", "flags"))
    sounding = age != SILENT
    ms = age.float() * MS_PER_AGE
    true = true_deviation.float() / DEVIATION_STEPS
    known = true_deviation != NO_DEVIATION
    between = known & ~sounding & (true.abs() < 0.7)  # the neighbour of a pitch that lies between two: either is right
    count = onset[..., 0].numel()

    fresh = torch.where(sounding, ms, 1e4).amin(2)
    asked = sounding & (ms <= ONSET_MS)
    unasked = between | (sounding & (ms > ONSET_MS) & (ms <= ONSET_MS + IGNORED_MS))
    weight = torch.where((fresh < ATTACK_MS)[..., None], ATTACK_WEIGHT, 1.0)
    weight = weight * torch.where(asked & ((flags & AGAIN) > 0), AGAIN_WEIGHT, 1.0) * ~unasked
    onset_loss = F.binary_cross_entropy_with_logits(onset, asked.float(), weight, reduction="sum") / count
    frame_loss = (
        F.binary_cross_entropy_with_logits(frame, sounding.float(), (~between).float(), reduction="sum") / count
    )
    near = (known & (true.abs() < 1.6)).float() * torch.where(sounding & (ms < 80), 2.0, 1.0)
    deviation_loss = (F.smooth_l1_loss(deviation, true, beta=0.1, reduction="none") * near).sum() / (near.sum() + 1)
    judged = ((fresh < RELEASE_MS) | (fresh > RELEASE_IGNORED_MS)).float()
    just_now = (fresh < RELEASE_MS).float()
    release_loss = F.binary_cross_entropy_with_logits(release, just_now, judged)
    return {"onset": onset_loss, "frame": 0.5 * frame_loss, "deviation": deviation_loss, "release": 0.3 * release_loss}


def train(shards: Path, out: Path, *, minutes: float, seed: int, start: Path | None = None, rate: float = 3e-3) -> None:
    """Trains for `minutes` and writes the averaged weights to `out` as it goes. The pace falls to 0 over that time."""
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    data, dev = Shards(shards, "train", seed), Shards(shards, "dev", seed)
    data.refresh()
    dev.refresh()
    net = Net()
    if start is not None:
        net.load_state_dict(torch.load(start, weights_only=True))
    average = copy.deepcopy(net)
    print(f"{sum(p.numel() for p in net.parameters())} parameters", flush=True)
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-3, betas=(0.9, 0.98))
    dev_batches = [dev.batch() for _ in range(16)]
    began, step, history = time.monotonic(), 0, []
    while (done := (time.monotonic() - began) / 60 / minutes) < 1:
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, step / 100 + 0.02) * (0.5 + 0.5 * math.cos(math.pi * done)) + 1e-5
        batch = data.batch()
        louder_or_softer(batch)
        terms = losses(net, batch)
        optimiser.zero_grad()
        sum(terms.values()).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        step += 1
        with torch.no_grad():
            keep = min(0.998, step / (step + 20))
            for slow, fast in zip(average.parameters(), net.parameters(), strict=True):
                slow.lerp_(fast, 1 - keep)
        history.append([t.item() for t in terms.values()])
        if step % 400 == 0:
            with torch.no_grad():
                held = np.mean([[t.item() for t in losses(average, b).values()] for b in dev_batches], 0)
            shown = " ".join(f"{k} {a:.4f}/{b:.4f}" for k, a, b in zip(terms, np.mean(history, 0), held, strict=True))
            print(f"step {step}, {done * minutes:.1f} min, {data.refresh()} shards; train/dev: {shown}", flush=True)
            history = []
            torch.save(average.state_dict(), out)
    torch.save(average.state_dict(), out)
    print(f"{step} steps, {step * BATCH * STEPS} frames", flush=True)
