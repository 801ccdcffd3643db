"""`improvbox`: finds the subcommand, imports only that one, and turns errors into one line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from types import MappingProxyType, ModuleType
from typing import NoReturn

from improvbox import __version__
from improvbox.errors import EXIT_FAILED, EXIT_USAGE, ImprovBoxError, UsageError, nearest

COMMANDS = MappingProxyType(
    {
        "run": "the live box: guitar in, band out",
        "try": "hear it without a guitar: a take is played into the live box, feet press footswitches",
        "transcribe": "hear a sound file exactly as the live box would",
        "jam": "play a whole session in virtual time from a WAV or MIDI take",
        "models": "list, show, verify and time the models",
        "status": "how the running box is doing",
        "doctor": "check everything a support person would ask about",
        "config": "check a settings file, or show every setting with its meaning",
        "bench": "measure the box on this machine",
    }
)

EXAMPLES = """\
examples:
  improvbox run --for 60
  improvbox jam take.wav --cue 0:bass:accompany --cue 12.5:high:fight --notes out.jsonl --wav mix.wav
  improvbox COMMAND --help
"""


class Parser(argparse.ArgumentParser):
    """Usage errors are one line too, and exit with 2."""

    def error(self, message: str) -> NoReturn:
        name = self.prog.partition(" ")[2]
        sys.stderr.write(f"improvbox: {name + ': ' if name else ''}{message}; see {self.prog} --help\n")
        raise SystemExit(EXIT_USAGE)


def build(chosen: str | None) -> Parser:
    """The parser, with the options of `chosen` only: start time is what the player waits for."""
    parser = Parser(
        prog="improvbox",
        description="A band in a box that hears a guitar and plays along in real time.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"improvbox {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, help_text in COMMANDS.items():
        if name == chosen:
            _module(name).add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=help_text)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """The whole command line; returns the exit code: 0, 1 failed at run time, 2 bad usage or bad input."""
    try:
        return _dispatch(list(sys.argv[1:] if argv is None else argv))
    except SystemExit as exit_:  # argparse: help, version, usage
        return exit_.code if isinstance(exit_.code, int) else 0
    except ImprovBoxError as error:
        return _say(str(error), error.exit_code)
    except BrokenPipeError:  # `improvbox models list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _say("stopped", EXIT_FAILED)
    except Exception as error:
        if os.environ.get("IMPROVBOX_TRACE"):
            raise
        return _say(f"{type(error).__name__}: {error} (a bug; IMPROVBOX_TRACE=1 shows where)", EXIT_FAILED)


def _dispatch(arguments: list[str]) -> int:
    chosen = next((a for a in arguments if not a.startswith("-")), None)
    if chosen is not None and chosen not in COMMANDS:
        raise UsageError(f"no command {chosen!r}; {nearest(chosen, COMMANDS)}")
    args = build(chosen).parse_args(arguments)
    code: int = _module(args.command).run(args)
    sys.stdout.flush()
    return code


def _module(command: str) -> ModuleType:
    """`try` is a word of the language, so its module has another name."""
    return importlib.import_module("improvbox.cli." + {"try": "tryout"}.get(command, command))


def _say(message: str, code: int) -> int:
    sys.stderr.write("improvbox: " + " ".join(message.split()) + "\n")
    return code
