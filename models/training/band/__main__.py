"""One command from the corpora to a scored model folder.

    python -m models.training.band --symbolic DIR --work DIR [--out models/tflite/band-v1] [--steps 2400] [--seed 0]

Needs the [train] extra. `--work` takes 1 GB: the arrays (kept: a second run skips making them) and the checkpoints
(an interrupted run goes on). About 12 CPU minutes for the arrays and 0.6 CPU seconds a step.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from improvbox.band.event_model import EventModel
from models.training.band import corpora, dataset, export, score, train
from models.training.band.net import Net

DATA_SEED = 1


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--symbolic", type=Path, required=True, help="folder of the symbolic corpora")
    args.add_argument("--work", type=Path, required=True, help="folder for arrays and checkpoints")
    args.add_argument("--out", type=Path, default=Path("models/tflite/band-v1"))
    args.add_argument("--steps", type=int, default=2400)
    args.add_argument("--seed", type=int, default=0)
    a = args.parse_args()
    torch.set_num_threads(1)
    for split in ("train", "valid"):
        if not (a.work / "data" / split / "starts.npy").exists():
            made = dataset.collect(a.symbolic, split, 1.0, DATA_SEED, plain=split != "train")
            dataset.save(made, a.work / "data" / split)
    train.train(a.work / "data", a.work / "run", a.steps, a.seed)
    finish(a.symbolic, a.work, a.work / "run" / "last.pt", a.out, a.seed)


def finish(symbolic: Path, work: Path, weights: Path, out: Path, seed: int) -> None:
    """Publishes the weights with their card and scores the file."""
    net = Net()
    saved = torch.load(weights, weights_only=True)
    net.load_state_dict(saved["net"])
    arrays = dataset.load(work / "data" / "train")
    training = {
        "command": "python -m models.training.band --symbolic DIR --work DIR",
        "seed": seed,
        "steps": int(saved["step"]),
        "queries_a_step": train.QUERIES,
        "events": len(arrays["core"]),
        "renditions": len(arrays["idiom"]),
        "held_out": "models/training/band/split.toml, by tune",
        "data": [dict(row) for row in corpora.LICENCES],
    }
    export.publish_model(net, out, training)
    chosen = score.performances(symbolic)
    score.publish_scores(out, score.all_scores(net, EventModel(out).start(), chosen, work / "data"))


if __name__ == "__main__":
    main()
