"""One command from single notes to a scored int8 model: mix, train, convert, score."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from pathlib import Path

from models.training.pitch.stages import finish, mix_all

FIRST_RATE, LATER_RATE = 3e-3, 1.5e-3  # of learning, at the start of the first round and of later ones


def main() -> int:
    args = _arguments()
    shards, work = args.out / "shards", args.out / "work"
    work.mkdir(parents=True, exist_ok=True)
    mixing = multiprocessing.get_context("spawn").Process(target=mix_all, args=(args, shards), daemon=True)
    mixing.start()
    while not (any(shards.glob("train-???.npz")) and any(shards.glob("dev-???.npz"))):
        if not mixing.is_alive():
            return 1
        time.sleep(1)
    from models.training.pitch.train import train  # late: the mixing process needs no torch

    checkpoint: Path | None = args.start
    for i, minutes in enumerate(args.minutes):
        done = work / f"round-{i}.pt"
        rate = FIRST_RATE if checkpoint is None else LATER_RATE
        train(shards, done, minutes=minutes, seed=args.seed + i, start=checkpoint, rate=rate)
        checkpoint = done
    mixing.terminate()
    assert checkpoint is not None
    finish(args, checkpoint, shards)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.pitch", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder of notes an instrument")
    parser.add_argument("--soundfont", type=Path, help="FluidR3_GM.sf2: plucked timbres that are no guitar")
    parser.add_argument("--out", type=Path, required=True, help="shards, checkpoints and the model's folder go there")
    parser.add_argument("--minutes", type=float, nargs="+", default=[62.0], help="of training, by round")
    parser.add_argument("--shards", type=int, default=16, help="of 5.3 minutes of sound each (95 MB)")
    parser.add_argument("--clips", type=int, default=24, help="of 8 s to score on")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, help="checkpoint to go on from")
    parser.add_argument("--name", default="pitch-v1", help="of the model's folder")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
