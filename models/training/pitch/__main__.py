"""One command from single notes to a scored int8 model: mix, train, convert, score."""

from __future__ import annotations

import argparse
import math
import multiprocessing
import sys
import time
from pathlib import Path

FIRST_RATE, LATER_RATE = 3e-3, 1.5e-3  # of learning, at the start of the first round and of later ones
DEV_CLIPS = 40


def main() -> int:
    args = _arguments()
    shards, work = args.out / "shards", args.out / "work"
    work.mkdir(parents=True, exist_ok=True)
    mixing = multiprocessing.get_context("spawn").Process(target=mix_all, args=(args, shards), daemon=True)
    mixing.start()
    while not (any(shards.glob("train-*.npz")) and any(shards.glob("dev-*.npz"))):
        if not mixing.is_alive():
            return 1
        time.sleep(1)
    from models.training.pitch.train import train

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


def mix_all(args: argparse.Namespace, shards: Path) -> None:
    """The mixing process: one shard of held-back notes, then training shards; those that exist are kept."""
    from models.training.pitch import notes
    from models.training.pitch.mix import Mixer, write_shards

    muted = notes.muted(args.data / notes.GUITARS[0])
    for i, (split, count) in enumerate((("train", 1), ("dev", 1), ("train", args.shards - 1))):
        first = len(list(shards.glob(f"{split}-*.npz")))
        bank = notes.load(args.data, args.soundfont, split)
        mixer = Mixer(bank, muted, [args.seed, i, first])
        write_shards(mixer, shards, split, first, min(count, args.shards - first))


def finish(args: argparse.Namespace, checkpoint: Path, shards: Path) -> None:
    """Converts, scores on held-back notes and writes the card."""
    import torch

    from models.training.pitch import card, convert, notes
    from models.training.pitch.mix import Mixer
    from models.training.pitch.score import score

    folder = args.out / args.name
    folder.mkdir(exist_ok=True)
    convert.main(checkpoint, min(shards.glob("train-*.npz")), folder / "model.tflite")
    parameters = sum(v.numel() for v in torch.load(checkpoint, weights_only=True).values())
    made = card.Made(parameters=parameters, command=_command(args), seed=args.seed)
    card.write(folder, made, {"state": "not scored"}, {})
    scores = score(folder, Mixer(notes.load(args.data, args.soundfont, "dev"), [], [args.seed, 99]), DEV_CLIPS)
    flat = {f"dev_{group}_{k}": v for group, row in scores.items() for k, v in row.items() if not math.isnan(v)}
    card.write(folder, made, flat, {})
    for key, value in flat.items():
        print(f"{key} = {value}")


def _command(args: argparse.Namespace) -> str:
    minutes = " ".join(f"{m:g}" for m in args.minutes)
    fonts = f" --soundfont {args.soundfont.name}" if args.soundfont else ""
    return f"python -m models.training.pitch --data DATA{fonts} --out OUT --minutes {minutes} --seed {args.seed}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m models.training.pitch", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with one folder of notes an instrument")
    parser.add_argument("--soundfont", type=Path, help="FluidR3_GM.sf2: plucked timbres that are no guitar")
    parser.add_argument("--out", type=Path, required=True, help="shards, checkpoints and the model's folder go there")
    parser.add_argument("--minutes", type=float, nargs="+", default=[62.0, 25.0], help="of training, by round")
    parser.add_argument("--shards", type=int, default=17, help="of 5.3 minutes of sound each (95 MB)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, help="checkpoint to go on from")
    parser.add_argument("--name", default="pitch-v1", help="of the model's folder")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
