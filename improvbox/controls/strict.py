"""Reading a TOML file strictly: every complaint names the file, the key, the value and the nearest right one."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from improvbox.errors import InputFileError, SettingsError, nearest


def read(path: str | Path) -> Table:
    """The file as a table. Raises InputFileError (unreadable) or SettingsError (not TOML)."""
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror or error}; give a readable TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
    return Table(str(path), "", content)


class Table:
    """A TOML table that knows where it stands, e.g. file 'pinmap.toml', place 'switch.fs1'."""

    def __init__(self, file: str, place: str, content: dict[str, Any]) -> None:
        self.file = file
        self.place = place
        self.content = content

    def __contains__(self, key: str) -> bool:
        return key in self.content

    def __iter__(self) -> Iterator[str]:
        return iter(self.content)

    def key(self, key: str) -> str:
        """The whole name of a key of this table."""
        return f"{self.place}.{key}" if self.place else key

    def wrong(self, key: str, what: str) -> SettingsError:
        """The error for `key`; raise it."""
        return SettingsError(f"{self.file}: {self.key(key)} = {self.content.get(key)!r} {what}")

    def only(self, *keys: str) -> Table:
        """This table, if it has no other keys."""
        for key in self.content:
            if key not in keys:
                raise SettingsError(f"{self.file}: unknown key {self.key(key)!r}; {nearest(key, keys)}")
        return self

    def need(self, *keys: str) -> Table:
        """This table, if it has all of them."""
        for key in keys:
            if key not in self.content:
                raise SettingsError(f"{self.file}: {self.key(key)} is missing")
        return self

    def table(self, key: str) -> Table:
        """The table under `key`; an empty one where it is left out."""
        content = self.content.get(key, {})
        if not isinstance(content, dict):
            raise self.wrong(key, "must be a table")
        return Table(self.file, self.key(key), content)

    def tables(self) -> Iterator[tuple[str, Table]]:
        """Every key with its table, in the order of the file."""
        return ((key, self.table(key)) for key in self.content)

    def text(self, key: str, default: str = "", choices: Iterable[str] = ()) -> str:
        """A string, one of `choices` where there are any."""
        value = self.content.get(key, default)
        if not isinstance(value, str):
            raise self.wrong(key, "must be a string")
        allowed = tuple(choices)
        if allowed and value not in allowed:
            raise self.wrong(key, f"is not known; {nearest(value, allowed)}")
        return value

    def whole(self, key: str, low: int, high: int) -> int:
        """A whole number in low..high."""
        value = self.content.get(key)
        if type(value) is not int or not low <= value <= high:  # bool is an int, and no number
            raise self.wrong(key, f"must be a whole number in {low}..{high}")
        return value

    def flag(self, key: str) -> bool:
        """true or false; false where it is left out."""
        value = self.content.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "must be true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of strings, at least one."""
        value = self.content.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
            raise self.wrong(key, "must be a list of strings, at least one")
        return tuple(value)

    def wholes(self, key: str, low: int, high: int) -> tuple[int, ...]:
        """A list of whole numbers in low..high."""
        value = self.content.get(key)
        if not isinstance(value, list) or not all(type(v) is int and low <= v <= high for v in value):
            raise self.wrong(key, f"must be a list of whole numbers in {low}..{high}")
        return tuple(value)
