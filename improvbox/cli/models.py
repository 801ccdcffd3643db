"""`improvbox models list|show|verify|bench`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from improvbox.box.folders import data_folder
from improvbox.cli import common
from improvbox.errors import EXIT_FAILED
from improvbox.inference import bench, card, store

_ACTIONS = {
    "list": ("name every model there is", "improvbox models list"),
    "show": ("what a model is, takes, gives and was trained on", "improvbox models show pitch-v1"),
    "verify": ("hash, tensors, contract, and one step", "improvbox models verify pitch-v1"),
    "bench": ("time a model's steps on this machine", "improvbox models bench band-v1 --steps 2000"),
}


def add_parser(subparsers: Any) -> None:
    parser = common.add_command(subparsers, "models", "list, show, verify and time the models", _ACTIONS["verify"][1])
    actions = parser.add_subparsers(dest="action", metavar="|".join(_ACTIONS), required=True)
    for name, (help_text, example) in _ACTIONS.items():
        action = common.add_command(actions, name, help_text, example)
        if name != "list":
            action.add_argument("model", help="a model's name, or a folder with model.tflite and card.toml")
        if name == "bench":
            action.add_argument("--steps", type=int, default=1000, help="steps to time (default 1000)")
        action.add_argument("--json", action="store_true", help="for a machine")
        common.add_config(action)


def run(args: argparse.Namespace) -> int:
    data = data_folder(common.settings(args).box)
    if args.action == "list":
        return _list(data, args.json)
    folder = store.find(args.model, None, data)
    return {"show": _show, "verify": _verify, "bench": _bench}[args.action](folder, args)


def _list(data: Path, as_json: bool) -> int:
    rows = []
    for entry in store.listing(data):
        it = card.load(entry.folder)
        rows.append({"name": it.name, "kind": it.kind, "contract": it.contract, "parameters": it.parameters})
        rows[-1] |= {"bytes": it.model_path.stat().st_size, "shipped": entry.shipped, "folder": str(entry.folder)}
    if as_json:
        common.print_json(rows)
        return 0
    for row in rows:
        where = "shipped" if row["shipped"] else row["folder"]
        print(f"{row['name']:16} {row['kind']:6} {row['parameters']:>9,} parameters {row['bytes']:>10,} bytes  {where}")
    if not rows:
        print("no model is installed")
    return 0


def _show(folder: Path, args: argparse.Namespace) -> int:
    it = card.load(folder)
    if args.json:
        signatures = {
            name: {side: {t: str(x) for t, x in getattr(s, side).items()} for side in ("inputs", "outputs")}
            for name, s in it.signatures.items()
        }
        plain = ("name", "kind", "contract", "sha256", "parameters", "quantization", *card.FREE_TABLES)
        common.print_json({k: getattr(it, k) for k in plain} | {"folder": str(folder), "signatures": signatures})
    else:
        print((folder / card.CARD_FILE).read_text(encoding="utf-8"), end="")
    return 0


def _verify(folder: Path, args: argparse.Namespace) -> int:
    findings = store.verify(folder)
    if args.json:
        common.print_json({"folder": str(folder), "ok": all(f.ok for f in findings), "findings": findings})
    else:
        for finding in findings:
            print(f"{'ok   ' if finding.ok else 'WRONG'} {finding.check:9} {finding.detail}")
    return 0 if all(f.ok for f in findings) else EXIT_FAILED


def _bench(folder: Path, args: argparse.Namespace) -> int:
    times = bench.time_steps(folder, args.steps)
    if args.json:
        common.print_json({"folder": str(folder), "signatures": times})
    else:
        for row in times:
            took = f"p50 {row.p50_ms:.3f} ms   p99 {row.p99_ms:.3f} ms   max {row.max_ms:.3f} ms"
            print(f"{row.signature:12} {took}   {row.runtime}")
    return 0
