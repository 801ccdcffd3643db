"""Stand-ins with simple rules, so that a test of the wiring says what it expects in one line."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from improvbox.box.session import Onlooker
from improvbox.events import BandEvent, Command, HumanEvent, NoteOn, PlannedNote
from improvbox.tempo import Grid


class EchoBand:
    """The bass plays two octaves under each note of the human, 100 ms after it is heard, for 200 ms."""

    def __init__(self) -> None:
        self.heard: list[tuple[HumanEvent, float]] = []
        self.told: list[tuple[Command, float]] = []
        self.grids: list[Grid | None] = []
        self.plans: dict[str, tuple[PlannedNote, ...]] = {}
        self._count = 0

    def hear(self, event: HumanEvent, now: float) -> None:
        self.heard.append((event, now))
        if isinstance(event, NoteOn):
            self._count += 1
            note = PlannedNote("bass", self._count, now + 0.1, 0.2, round(event.pitch) - 24, event.velocity)
            self.plans = {"bass": (*self.plans.get("bass", ()), note)}

    def command(self, command: Command, now: float) -> None:
        self.told.append((command, now))

    def set_grid(self, grid: Grid | None, now: float) -> None:
        self.grids.append(grid)

    def advance(self, now: float) -> list[BandEvent]:
        due = tuple(n for n in self.plans.get("bass", ()) if n.onset - 0.04 <= now)
        self.plans = {"bass": tuple(n for n in self.plans.get("bass", ()) if n not in due)}
        return list(due)

    def next_wake(self) -> float:
        return min((n.onset - 0.04 for n in self.plans.get("bass", ())), default=math.inf)

    def state(self) -> dict[str, Any]:
        return {"players": {"bass": {"role": "accompany"}}, "metered": False}


class Tape(Onlooker):
    """A sink and a witness that writes everything down."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []
        self.closed = False

    def of(self, kind: str) -> list[tuple[Any, ...]]:
        return [row[1:] for row in self.rows if row[0] == kind]

    def human(self, event: HumanEvent, now: float) -> None:
        self.rows.append(("human", event, now))

    def command(self, command: Command, now: float) -> None:
        self.rows.append(("command", command.verb, now))

    def beat(self, grid: Grid, bar: int, beat: int, now: float) -> None:
        self.rows.append(("beat", bar, beat, now))

    def plan(self, part: str, notes: tuple[PlannedNote, ...], now: float) -> None:
        self.rows.append(("plan", part, len(notes), now))

    def state(self, state: Mapping[str, Any], now: float) -> None:
        self.rows.append(("state", state, now))

    def note_on(self, note: PlannedNote, t: float) -> None:
        self.rows.append(("on", note.part, note.pitch, t))

    def note_off(self, part: str, id: int, pitch: int, t: float) -> None:
        self.rows.append(("off", part, pitch, t))

    def bend(self, part: str, id: int, cents: float, t: float) -> None:
        self.rows.append(("bend", part, cents, t))

    def program(self, part: str, program: int) -> None:
        self.rows.append(("program", part, program))

    def gain(self, part: str, level: float) -> None:
        self.rows.append(("gain", part, level))

    def panic(self, t: float) -> None:
        self.rows.append(("panic", t))

    def close(self) -> None:
        self.closed = True
