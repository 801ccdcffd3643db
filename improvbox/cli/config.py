"""`improvbox config check|show`."""

from __future__ import annotations

import argparse
from typing import Any

from improvbox import config
from improvbox.cli import common


def add_parser(subparsers: Any) -> None:
    parser = common.add_command(
        subparsers,
        "config",
        "check a settings file, or show every setting with its meaning",
        "improvbox config show > settings.toml",
    )
    actions = parser.add_subparsers(dest="action", metavar="check|show", required=True)
    check = common.add_command(
        actions, "check", "say whether a settings file is right", "improvbox config check settings.toml"
    )
    check.add_argument("file", help="settings (TOML)")
    show = common.add_command(
        actions,
        "show",
        "print every key with its value and meaning; the defaults make a sample file",
        "improvbox config show",
    )
    common.add_config(show)
    for action in (check, show):
        action.add_argument("--json", action="store_true", help="for a machine")


def run(args: argparse.Namespace) -> int:
    if args.action == "check":
        config.load(args.file)
        if args.json:
            common.print_json({"file": args.file, "ok": True})
        else:
            print(f"{args.file}: every key and value is right")
        return 0
    settings = common.settings(args)
    if args.json:
        common.print_json(settings)
    else:
        print(config.to_toml(settings), end="")
    return 0
