"""What several stage tests need."""

from __future__ import annotations

import errno
import os

import pytest

from improvbox.events import PlannedNote


class Witness:
    """A sink that writes down what it is told: (what, part, id, t)."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, int, float]] = []

    def note_on(self, note: PlannedNote, t: float) -> None:
        self.heard.append(("on", note.part, note.id, t))

    def note_off(self, part: str, id: int, pitch: int, t: float) -> None:
        self.heard.append(("off", part, id, t))

    def bend(self, part: str, id: int, cents: float, t: float) -> None:
        self.heard.append(("bend", part, id, t))

    def program(self, part: str, program: int) -> None:
        self.heard.append(("program", part, program, 0.0))

    def gain(self, part: str, level: float) -> None:
        self.heard.append(("gain", part, 0, level))

    def panic(self, t: float) -> None:
        self.heard.append(("panic", "all", 0, t))

    def close(self) -> None:
        self.heard.append(("close", "all", 0, 0.0))


@pytest.fixture
def witness() -> Witness:
    return Witness()


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sync to disk fails as on a full one."""

    def refuse(_handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)
