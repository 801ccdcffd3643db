"""Held-out likelihood: the float net, the quantized file as the box runs it, and an n-gram, on the same queries.

    python -m models.training.band.score --symbolic DIR --data DIR --weights W.pt --model models/tflite/band-v1

Nats per query (every event asks every player for its next note), teacher-forced, no conditions, by field. The
quantized figures come from `EventModel.judge`, event by event: they prove that training and runtime agree, too.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch

from improvbox.band.event_model import EventModel
from improvbox.band.types import Controls, Played
from improvbox.events import BANDS
from improvbox.inference.publish import rewrite_tables
from models.training.band import corpora, ngram, renditions, settings, train
from models.training.band.net import Net

PIECES = {"bach_chorales": 20, "openewld": 8, "mutopia_guitar": 5, "freedoom_multitrack": 4}
EVENTS = 400  # of each piece
NGRAM_QUERIES = 1_500_000


def performances(symbolic: Path) -> list[tuple[str, renditions.Performance]]:
    """(corpus, performance) of the first test pieces, the human on the top line, exact time."""
    made = []
    for corpus, count in PIECES.items():
        pieces = [p for p in corpora.read(symbolic, corpus) if p.split == "test"]
        rng = np.random.default_rng(0)
        made += [(corpus, renditions.perform(s, rng, True)) for p in pieces[:count] for s in settings.settings(p, None)]
    return made


def arrays_of(chosen: list[tuple[str, renditions.Performance]]) -> dict[str, np.ndarray]:
    """As dataset.py makes them."""
    parts = [renditions.extract(p, EVENTS) for _, p in chosen]
    starts = np.cumsum([0, *(len(p["core"]) for p in parts)])
    joined = {n: np.concatenate([p[n] for p in parts]) for n in renditions.FIELDS}
    numbers = np.array([corpora.CORPORA.index(c) for c, _ in chosen], np.uint8)
    return joined | {"starts": starts, "corpus": numbers, "idiom": numbers}


def judged(model: EventModel, chosen: list[tuple[str, renditions.Performance]]) -> dict[str, dict[str, float]]:
    """Nats of the model as the box runs it, on the same queries as `train.evaluate`."""
    totals: dict[str, dict[str, list[float]]] = {}
    for corpus, performance in chosen:
        model.reset()
        asked = renditions.extract(performance, EVENTS)["asked"]
        following = _following(performance)
        place = 0
        for index, (_, event) in enumerate(performance.events):
            if not model.feed(event, performance.grid):
                continue
            if place >= len(asked):
                break
            for band, name in enumerate(BANDS):
                if not asked[place, band]:
                    continue
                note = following[index][band] or Played(name, 60, 1e6, 64, 1.0)  # none within reach
                verdict = model.judge(note, Controls(), grid=performance.grid)
                assert verdict is not None
                for key in ("all", corpus):
                    row = totals.setdefault(key, {})
                    for field in ("time", "pitch", "velocity", "duration"):
                        cost = -getattr(verdict, f"log_{field}")
                        if not np.isnan(cost):
                            total = row.setdefault(field, [0.0, 0.0])
                            total[0] += cost
                            total[1] += 1
            place += 1
    return {key: {n: round(s / c, 4) for n, (s, c) in row.items()} for key, row in totals.items()}


def _following(performance: renditions.Performance) -> list[list[Played | None]]:
    """After each event, each player's next note."""
    after: list[list[Played | None]] = []
    state: list[Played | None] = [None] * len(BANDS)
    for _, event in reversed(performance.events):
        after.append(list(state))
        if isinstance(event, Played) and event.part in BANDS:
            state[BANDS.index(event.part)] = event
    return after[::-1]


def grams(train_arrays: dict[str, np.ndarray], test: dict[str, np.ndarray]) -> dict[str, dict[str, float]]:
    """Nats of the n-grams, fitted on metered training queries."""
    metered = train_arrays["floats"][:, 7] > 0.5
    asked = np.argwhere(train_arrays["asked"] & metered[:, None])
    rng = np.random.default_rng(0)
    asked = asked[rng.choice(len(asked), min(NGRAM_QUERIES, len(asked)), replace=False)]
    data = ngram.table(train_arrays, asked[:, 0], asked[:, 1])
    models = {field: ngram.Grams(field, data) for field in ngram.CONTEXTS}
    corpus = np.repeat(test["corpus"], np.diff(test["starts"]))
    pairs = np.argwhere(test["asked"])
    made = {}
    for key in ("all", *corpora.CORPORA):
        chosen = pairs if key == "all" else pairs[corpus[pairs[:, 0]] == corpora.CORPORA.index(key)]
        rows = ngram.table(test, chosen[:, 0], chosen[:, 1])
        made[key] = {field: round(model.nats(rows)[0], 4) for field, model in models.items()}
    return made


def all_scores(net: Net, model: EventModel, chosen: list[tuple[str, renditions.Performance]], data: Path) -> dict:
    """Float, quantized and n-gram side by side; `data`: what dataset.py made."""
    test = arrays_of(chosen)
    scores: dict = {
        "float": train.evaluate(net, test),
        "quantized": judged(model, chosen),
        "ngram": grams(train.load_arrays(data / "train"), test),
    }
    total = {
        n: sum(scores[n]["all"][f] for f in ("time", "pitch", "velocity", "duration")) for n in ("float", "quantized")
    }
    scores["quantization_loss"] = round(total["quantized"] / total["float"] - 1.0, 5)
    scores["events"], scores["pieces"] = len(test["core"]), len(chosen)
    return scores


def publish_scores(folder: Path, scores: dict) -> None:
    """Prints them and writes them on the model's card."""
    print(json.dumps(scores, indent=1))
    rewrite_tables(folder, {"scores": {"held_out_nats_a_query": scores}})


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--symbolic", type=Path, required=True)
    args.add_argument("--data", type=Path, required=True, help="what dataset.py made, for the n-gram")
    args.add_argument("--weights", type=Path, required=True)
    args.add_argument("--model", type=Path, required=True, help="the model folder; its card gets the scores")
    a = args.parse_args()
    torch.set_num_threads(1)
    net = Net()
    net.load_state_dict(torch.load(a.weights, weights_only=True)["net"])
    publish_scores(a.model, all_scores(net, EventModel(a.model).start(), performances(a.symbolic), a.data))


if __name__ == "__main__":
    main()
