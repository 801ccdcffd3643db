"""`improvbox jam`: a whole session in virtual time."""

from __future__ import annotations

import argparse
import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

from improvbox import commands
from improvbox.cli import common
from improvbox.config import Settings
from improvbox.errors import InputFileError, UsageError
from improvbox.tempo import MAX_BPM, MIN_BPM

EXAMPLE = """\
improvbox jam take.wav --cue 0:bass:accompany --cue 12.5:high:fight --notes out.jsonl --wav mix.wav
  improvbox jam take.mid --tempo 96 --seed 7 --cue 20:mid:density=0.8 --cue 30:human:band=mid --roll roll.png"""


def add_parser(subparsers: Any) -> None:
    parser = common.add_command(
        subparsers, "jam", "play a whole session in virtual time from a WAV or MIDI take", EXAMPLE
    )
    parser.add_argument("take", help="a sound file (heard as live) or a MIDI file (known late, as in life)")
    parser.add_argument(
        "--cue",
        action="append",
        default=[],
        metavar="TIME:PART:COMMAND",
        help="e.g. 12.5:high:fight, 20:mid:density=0.8",
    )
    parser.add_argument(
        "--seed", type=int, help="same seed, take and cues: same notes (default: band.seed of the settings)"
    )
    parser.add_argument("--tempo", type=float, metavar="BPM", help="fixed tempo; else it is found")
    parser.add_argument(
        "--delay-ms", type=float, help="how late a MIDI note is known (default: as measured, by register)"
    )
    parser.add_argument("--notes", metavar="FILE.jsonl", help="every note, JSON lines")
    parser.add_argument("--midi", metavar="FILE.mid", help="every note, a track a part")
    parser.add_argument("--wav", metavar="FILE.wav", help="the mix: guitar and band")
    parser.add_argument("--roll", metavar="FILE.png", help="a piano roll with the commands marked")
    parser.add_argument("--json", action="store_true", help="print the summary for a machine")
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    settings = _settings(args)
    cues = [commands.parse_cue(text) for text in args.cue]
    out = {name: common.writable(getattr(args, name)) for name in ("notes", "midi", "wav", "roll")}

    from improvbox.box import jamming  # numpy and the models only after the arguments are known to be right

    progress = common.Progress("played", None)
    result = jamming.play(settings, Path(args.take), cues, args.delay_ms, progress.at)
    progress.end()
    jamming.write(result, settings, out)
    _report(result, args, out)
    return 0


def _settings(args: argparse.Namespace) -> Settings:
    settings = common.settings(args)
    changes: dict[str, Any] = {}
    if args.tempo is not None:
        if not MIN_BPM <= args.tempo <= MAX_BPM:
            raise UsageError(f"--tempo {args.tempo:g} must be {MIN_BPM:g}..{MAX_BPM:g} beats a minute")
        changes["tempo_bpm"] = args.tempo
    if args.seed is not None:
        if args.seed < 0:
            raise UsageError(f"--seed {args.seed} must be 0 or more")
        changes["seed"] = args.seed
    if not Path(args.take).is_file():
        raise InputFileError(f"{args.take}: no such file; give a WAV, FLAC or MIDI take")
    return dataclasses.replace(settings, band=dataclasses.replace(settings.band, **changes))


def _report(result: Any, args: argparse.Namespace, out: dict[str, Path | None]) -> None:
    played = Counter(note.part for note in result.jam.notes)
    written = {name: str(path) for name, path in out.items() if path is not None}
    if args.json:
        tally = dataclasses.asdict(result.jam.tally)
        common.print_json({"seconds": result.jam.duration_s, "notes": played, "tally": tally, "written": written})
        return
    counts = ", ".join(f"{part} {n}" for part, n in played.items())
    print(f"{result.jam.duration_s:.1f} s played: {counts or 'no notes'}")
    for name, path in written.items():
        print(f"{name:6} {path}")
