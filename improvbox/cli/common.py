"""What several subcommands share: settings, JSON, examples, progress."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

from improvbox import config
from improvbox.config import Settings
from improvbox.errors import InputFileError

SYSTEM_SETTINGS = Path("/etc/improvbox/settings.toml")


def add_command(subparsers: Any, name: str, help_text: str, example: str, **kwargs: Any) -> argparse.ArgumentParser:
    """A subparser with its example under the help."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        name,
        help=help_text,
        description=help_text[0].upper() + help_text[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        **kwargs,
    )
    return parser


def add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", metavar="FILE", help=f"settings (TOML); else {SYSTEM_SETTINGS} if it is there, else the defaults"
    )


def settings(args: argparse.Namespace) -> Settings:
    """The settings that the command line asks for. Raises InputFileError or SettingsError."""
    return config.load(settings_path(args))


def settings_path(args: argparse.Namespace) -> Path | None:
    if args.config:
        return Path(args.config)
    return SYSTEM_SETTINGS if SYSTEM_SETTINGS.is_file() else None


def print_json(value: Any) -> None:
    """One JSON document on stdout; dataclasses, tuples and paths are taken as they are."""
    print(json.dumps(value, default=_plain, indent=2))


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)


def writable(path: str | None) -> Path | None:
    """A file that will be written: its folder exists and takes files. Raises InputFileError before work begins."""
    if path is None:
        return None
    file = Path(path)
    if file.is_dir():
        raise InputFileError(f"{path}: is a folder; name a file in it")
    if not file.parent.is_dir():
        raise InputFileError(f"{path}: the folder {file.parent} does not exist")
    if not os.access(file if file.exists() else file.parent, os.W_OK):
        raise InputFileError(f"{path}: may not be written here; choose another folder")
    return file


class Progress:
    """A line on a terminal that says how far we are; nothing where stderr is a file or a pipe."""

    def __init__(self, what: str, total_s: float | None, unit: str = "s") -> None:
        self._what = what
        self._total = total_s
        self._unit = unit
        self._shown = -1
        self._on = sys.stderr.isatty()

    def at(self, done_s: float) -> None:
        """At most once a second of progress."""
        if self._on and int(done_s) != self._shown:
            self._shown = int(done_s)
            of = f" of {self._total:.0f}" if self._total else ""
            sys.stderr.write(f"\r\x1b[K{self._what} {done_s:.0f}{of} {self._unit}")
            sys.stderr.flush()

    def end(self) -> None:
        if self._on and self._shown >= 0:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
