"""Builds the training arrays: every piece in many renditions, one array a field, cut into renditions by `starts`.

python -m models.training.band.dataset --data DIR --out DIR [--rounds N] [--seed S]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from improvbox.clock import Stopwatch
from models.training.band import corpora, renditions, settings

ROUNDS = {"bach_chorales": 6, "openewld": 3, "mutopia_guitar": 4, "freedoom_multitrack": 2}  # renditions a piece
LONGEST = 1500  # events of one rendition


def collect(folder: Path, split: str, share: float, seed: int, plain: bool) -> dict[str, np.ndarray]:
    """All renditions of a split; `share` scales the rounds."""
    parts: list[dict[str, np.ndarray]] = []
    idioms, corpus_of, starts, watch = [], [], [0], Stopwatch()
    for number, corpus in enumerate(corpora.CORPORA):
        for place, piece in enumerate(corpora.read(folder, corpus)):
            if piece.split != split:
                continue
            rng = np.random.default_rng([seed, number, place])
            for _ in range(1 if plain else max(1, round(ROUNDS[corpus] * share))):
                for setting in settings.settings(piece, None if plain else rng):
                    made = renditions.extract(renditions.perform(setting, rng, plain), LONGEST)
                    if len(made["core"]) < 40:
                        continue
                    parts.append(made)
                    starts.append(starts[-1] + len(made["core"]))
                    idioms.append(renditions.idiom_of(setting))
                    corpus_of.append(number)
        print(f"{split} {corpus}: {starts[-1]} events, {watch.elapsed_s():.0f} s", flush=True)
    joined = {name: np.concatenate([p[name] for p in parts]) for name in renditions.FIELDS}
    return joined | {
        "starts": np.array(starts),
        "idiom": np.array(idioms, np.uint8),
        "corpus": np.array(corpus_of, np.uint8),
    }


def save(arrays: dict[str, np.ndarray], folder: Path) -> None:
    """One .npy a field, so that training maps them instead of reading them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)


def load(folder: Path) -> dict[str, np.ndarray]:
    """The arrays of a split."""
    return {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}


def split_table(folder: Path) -> dict[str, dict[str, list[str]]]:
    """Ids held out, by split and corpus."""
    table: dict[str, dict[str, list[str]]] = {"valid": {}, "test": {}}
    for corpus in corpora.CORPORA:
        for piece in corpora.read(folder, corpus):
            if piece.split in table:
                table[piece.split].setdefault(corpus, []).append(piece.id)
    return table


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--data", type=Path, required=True, help="folder of the symbolic corpora")
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--rounds", type=float, default=1.0, help="scales how many renditions each piece gets")
    args.add_argument("--seed", type=int, default=0)
    args.add_argument("--splits", default="train,valid,test")
    args.add_argument("--list", type=Path, help="also write the held-out ids as TOML, e.g. split.toml")
    a = args.parse_args()
    if a.list:
        lines = ["# Held out of training, by tune. Written by models.training.band.dataset."]
        for split, table in split_table(a.data).items():
            lines += ["", f"[{split}]", *(f"{c} = {json.dumps(ids, ensure_ascii=False)}" for c, ids in table.items())]
        a.list.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for split in a.splits.split(","):
        save(collect(a.data, split, a.rounds, a.seed, plain=split != "train"), a.out / split)


if __name__ == "__main__":
    main()
