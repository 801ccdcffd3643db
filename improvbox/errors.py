"""The one exception family. Each error also inherits a built-in and carries the exit code of the command line.

A message is one line: it names the file or key, the value, and what would be right.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

EXIT_FAILED = 1  # failed at run time
EXIT_USAGE = 2  # bad usage or bad input


class ImprovBoxError(Exception):
    """Root of the family."""

    exit_code = EXIT_FAILED


class UsageError(ImprovBoxError, ValueError):
    """A wrong argument, cue or option."""

    exit_code = EXIT_USAGE


class InputFileError(ImprovBoxError, OSError):
    """A file that is missing, unreadable or not what it should be."""

    exit_code = EXIT_USAGE


class SettingsError(ImprovBoxError, ValueError):
    """A settings, bindings or pin file with a wrong key or value."""

    exit_code = EXIT_USAGE


class CommandError(ImprovBoxError, ValueError):
    """A command with an unknown target, verb or value. Live it is reported and ignored, never raised to the player."""

    exit_code = EXIT_USAGE


class ModelError(ImprovBoxError, ValueError):
    """A model folder whose hash, tensors or card are wrong."""


class DeviceError(ImprovBoxError, OSError):
    """A sound device, pin or port that is absent, busy or lost."""


class MissingDriverError(ImprovBoxError, ImportError):
    """A driver library or system program that is not installed."""


class StreamError(ImprovBoxError, RuntimeError):
    """A running stage that stopped doing its work."""


def nearest(value: str, allowed: Iterable[str]) -> str:
    """The end of an error message: the allowed values, and the nearest one where there is one."""
    names = [str(a) for a in allowed]
    close = difflib.get_close_matches(str(value), names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}allowed: {', '.join(names)}"
