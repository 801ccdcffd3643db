#!/usr/bin/env python3
"""Hearing on a bench of takes with exact truth, hop by hop as in the live box, next to its peers in the same run.

    python benchmarks/hearing.py [BENCH] [--takes FOLDER] [--peer-python PYTHON] [--systems NAME,...] [--json FILE]

BENCH (default ../shared/bench/pitch) holds `score.py` and `systems/`; the takes, rendered by its `make_takes.py`, lie
in BENCH/takes or --takes. Needs mir_eval. Peers run in --peer-python, where they are installed; absent ones are named.
Nothing is written but --json and --keep. One process at a time, one thread; compute is CPU time of the thread, and is
part of every delay.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from improvbox.audio.wav import WavSource
from improvbox.clock import CpuStopwatch
from improvbox.config import HearingSettings
from improvbox.events import HumanEvent, NoteOff, NoteOn, PitchBend
from improvbox.hearing.listener import MODES, Listener
from improvbox.inference import store

BLOCK_FRAMES = 64  # a period of the live box
GRID_S = 0.005  # of the pitch contour, as the bench scores it

OURS = {"improvbox": "model", "improvbox half rate": "model half rate", "improvbox dsp": "dsp"}
PEERS = (
    "aubio-yinfft-1024",
    "aubio-yinfft-2048",
    "aubio-yinfast-1024",
    "aubio-notes",
    "multiwin-nsdf",
    "swift-f0",
    "basic-pitch",
)

# Runs one peer over all takes with the bench's own adapter; argv: bench, takes, system, out.
PEER = """
import glob, json, os, sys, time
for k in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"): os.environ[k] = "1"
bench, takes, system, out = sys.argv[1:]
sys.path[:0] = [bench, bench + "/systems"]
import run_systems
from common import SR, load, segment, write_est
run, meta = run_systems.SYS[system]()
notes_only, seg = meta.pop("notes", False), meta.pop("seg", {})
for path in sorted(glob.glob(takes + "/*.wav")):
    x = load(path)
    start = time.process_time()
    r = run(x)
    cpu = (time.process_time() - start) / (len(x) / SR)
    notes, frames = (r, None) if notes_only else (segment(r[0], x, hop=max(r[1], .0025), infer_s=r[2], **seg), r[0])
    if frames is not None:
        frames = [(tc, m if c >= .5 else None, ta + r[2]) for ta, tc, m, c in frames]
    write_est(out + "/" + os.path.basename(path)[:-4] + ".json", system, notes, frames, cpu_per_audio_s=cpu, **meta)
"""

# column -> where it lies in the scores: group, then keys
COLUMNS = {
    "mono gm": ("mono-gm", "noteF1"),
    "real": ("mono-real", "noteF1"),
    "16ths": ("fast16@140", "noteF1"),
    "bends": ("bends+vibrato", "noteF1"),
    "legato": ("hammer-on/pull-off", "noteF1"),
    "poly gm": ("poly-gm", "noteF1"),
    "real ": ("poly-real", "noteF1"),
    "RPA50": ("mono", "RPA50"),
    "oct %": ("mono", "octave_pct"),
    "med ms": ("mono", "delay", "all", "med"),
    "p90": ("mono", "delay", "all", "p90"),
    "poly med": ("poly", "delay", "all", "med"),
    "p90 ": ("poly", "delay", "all", "p90"),
    "<30 %": ("mono", "delay", "all", "on30"),
    "poly <30": ("poly", "delay", "all", "on30"),
    "vel": ("mono", "vel_spearman"),
    "CPU": ("cpu_per_audio_s",),
}
REGISTERS = ("E2-B2", "C3-B3", "C4-B4", "C5-E6")
NOTHINGS = ("silence", "noise", "hum50", "chucks", "fretnoise")


def main() -> int:
    args = arguments()
    takes = args.takes or args.bench / "takes"
    if not list(takes.glob("*.wav")):
        sys.exit(f"{takes}: no takes; render them with {args.bench}/make_takes.py or name their folder with --takes")
    scorer = scorer_of(args.bench)
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        for name in args.systems.split(","):
            out = Path(args.keep or scratch, name)
            out.mkdir(parents=True, exist_ok=True)
            problem = hear(name, takes, out, args) if name in OURS else run_peer(name, takes, out, args)
            results[name] = {"absent": problem} if problem else scorer.score_dir(str(takes), str(out))
            print(f"{name}: {problem or 'done'}", file=sys.stderr, flush=True)
    report(results)
    if args.json:
        args.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", nargs="?", type=Path, default=Path("../shared/bench/pitch"))
    parser.add_argument("--takes", type=Path, help="folder of the rendered takes (default BENCH/takes)")
    parser.add_argument("--systems", default=",".join((*OURS, *PEERS)), help="which, in which order")
    parser.add_argument("--model", default="pitch-v1", help="name or folder of the pitch model")
    parser.add_argument("--threshold", type=float, help="onset threshold (default: that of the settings)")
    parser.add_argument("--peer-python", default=sys.executable, help="an interpreter that has the peers")
    parser.add_argument("--keep", help="folder to keep the estimates in")
    parser.add_argument("--json", type=Path, help="all scores")
    return parser.parse_args()


def scorer_of(bench: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_score", bench / "score.py")
    if spec is None or spec.loader is None or not (bench / "score.py").is_file():
        sys.exit(f"{bench}: no score.py; give the folder of the bench")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def hear(name: str, takes: Path, out: Path, args: argparse.Namespace) -> str:
    """Our hearing over all takes. '' or why not."""
    mode = OURS[name]
    settings = HearingSettings(hop_frames=MODES[mode] or 128)
    if args.threshold is not None:
        settings = dataclasses.replace(settings, threshold=args.threshold)
    folder = None if mode == "dsp" else store.find(args.model, "pitch")
    for path in sorted(takes.glob("*.wav")):
        source = WavSource(path, BLOCK_FRAMES)
        source.start()
        listener = Listener(settings, folder, watch=CpuStopwatch)
        listener.start()
        events: list[HumanEvent] = []
        cpu = CpuStopwatch()
        while (block := source.read()) is not None:
            events += listener.push(block.samples)
        cpu_s = cpu.elapsed_s() / max(listener.t, 1e-9)
        events += listener.flush()
        source.stop()
        estimate = {"system": name, "causal": True, "cpu_per_audio_s": cpu_s, **as_estimate(events, listener.t)}
        (out / f"{path.stem}.json").write_text(json.dumps(estimate))
    return ""


def as_estimate(events: list[HumanEvent], duration_s: float) -> dict[str, Any]:
    """The bench's form: notes, and the contour as one who knows only the events has it: the newest note's."""
    notes: dict[int, dict[str, Any]] = {}
    contour, sounding, done = [], {}, 0
    moments = np.arange(0.0, duration_s, GRID_S)
    timed = sorted(((e.emitted if isinstance(e, NoteOn) else e.t), i) for i, e in enumerate(events))
    for t in moments:
        while done < len(timed) and timed[done][0] <= t:
            event = events[timed[done][1]]
            done += 1
            if isinstance(event, NoteOn):
                sounding[event.id] = event.pitch
                notes[event.id] = {"onset": event.onset, "midi": event.pitch, "velocity": event.velocity}
                notes[event.id]["emitted_at"] = event.emitted
            elif isinstance(event, PitchBend) and event.id in sounding:
                sounding[event.id] = notes[event.id]["midi"] + event.cents / 100
            elif isinstance(event, NoteOff):
                sounding.pop(event.id, None)
                if event.id in notes:
                    notes[event.id]["offset"] = event.t
        contour.append([float(t), sounding[max(sounding)] if sounding else None, float(t)])
    return {"notes": list(notes.values()), "frames": contour}


def run_peer(name: str, takes: Path, out: Path, args: argparse.Namespace) -> str:
    """'' or why the peer did not run."""
    command = [args.peer_python, "-c", PEER, str(args.bench.resolve()), str(takes.resolve()), name, str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else "not run: " + (done.stderr.strip().splitlines() or ["?"])[-1]


def value(scores: dict[str, Any], keys: tuple[str, ...]) -> str:
    found: Any = scores
    for key in keys:
        found = (found or {}).get(key)
    return "-" if found is None else f"{found:g}"


def report(results: dict[str, Any]) -> None:
    """Markdown tables."""
    ran = {name: scores for name, scores in results.items() if "absent" not in scores}
    print("| system |", " | ".join(COLUMNS), "| false notes a minute:", "/".join(NOTHINGS), "|")
    print("|---" * (len(COLUMNS) + 2) + "|")
    for name, scores in ran.items():
        false = "/".join(value(scores["false_notes_per_min"], (kind,)) for kind in NOTHINGS)
        print(f"| {name} |", " | ".join(value(scores, keys) for keys in COLUMNS.values()), "|", false, "|")
    print("\nDelay of single notes by register, median / p90 ms\n")
    print("| system |", " | ".join(REGISTERS), "|\n" + "|---" * (len(REGISTERS) + 1) + "|")
    for name, scores in ran.items():
        cells = [[value(scores, ("mono", "delay", r, k)) for k in ("med", "p90")] for r in REGISTERS]
        print(f"| {name} |", " | ".join(" / ".join(cell) for cell in cells), "|")
    for name in results.keys() - ran.keys():
        print(f"\n{name}: {results[name]['absent']}")


if __name__ == "__main__":
    sys.exit(main())
