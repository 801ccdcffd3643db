"""Keeps every note of a session, the human's and the band's, as they go on record. For sessions that fit in memory."""

from __future__ import annotations

from improvbox.box.session import Onlooker
from improvbox.events import Command, HumanEvent, PlannedNote, PlayedNote
from improvbox.stage.notes import HumanNotes
from improvbox.stage.recorder import BandNotes
from improvbox.tempo import Grid


class NoteLog(Onlooker):
    """A sink of the weaver and a witness of the session."""

    def __init__(self) -> None:
        self.notes: list[PlayedNote] = []
        """in the order they ended; `stage.notes` sorts them"""
        self.commands: list[Command] = []
        """those that were carried out"""
        self.beats: list[tuple[float, int]] = []
        """(s, beat within its bar), as they fell"""
        self._human = HumanNotes()
        self._band = BandNotes()

    def human(self, event: HumanEvent, now: float) -> None:
        finished = self._human.take(event)
        if finished is not None:
            self.notes.append(finished)

    def command(self, command: Command, now: float) -> None:
        self.commands.append(command)

    def beat(self, grid: Grid, bar: int, beat: int, now: float) -> None:
        self.beats.append((now, beat))

    def finish(self, t: float) -> None:
        """Ends what the human still sounds at `t` (s)."""
        self.notes.extend(self._human.finish(t))

    @property
    def hanging(self) -> int:
        """Notes of the band that were begun and not ended."""
        return self._band.sounding

    def note_on(self, note: PlannedNote, t: float) -> None:
        self._band.on(note, t)

    def note_off(self, part: str, id: int, pitch: int, t: float) -> None:
        finished = self._band.off(part, id, t)
        if finished is not None:
            self.notes.append(finished)

    def bend(self, part: str, id: int, cents: float, t: float) -> None:
        self._band.bend(part, id, cents, t)

    def program(self, part: str, program: int) -> None:
        """Not on record: a sound is no note."""

    def gain(self, part: str, level: float) -> None:
        """Not on record."""

    def panic(self, t: float) -> None:
        """The weaver has ended every note already."""

    def close(self) -> None:
        """Nothing to free."""
