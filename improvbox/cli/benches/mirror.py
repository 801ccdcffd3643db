"""The live box with a mirror where the band would be: it answers every note at once, so what is left is the box's own
delay. Same threads, session, weaver and synth as `improvbox run`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from improvbox.clock import monotonic_s
from improvbox.events import BandEvent, Command, HumanEvent, NoteOn, PlannedNote
from improvbox.hearing.listener import Listener
from improvbox.stage.fluid import FluidLive
from improvbox.tempo import Grid

PART = "mid"  # an electric piano unless the settings say otherwise: its sample begins within 6 frames
KEY = 84  # and at this key it has died away 0.4 s later
LENGTH_S = 0.05


class Mirror:
    """A Band of the session. The answer's id is the number of the note that was heard, from 1."""

    def __init__(self) -> None:
        self._due: list[BandEvent] = []
        self._heard = 0

    @property
    def plans(self) -> Mapping[str, tuple[PlannedNote, ...]]:
        return {}

    def hear(self, event: HumanEvent, now: float) -> None:
        if isinstance(event, NoteOn):
            self._heard += 1
            self._due.append(PlannedNote(PART, self._heard, now, LENGTH_S, KEY, 127))

    def command(self, command: Command, now: float) -> None:
        """The mirror takes no instruction."""

    def set_grid(self, grid: Grid | None, now: float) -> None:
        """Nor does it keep time."""

    def advance(self, now: float) -> list[BandEvent]:
        due, self._due = self._due, []
        return due

    def next_wake(self) -> float:
        return -math.inf if self._due else math.inf

    def state(self) -> dict[str, Any]:
        return {}


class NoBeat:
    """A Beat of the session: time is free."""

    def hear(self, event: HumanEvent) -> None:
        """Not listened to."""

    def command(self, command: Command) -> None:
        """Not followed."""

    def grid(self, now: float) -> Grid | None:
        return None


class TimedListener(Listener):
    """Hearing that keeps when each note left it: CLOCK_MONOTONIC, s."""

    heard_s: list[float]

    def push(self, samples: np.ndarray) -> list[HumanEvent]:
        events = super().push(samples)
        self.heard_s += [monotonic_s() for event in events if isinstance(event, NoteOn)]
        return events


class TimedSynth(FluidLive):
    """The synth, keeping when it was called for each note id: CLOCK_MONOTONIC, s."""

    called_s: dict[int, float]

    def note_on(self, note: PlannedNote, t: float) -> None:
        self.called_s[note.id] = monotonic_s()
        super().note_on(note, t)
