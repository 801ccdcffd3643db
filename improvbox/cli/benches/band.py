"""`improvbox bench band`: how long the event model takes to hear a note and to answer with one."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from improvbox.band.event_model import EventModel
from improvbox.band.types import Controls, Ended, Limits, Played
from improvbox.box import realtime
from improvbox.box.folders import data_folder
from improvbox.cli import common
from improvbox.clock import Stopwatch
from improvbox.config import Settings
from improvbox.errors import UsageError
from improvbox.events import BANDS
from improvbox.inference import store
from improvbox.tempo import Grid

BUDGET_MS = 3.0  # one feed and one query, p99, on a Pi 4
WARM_UP = 20  # events that are not counted
STEP_S = 0.25  # an eighth at 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--events", type=int, default=500, metavar="N", help="notes to hear and answer (default 500)")
    parser.add_argument("--model", metavar="MODEL", help="event model; else as in the settings")


def run(args: argparse.Namespace, settings: Settings) -> int:
    if not 10 <= args.events <= 1_000_000:
        raise UsageError(f"--events {args.events} must be 10..1000000")
    name = args.model or settings.band.model
    model = EventModel(store.find(name, "band", data_folder(settings.box)))
    model.start()
    realtime.calm_interpreter()
    realtime.ask_fifo(realtime.BAND_PRIORITY)  # as in the live box; without it, other programs are measured too
    rows = [_time(model, world, grid, args.events) for world, grid in (("free", None), ("metered", Grid(120.0)))]
    if args.json:
        common.print_json({"model": name, "budget_ms": BUDGET_MS, "rows": rows})
        return 0
    print(f"{name}, {args.events} notes a row; one feed and one query may take {BUDGET_MS:g} ms (p99, Raspberry Pi 4)")
    print(f"{'time':10}{'':16}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}")
    for row in rows:
        for what in ("feed", "query", "feed+query"):
            print(f"{row['time']:10}{what:16}" + "".join(f"{n:9.3f}" for n in row[what]))
    return 0


def _time(model: EventModel, world: str, grid: Grid | None, events: int) -> dict[str, Any]:
    """Human notes drawn from a scale, each heard, ended and answered by the bands in turn."""
    rng = np.random.default_rng(1)
    scale = np.array([40, 43, 45, 47, 50, 52, 55, 57, 59, 62, 64, 67, 69, 71, 74, 76])
    model.reset()
    took = np.empty((WARM_UP + events, 2))
    for number in range(len(took)):
        t, part = number * STEP_S, BANDS[number % len(BANDS)]
        pitch = int(rng.choice(scale))
        note = Played("human", pitch, t, int(rng.integers(50, 110)))
        watch = Stopwatch()
        model.feed(note, grid)
        took[number, 0] = watch.elapsed_s()
        watch.restart()
        answer = model.query(part, Controls(density=0.5), Limits.of(part, must=True), rng, now=t + 0.02, grid=grid)
        took[number, 1] = watch.elapsed_s()
        if answer is not None:  # heard too, so that the context is that of a session
            model.feed(Played(part, answer.pitch, answer.onset, answer.velocity, answer.duration), grid)
        model.feed(Ended("human", pitch, t + 0.8 * STEP_S), grid)
    took = took[WARM_UP:] * 1e3
    columns = {"feed": took[:, 0], "query": took[:, 1], "feed+query": took.sum(axis=1)}
    points = {name: np.percentile(ms, (50, 99, 100)).round(4).tolist() for name, ms in columns.items()}
    return {"time": world, "events": events, **points}
