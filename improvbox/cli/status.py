"""`improvbox status`: how the running box is doing."""

from __future__ import annotations

import argparse
from typing import Any

from improvbox.box import status
from improvbox.box.folders import data_folder
from improvbox.cli import common


def add_parser(subparsers: Any) -> None:
    parser = common.add_command(subparsers, "status", "how the running box is doing", "improvbox status")
    parser.add_argument("--json", action="store_true", help="everything, for a machine")
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    table = status.read(data_folder(common.settings(args).box))
    if args.json:
        common.print_json(table)
    else:
        print("\n".join(lines(table)))
    return 0


def lines(table: dict[str, Any]) -> list[str]:
    """The status for people."""
    health = table["health"]
    said = [
        f"{'alive' if health['alive'] else 'NOT ALIVE: ' + table['verdict']}, playing for {health['t']:.0f} s",
        *([f"waiting: {table['waiting']}"] if table["waiting"] else []),
        f"hearing: {health['hearing']}, last note {table['heard'] or '-'}, level {_or_dash(table['level_db'])} dBFS",
        f"ladder: {health['ladder']}{' (' + health['cause'] + ')' if health['cause'] else ''}",
        f"xruns: {health['xruns']}, notes: {_counts(table['notes'])}, left out: {_left_out(table['tally'])}",
    ]
    for name, told in table.get("players", {}).items():
        controls = " ".join(f"{k} {v:g}" for k, v in told.items() if isinstance(v, int | float))
        said.append(f"{name}: {told['role']}, {controls}")
    tempo = table.get("tempo_bpm")
    said.append(f"time: {f'{tempo:g} beats a minute' if tempo else 'free'}")
    said.append(f"{'stage':9} {'p50':>8} {'p99':>8} {'max':>8} {'budget':>8} ms   over budget")
    for row in health["stages"]:
        cells = " ".join(f"{_or_dash(row[key], 2):>8}" for key in ("p50_ms", "p99_ms", "max_ms", "budget_ms"))
        said.append(f"{row['stage']:9} {cells}      {row['over_budget']}")
    said += [f"note: {notice}" for notice in table["notices"]]
    if table["recording"]["problem"]:
        said.append(f"recording: {table['recording']['problem']}")
    if table["footswitches"] != "ok":
        said.append(f"footswitches: {table['footswitches']}")
    return said


def _or_dash(value: float | None, digits: int = 0) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _counts(notes: dict[str, int]) -> str:
    return ", ".join(f"{part} {count}" for part, count in notes.items()) or "none"


def _left_out(tally: dict[str, int]) -> str:
    return f"{tally['thinned'] + tally['skipped']} late"
