"""Trains the event model.

    python -m models.training.band.train --data DIR --out DIR [--steps 4000] [--seed 0] [--init W.pt]

Same seed, data and steps: the same weights on the same machine. A checkpoint is written every few minutes and an
interrupted run goes on from it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from pathlib import Path

import numpy as np
import torch

from improvbox.band import vocabulary as v
from improvbox.clock import Stopwatch
from models.training.band import batches, dataset, losses
from models.training.band.attributes import Ranks
from models.training.band.net import Net

STREAMS, LENGTH = 96, 64
QUERIES = 6144  # of a step's 18,432 (event, player) pairs: neighbours say much the same
WEIGHTS = {"time": 1.0, "pitch": 1.0, "velocity": 0.15, "duration": 0.4}
RATE, WARM_STEPS, AVERAGE = 3e-3, 100, 0.998
CHECKPOINT_STEPS = 100
Table = dict[str, dict[str, float]]


def rate(step: int, steps: int) -> float:
    """Warm-up, then a cosine down to a fiftieth."""
    return RATE * min(1.0, (step + 1) / WARM_STEPS) * (0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * step / steps)))


def load_arrays(folder: Path) -> dict[str, np.ndarray]:
    """A split, read into memory."""
    return {name: np.array(array) for name, array in dataset.load(folder).items()}


def step_loss(net: Net, streams: batches.Streams, state: torch.Tensor, rng: np.random.Generator):
    """(loss, mean cost by field, state for the next chunk)."""
    index, fresh, renditions = streams.next()
    state = state * torch.from_numpy(~fresh).float()[None, :, None]
    h, after = net.core(batches.core_rows(streams.arrays, index), state)
    asked = np.argwhere(streams.arrays["asked"][index])  # (stream, place, band)
    chosen = asked[rng.permutation(len(asked))[:QUERIES]]
    events, bands = index[chosen[:, 0], chosen[:, 1]], chosen[:, 2]
    q = batches.queries(streams.arrays, events, bands)
    condition = streams.conditions(chosen[:, 0], events, bands, renditions)
    costs = losses.nats(net, h[torch.from_numpy(chosen[:, 0]), torch.from_numpy(chosen[:, 1])], q, condition)
    means = {name: cost.nanmean() for name, cost in costs.items()}
    loss = sum((WEIGHTS[n] * m for n, m in means.items()), torch.zeros(()))
    return loss, {n: m.detach() for n, m in means.items()}, after.detach().float()


@torch.no_grad()
def evaluate(net: Net, arrays: dict[str, np.ndarray], ranks: Ranks | None = None, every: int = 1) -> Table:
    """Nats per query by corpus and field, teacher-forced, state carried from each rendition's start, no conditions.

    `every`: only each so-many-th rendition. With `ranks` every attribute is told, which looks ahead: a figure to
    compare runs by, not a result.
    """
    totals: dict[str, dict[str, list[float]]] = {}
    starts = arrays["starts"]
    ranked = None if ranks is None else ranks(np.asarray(arrays["attributes"], np.float32))
    for r, (a, b) in enumerate(itertools.pairwise(starts)):
        if r % every:
            continue
        index = np.arange(a, b)
        h, _ = net.core(batches.core_rows(arrays, index[None]))
        asked = np.argwhere(arrays["asked"][index])
        if not len(asked):
            continue
        events, bands = index[asked[:, 0]], asked[:, 1]
        values = np.zeros((len(events), len(v.CONDITIONS))) if ranked is None else ranked[events, bands]
        idiom = np.full(len(events), -1 if ranked is None else int(arrays["idiom"][r]))
        condition = batches.condition_rows(values, np.full(values.shape, ranked is not None), idiom)
        costs = losses.nats(net, h[0][torch.from_numpy(asked[:, 0])], batches.queries(arrays, events, bands), condition)
        for key in ("all", dataset.corpora.CORPORA[int(arrays["corpus"][r])]):
            row = totals.setdefault(key, {})
            for name, cost in costs.items():
                known = cost[~cost.isnan()]
                total = row.setdefault(name, [0.0, 0.0])
                total[0] += float(known.sum())
                total[1] += len(known)
    return {key: {n: round(s / max(c, 1), 4) for n, (s, c) in row.items()} for key, row in totals.items()}


def train(data: Path, out: Path, steps: int, seed: int, init: Path | None = None) -> None:
    """Trains and leaves `last.pt` (net: averaged weights, raw: those of the optimiser) and `log.jsonl` in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    net, average = Net(), Net()
    arrays = load_arrays(data / "train")
    ranks = Ranks(np.asarray(arrays["attributes"][:: max(1, len(arrays["attributes"]) // 200_000)], np.float32))
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.02, betas=(0.9, 0.98))
    first = 0
    if (out / "last.pt").exists():
        saved = torch.load(out / "last.pt", weights_only=True)
        net.load_state_dict(saved["raw"])
        average.load_state_dict(saved["net"])
        optimiser.load_state_dict(saved["optimiser"])
        first = int(saved["step"])
    elif init:
        net.load_state_dict(torch.load(init, weights_only=True)["net"])
    if not first:
        average.load_state_dict(net.state_dict())
    rng = np.random.default_rng([seed, first])
    streams = batches.Streams(arrays, ranks, STREAMS, LENGTH, rng)
    state = torch.zeros(2, STREAMS, net.hidden)
    running: dict[str, float] = {}
    watch = Stopwatch()
    print(f"{sum(p.numel() for p in net.parameters())} parameters, {len(arrays['core'])} events", flush=True)
    for step in range(first, steps):
        for group in optimiser.param_groups:
            group["lr"] = rate(step, steps)
        with torch.autocast("cpu", torch.bfloat16):
            loss, means, state = step_loss(net, streams, state, rng)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        with torch.no_grad():
            keep = min(AVERAGE, (step + 1) / (step + 10))
            for mean, now in zip(average.parameters(), net.parameters(), strict=True):
                mean.lerp_(now, 1.0 - keep)
        for name, value in means.items():
            running[name] = running.get(name, float(value)) * 0.98 + float(value) * 0.02
        if step % 50 == 49:
            fields = {n: round(x, 3) for n, x in running.items()}
            print(json.dumps({"step": step + 1, "s": round(watch.elapsed_s()), **fields}), flush=True)
        if (step + 1) % CHECKPOINT_STEPS == 0 or step + 1 == steps:
            saved = {"net": average.state_dict(), "raw": net.state_dict(), "optimiser": optimiser.state_dict()}
            torch.save({**saved, "step": step + 1, "ranks": torch.from_numpy(ranks.table)}, out / "last.pt.part")
            (out / "last.pt.part").replace(out / "last.pt")
    print("valid", json.dumps(evaluate(average, load_arrays(data / "valid"), every=4)), flush=True)


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--data", type=Path, required=True, help="what dataset.py made")
    args.add_argument("--out", type=Path, required=True, help="folder of checkpoints")
    args.add_argument("--steps", type=int, default=4000)
    args.add_argument("--seed", type=int, default=0)
    args.add_argument("--init", type=Path, help="weights to start from")
    a = args.parse_args()
    torch.set_num_threads(1)
    train(a.data, a.out, a.steps, a.seed, a.init)


if __name__ == "__main__":
    main()
