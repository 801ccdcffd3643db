#!/usr/bin/env python3
"""How long one event takes: `feed` + `query` of the event model, next to Notochord's default model in the same run.

    python benchmarks/band_speed.py [--events 600] [--model band-v1] [--peer PYTHON_WITH_NOTOCHORD]

One thread each, the two take turns in blocks so that a busy machine is unfair to neither. Notochord's weights are
untrained (speed does not depend on them); its event is `feed` + `query`, fixed instrument, everything else default.
Prints one JSON object; times in ms. p50 and p99 are wall time and suffer when the machine is shared; `cpu_ms` is the
mean CPU time of one event (ours: `feed` and all three queries) and does not.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

BLOCK = 50  # events of one system before the other has its turn
WARM = 20  # events not counted
PARTS = ("human", "bass", "mid", "high")

PEER = """
import json, sys, time
import torch
torch.set_num_threads(1)
from notochord import Notochord
model = Notochord().eval()
print(json.dumps({"parameters": sum(p.numel() for p in model.parameters())}), flush=True)
with torch.inference_mode():
    model.reset()
    n = 0
    for line in sys.stdin:
        times = []
        cpu = time.process_time()
        for _ in range(int(line)):
            n += 1
            start = time.perf_counter()
            model.feed(1 + n % 4, 48 + n * 7 % 24, 0.12, 80.0)
            model.query(next_inst=1 + (n + 1) % 4, min_vel=1)
            times.append(time.perf_counter() - start)
        print(json.dumps({"wall": times, "cpu": time.process_time() - cpu}), flush=True)
"""


class Ours:
    """The event model on an endless quartet."""

    def __init__(self, name: str) -> None:
        from improvbox.band.event_model import EventModel
        from improvbox.band.types import Controls, Limits, Played
        from improvbox.clock import Stopwatch
        from improvbox.inference.store import find
        from improvbox.tempo import Grid

        self._model = EventModel(find(name, "band")).start()
        self._limits, self._played, self._stopwatch = Limits, Played, Stopwatch
        self._controls = Controls(density=0.5, order=0.7, texture=0.4)
        self._grid = Grid(110.0)
        self._rng = np.random.default_rng(0)
        self._n = 0
        assert self._model.card is not None
        self.parameters = self._model.card.parameters

    def block(self, events: int) -> dict[str, list[float]]:
        """Seconds of `feed`, of one `query`, and of a whole event: `feed` and all three players' queries."""
        made: dict[str, list[float]] = {"feed": [], "query": [], "feed_query": [], "feed_three_queries": []}
        for _ in range(events):
            self._n += 1
            t = 0.12 * self._n
            part = PARTS[self._n % 4]
            low = {"human": 60, "bass": 36, "mid": 54, "high": 74}[part]
            note = self._played(part, low + self._n * 7 % 12, t, 80, None if part == "human" else 0.3)
            watch = self._stopwatch()
            self._model.feed(note, self._grid)
            marks = [watch.elapsed_s()]
            for band in PARTS[1:]:
                limits = self._limits.of(band, earliest=t + 0.04, must=True)
                self._model.query(band, self._controls, limits, self._rng, now=t, grid=self._grid)
                marks.append(watch.elapsed_s())
            made["feed"].append(marks[0])
            made["query"].append(marks[1] - marks[0])
            made["feed_query"].append(marks[1])
            made["feed_three_queries"].append(marks[3])
        return made


def summary(seconds: list[float]) -> dict[str, float]:
    """p50 and p99 in ms."""
    ms = np.array(seconds) * 1e3
    return {"p50_ms": round(float(np.percentile(ms, 50)), 4), "p99_ms": round(float(np.percentile(ms, 99)), 4)}


def main() -> int:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--events", type=int, default=600)
    args.add_argument("--model", default="band-v1", help="name or folder")
    args.add_argument("--peer", help="a Python that can import notochord; without one only ours is measured")
    a = args.parse_args()
    ours = Ours(a.model)
    peer = None
    if a.peer:
        peer = subprocess.Popen(
            [a.peer, "-c", PEER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": ""},
        )
        assert peer.stdin and peer.stdout
        peer_parameters = json.loads(peer.stdout.readline())["parameters"]
    times: dict[str, list[float]] = {}
    peer_times: list[float] = []
    cpu, peer_cpu = 0.0, 0.0
    ours.block(WARM)
    for number, start in enumerate(range(0, a.events, BLOCK)):
        count = min(BLOCK, a.events - start)
        begun = time.process_time()
        for name, values in ours.block(count).items():
            times.setdefault(name, []).extend(values)
        cpu += time.process_time() - begun
        if peer:
            peer.stdin.write(f"{count}\n")
            peer.stdin.flush()
            block = json.loads(peer.stdout.readline())
            peer_times.extend(block["wall"] if number else block["wall"][WARM:])
            peer_cpu += block["cpu"]
    result: dict = {
        "events": a.events,
        "ours": {
            "parameters": ours.parameters,
            "cpu_ms": round(1e3 * cpu / a.events, 3),
            **{n: summary(t) for n, t in times.items()},
        },
    }
    if peer:
        peer.stdin.close()
        peer.wait()
        result["notochord"] = {
            "parameters": peer_parameters,
            "cpu_ms": round(1e3 * peer_cpu / a.events, 3),
            "feed_query": summary(peer_times),
        }
        theirs, mine = result["notochord"]["feed_query"], result["ours"]
        result["ratio"] = {
            f"{name}_{q}": round(mine[name][f"{q}_ms"] / theirs[f"{q}_ms"], 4)
            for name in ("feed_query", "feed_three_queries")
            for q in ("p50", "p99")
        } | {"cpu_whole_event": round(mine["cpu_ms"] / result["notochord"]["cpu_ms"], 4)}
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
