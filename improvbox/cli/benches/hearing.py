"""`improvbox bench hearing`: how long a hop takes."""

from __future__ import annotations

import argparse
import dataclasses
from typing import Any

import numpy as np

from improvbox.audio.source import RATE_HZ
from improvbox.box import realtime
from improvbox.box.folders import data_folder
from improvbox.box.parts import NO_MODEL
from improvbox.cli import common
from improvbox.cli.benches import plucks
from improvbox.clock import Stopwatch
from improvbox.config import Settings
from improvbox.errors import UsageError
from improvbox.hearing.listener import MODES, Listener
from improvbox.inference import store

DSP_HOP_FRAMES = 128
SHARE = 0.5  # of a hop, p99.9: the other half is for everything else


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="of sound, a mode (default 20)")
    parser.add_argument("--hearing", metavar="MODEL", help="pitch model, or 'dsp'; else as in the settings")


def run(args: argparse.Namespace, settings: Settings) -> int:
    if not 2 <= args.seconds <= 3600:
        raise UsageError(f"--seconds {args.seconds:g} must be 2..3600")
    if args.hearing:
        settings = dataclasses.replace(settings, hearing=dataclasses.replace(settings.hearing, model=args.hearing))
    name = settings.hearing.model
    folder = None if name == NO_MODEL else store.find(name, "pitch", data_folder(settings.box))
    listener = Listener(settings.hearing, folder)
    listener.start()
    realtime.calm_interpreter()
    realtime.ask_fifo(realtime.HEARING_PRIORITY)  # as in the live box; without it, other programs are measured too
    sound, _ = plucks.take(max(4, round(args.seconds / plucks.SPACING_S)))
    rows = [_time(listener, mode, sound) for mode in MODES if folder is not None or not MODES[mode]]
    if args.json:
        common.print_json({"model": name, "rows": rows})
        return 0
    print(f"hearing {name}, {len(sound) / RATE_HZ:.0f} s of plucks a mode; a hop may take half its own time")
    print(f"{'mode':16}{'hop':>6}" + "".join(f"{c:>10}" for c in ("p50 us", "p99 us", "p99.9 us", "budget", "load")))
    for row in rows:
        numbers = (row["p50_us"], row["p99_us"], row["p99_9_us"], row["budget_us"])
        print(
            f"{row['mode']:16}{row['hop_frames']:6}" + "".join(f"{n:10.0f}" for n in numbers) + f"{row['load']:10.1%}"
        )
    return 0


def _time(listener: Listener, mode: str, sound: np.ndarray) -> dict[str, Any]:
    """A hop is what the mode works on at once: two pushes at half rate count as one."""
    listener.switch(mode)
    hop = MODES[mode] or DSP_HOP_FRAMES
    listener.push(np.zeros(RATE_HZ // 2, np.float32))  # a net takes over when it has heard enough
    took = np.empty(len(sound) // hop)
    for number in range(len(took)):
        watch = Stopwatch()
        listener.push(sound[number * hop : (number + 1) * hop])
        took[number] = watch.elapsed_s()
    p50, p99, p99_9 = (np.percentile(took, (50, 99, 99.9)) * 1e6).round(1).tolist()
    return {
        "mode": mode,
        "hop_frames": hop,
        "hops": len(took),
        "p50_us": p50,
        "p99_us": p99,
        "p99_9_us": p99_9,
        "budget_us": SHARE * hop / RATE_HZ * 1e6,
        "load": float(took.sum() / (len(took) * hop / RATE_HZ)),
    }
