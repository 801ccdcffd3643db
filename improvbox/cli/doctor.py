"""`improvbox doctor`: checks everything a support person would ask about."""

from __future__ import annotations

import argparse
from typing import Any

from improvbox.cli import common
from improvbox.errors import EXIT_FAILED


def add_parser(subparsers: Any) -> None:
    parser = common.add_command(
        subparsers,
        "doctor",
        "check everything a support person would ask about",
        "improvbox doctor --config settings.toml",
    )
    parser.add_argument("--json", action="store_true", help="for a machine")
    common.add_config(parser)


def run(args: argparse.Namespace) -> int:
    from improvbox.box import doctor  # what it examines may be what is broken: only after the arguments are right

    path = common.settings_path(args)
    settings = common.settings(args)
    findings = [doctor.Finding("settings", doctor.OK, str(path or "the defaults")), *doctor.examine(settings)]
    wrong = [f for f in findings if f.verdict == doctor.WRONG]
    if args.json:
        common.print_json({"ok": not wrong, "findings": findings})
        return EXIT_FAILED if wrong else 0
    for finding in findings:
        print(f"{finding.verdict:5}  {finding.check:14} {finding.found}")
        if finding.do:
            print(f"{'':22}-> {finding.do}")
    print("all is well" if not wrong else f"{len(wrong)} wrong: {', '.join(f.check for f in wrong)}")
    return EXIT_FAILED if wrong else 0
