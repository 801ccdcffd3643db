"""`improvbox run`: the live box."""

from __future__ import annotations

import argparse
from typing import Any

from improvbox.cli import common
from improvbox.errors import UsageError


def add_parser(subparsers: Any) -> None:
    parser = common.add_command(
        subparsers, "run", "the live box: guitar in, band out", "improvbox run --config settings.toml --for 60"
    )
    parser.add_argument("--for", dest="seconds", type=float, metavar="SECONDS", help="stop by itself after so long")
    parser.add_argument(
        "--move",
        action="append",
        default=[],
        metavar="TIME:WHAT",
        help="a foot or hand on fake pins (controls.pins = 'fake'), e.g. 12.5:fs1, 14:fs4:hold, 25:k1=0.8",
    )
    parser.add_argument("--json", action="store_true", help="print a summary for a machine at the end")
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    settings = common.settings(args)
    if args.seconds is not None and not 0 < args.seconds < 1e7:
        raise UsageError(f"--for {args.seconds:g} must be more than 0 seconds")

    from improvbox.box import runner  # drivers and models only after the arguments are known to be right

    summary = runner.run(settings, args.seconds, args.move)
    if args.json:
        common.print_json(summary)
    else:
        print(runner.words(summary))
    return 0
