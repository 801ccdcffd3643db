"""`improvbox try`: the whole box at once, on a machine that may have neither guitar nor sound card."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from improvbox.cli import common
from improvbox.errors import InputFileError


def add_parser(subparsers: Any) -> None:
    parser = common.add_command(
        subparsers,
        "try",
        "hear it without a guitar: a take is played into the live box, feet press footswitches",
        "improvbox try take.wav --out out --move 8:fs1 --move 20:fs2",
    )
    parser.add_argument("take", nargs="?", metavar="TAKE.wav", help="a guitar take; without one the box plays its own")
    parser.add_argument("--out", default="out", metavar="FOLDER", help="where mix, MIDI, notes and picture go (out)")
    parser.add_argument(
        "--move",
        action="append",
        metavar="TIME:WHAT",
        help="a foot or hand instead of the take's own, e.g. 12.5:fs1, 14:fs4:hold, 25:k1=0.8",
    )
    parser.add_argument("--json", action="store_true", help="print a summary for a machine at the end")
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    settings = common.settings(args)
    out = Path(args.out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputFileError(f"{out}: {error.strerror}; name a folder that can be written") from None
    take, moves, title = _take(args.take, settings.stage.soundfont, out)

    from improvbox.box import tryout

    done = tryout.play(settings, take, args.move or moves or tryout.feet_for(len(take) / 48000), out, title)
    if args.json:
        common.print_json({"files": done.files, "card": done.heard_on, "summary": done.summary})
        return 0
    from improvbox.box import runner

    print(runner.words(done.summary))
    print("heard on card " + done.heard_on if done.heard_on else "no sound card here: recorded instead")
    print(
        "footswitches and what they did: "
        + ", ".join(f"{c.t:.1f} s {c.target} {c.verb} {c.value}" for c in done.commands)
    )
    for what, path in done.files.items():
        print(f"{what:8} {path}")
    return 0


def _take(path: str | None, soundfont: str, out: Path) -> tuple[np.ndarray, list[str], str]:
    """(float32 at 48 kHz, moves that go with it, title)."""
    if path is not None:
        from improvbox.audio.wav import load

        return load(path), [], Path(path).name
    from improvbox.stage import score, take

    print("rendering a guitar take", flush=True)
    played = take.render(out / "take.wav", soundfont=soundfont, truth=out / "take.jsonl")
    written = score.load(take.DEMO)
    return played.samples, list(written.moves), written.title
