"""What comes before and after training: mixing, in a process of its own; conversion, scores and the card."""

from __future__ import annotations

import argparse
import math
from pathlib import Path


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
    scores = score(folder, Mixer(notes.load(args.data, args.soundfont, "dev"), [], [args.seed, 99]), args.clips)
    flat = {f"dev_{group}_{k}": v for group, row in scores.items() for k, v in row.items() if not math.isnan(v)}
    card.write(folder, made, flat, {})
    for key, value in flat.items():
        print(f"{key} = {value}")


def _command(args: argparse.Namespace) -> str:
    minutes = " ".join(f"{m:g}" for m in args.minutes)
    fonts = f" --soundfont {args.soundfont.name}" if args.soundfont else ""
    rest = f"--minutes {minutes} --shards {args.shards} --seed {args.seed}"
    return f"python -m models.training.pitch --data DATA{fonts} --out OUT {rest}"
