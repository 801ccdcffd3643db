"""`improvbox bench latency`: from the string to the synth, counted in samples."""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
from pathlib import Path
from typing import Any

from improvbox.audio.alsa import AlsaSource
from improvbox.audio.patient import PatientSource
from improvbox.audio.rig import Rig
from improvbox.audio.source import RATE_HZ
from improvbox.box import realtime
from improvbox.box.folders import data_folder
from improvbox.box.inbox import Inbox
from improvbox.box.live import LiveBox, Players
from improvbox.box.parts import NO_MODEL
from improvbox.cli import common
from improvbox.cli.benches import plucks, timeline
from improvbox.cli.benches.mirror import Mirror, NoBeat, TimedListener, TimedSynth
from improvbox.clock import StreamClock, sleep_s
from improvbox.config import Settings
from improvbox.errors import UsageError
from improvbox.inference import store

BUDGET_MS = 8.0  # box and synth together, p90, with ALSA 64 x 2
FEWEST, MOST = 4, 2000
SETTLE_S = 0.5  # the box runs before the first sound: threads are up, the synth has its first blocks behind it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--plucks", type=int, default=104, metavar="N", help="strings to pluck (default 104)")
    parser.add_argument("--hearing", metavar="MODEL", help="pitch model, or 'dsp'; else as in the settings")
    parser.add_argument("--keep", metavar="FILE.wav", help="keep the recording: guitar, synth left, synth right")
    parser.add_argument("--strict", action="store_true", help=f"exit 1 where box and synth need over {BUDGET_MS:g} ms")


def run(args: argparse.Namespace, settings: Settings) -> int:
    if not FEWEST <= args.plucks <= MOST:
        raise UsageError(f"--plucks {args.plucks} must be {FEWEST}..{MOST}")
    keep = common.writable(args.keep)
    if args.hearing:
        settings = dataclasses.replace(settings, hearing=dataclasses.replace(settings.hearing, model=args.hearing))
    with tempfile.TemporaryDirectory(prefix="improvbox-bench-") as folder:
        report = measure(settings, args.plucks, keep or Path(folder) / "latency.wav")
    if args.json:
        common.print_json(report)
    else:
        print_report(report)
    return 1 if args.strict and not report["within_budget"] else 0


def measure(settings: Settings, count: int, path: Path) -> dict[str, Any]:
    """Plays `count` plucks to the live box on the rig, and says what became of each. Takes 0.6 s a pluck."""
    realtime.calm_interpreter()
    if settings.box.realtime:  # this thread too: one that holds the interpreter must not be held up by other programs
        realtime.ask_fifo(realtime.HOUSE_PRIORITY)
        realtime.lock_memory()
    sound, played = plucks.take(count)
    name = settings.hearing.model
    folder = None if name == NO_MODEL else store.find(name, "pitch", data_folder(settings.box))
    progress = common.Progress("plucking", len(sound) / RATE_HZ)
    with Rig() as rig, rig.environment():
        settings = dataclasses.replace(
            settings,
            audio=dataclasses.replace(settings.audio, pcm=rig.capture, channel=1),
            stage=dataclasses.replace(settings.stage, pcm=rig.playback),
        )
        listener, synth = TimedListener(settings.hearing, folder), TimedSynth(settings.stage)
        listener.heard_s, synth.called_s = [], {}
        source = PatientSource(lambda: AlsaSource(settings.audio))
        clock = StreamClock()
        listener.start()
        synth.start()
        players = Players(listener, Mirror(), NoBeat())
        box = LiveBox(settings, source, synth, players, inbox=Inbox(), clock=clock)
        realtime.freeze()
        box.start()
        try:
            sleep_s(SETTLE_S)
            rig.record(path)
            rig.play(sound)
            while (state := rig.state())["playing"]:
                progress.at(state["played_frames"] / RATE_HZ)
                sleep_s(0.1)
            recording = rig.stop_recording()
        finally:
            progress.end()
            box.stop()
        xruns, failure = source.xruns, box.failure
    called = synth.called_s
    reactions = [timeline.Reaction(at, called.get(number)) for number, at in enumerate(listener.heard_s, 1)]
    found = timeline.answers(played, reactions, recording, recording.samples()[:, 1:].mean(axis=1))
    ran = {"notes": len(reactions), "xruns": xruns, "dropped_blocks": box.troubles()["hearing"], "failure": failure}
    ran["realtime"] = rig.realtime
    return _report(settings, found, ran)


def _report(settings: Settings, found: list[timeline.Answer], ran: dict[str, Any]) -> dict[str, Any]:
    rows = timeline.table(found)
    both = next(row for row in rows if (row.register, row.stage) == ("all", "box+synth"))
    heard = sum(a.heard is not None for a in found)
    audio, stage = settings.audio, settings.stage
    return {
        "plucks": len(found),
        "heard": heard,
        "measured": both.count,
        "extra_notes": ran.pop("notes") - heard,
        **ran,
        "hearing_model": settings.hearing.model,
        "capture": f"{audio.period_frames} x {audio.periods}",
        "synth": f"{stage.period_frames} x {stage.periods}",
        "budget_ms": BUDGET_MS,
        "within_budget": both.p90_ms is not None and both.p90_ms <= BUDGET_MS,
        "converter_ms": round((audio.period_frames + stage.period_frames) / RATE_HZ * 1e3, 2),
        "rows": rows,
    }


def print_report(report: dict[str, Any]) -> None:
    """The table for people."""
    print(f"{report['plucks']} plucks, {report['heard']} heard, {report['extra_notes']} notes that nobody played")
    print(f"{report['xruns']} xruns, {report['dropped_blocks']} periods that hearing was too slow for")
    print(
        f"hearing {report['hearing_model']}, capture {report['capture']}, synth {report['synth']}, "
        f"{'with' if report['realtime'] else 'without'} real-time priority"
    )
    print(f"{'':54}count" + "".join(f"{name:>8}" for name in ("p50", "p90", "p99", "max ms")))
    for row in report["rows"]:
        if row.register != "all" and row.stage != "total":
            continue
        name, what = (row.stage, timeline.STAGES[row.stage]) if row.register == "all" else (row.register, "total")
        numbers = [row.p50_ms, row.p90_ms, row.p99_ms, row.max_ms]
        cells = "".join("       -" if n is None else f"{n:8.2f}" for n in numbers)
        print(f"{name:9} {what:44}{row.count:5}{cells}")
    verdict = "within" if report["within_budget"] else "OVER"
    print(f"box and synth, p90: {verdict} the budget of {report['budget_ms']:g} ms")
    print(f"A card adds its converters: about {report['converter_ms']:g} ms of periods, and their filters.")
