"""`improvbox bench latency|hearing|band`: the box measured on this machine."""

from __future__ import annotations

import argparse
import importlib
from types import MappingProxyType
from typing import Any

from improvbox.cli import common

# name -> (what it measures, example); each is a module of `benches` with add_arguments and run
BENCHES = MappingProxyType(
    {
        "latency": (
            "from the string to the synth, in samples, through real ALSA",
            "improvbox bench latency --plucks 104",
        ),
        "hearing": ("the time that hearing takes for a hop, in each mode", "improvbox bench hearing --seconds 20"),
        "band": (
            "the time that the event model takes to hear a note and to answer",
            "improvbox bench band --events 500",
        ),
    }
)


def add_parser(subparsers: Any) -> None:
    parser = common.add_command(
        subparsers, "bench", "measure the box on this machine", "improvbox bench latency --plucks 104 --json"
    )
    names = parser.add_subparsers(dest="what", metavar="|".join(BENCHES), required=True)
    for name, (help_text, example) in BENCHES.items():
        bench = common.add_command(names, name, help_text, example)
        _module(name).add_arguments(bench)
        bench.add_argument("--json", action="store_true", help="for a machine")
        common.add_config(bench)


def run(args: argparse.Namespace) -> int:
    code: int = _module(args.what).run(args, common.settings(args))
    return code


def _module(name: str) -> Any:
    return importlib.import_module(f"improvbox.cli.benches.{name}")
