"""A player: what it was told, what it last played and what it means to play next."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np

from improvbox.band.steering import Steering
from improvbox.events import PlannedNote


@dataclass(slots=True, eq=False)
class Player:
    """State only; `planner` decides, `band` commits. Drums exist with role and controls, and plan nothing yet."""

    name: str
    told: Steering
    rng: np.random.Generator
    plan: list[PlannedNote] = field(default_factory=list)
    """uncommitted notes in order, ids 0"""
    stands: bool = False
    """the plan is a motif or an ending: others' notes do not undo it"""
    last: PlannedNote | None = None
    """the last committed note; its duration follows releases"""
    pitches: deque[int] = field(default_factory=lambda: deque(maxlen=10))
    """its last pitches, the newest last"""
    moves: deque[int] = field(default_factory=lambda: deque(maxlen=8))
    """semitones, its last intervals, the newest last"""
    again: float = math.inf
    """s, when to ask the model again after it proposed nothing"""
    owes: float = math.inf
    """s: it let go of a note and comes in again by then"""
    turn: int = 0
    """statements made since the human's phrase ended; 0: it listens"""
    insists: bool = False
    """its turn was asked for by a command: it speaks to the end even over the human"""
    free_notes: int = 0
    """notes of its turn left to the model instead of to a motif"""

    def due(self, commit_s: float) -> float:
        """When it next has something to do, s."""
        return self.plan[0].onset - commit_s if self.plan else self.again

    def took(self, note: PlannedNote) -> None:
        """A note was committed."""
        if self.last is not None:
            self.moves.append(note.pitch - self.last.pitch)
        self.last = note
        self.pitches.append(note.pitch)
        self.owes = math.inf
        self.free_notes = max(0, self.free_notes - 1)

    def cut(self, t: float) -> None:
        """Its last note ends at `t` (s) already."""
        if self.last is not None and t < self.last.offset:
            self.last = replace(self.last, duration=max(1e-3, t - self.last.onset))

    def drop(self) -> None:
        """Throws away what is not committed."""
        self.plan.clear()
        self.stands = False
        self.again = math.inf

    def finish_by(self, t: float) -> None:
        """The human is back: it ends the gesture it is in, by `t` (s), and listens."""
        if self.turn and not self.insists:
            self.plan = [note for note in self.plan if note.onset < t]
            self.stands = bool(self.plan) and self.stands
            self.turn, self.free_notes = 0, min(self.free_notes, 1)

    def listen(self) -> None:
        """Its turn is over at once."""
        self.turn, self.insists, self.free_notes = 0, False, 0
        self.drop()

    def sounding(self, now: float) -> PlannedNote | None:
        """The committed note that sounds or will, at `now` (s)."""
        return self.last if self.last is not None and now < self.last.offset else None
