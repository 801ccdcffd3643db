"""Keeps every note of a session, the human's and the band's, as they go on record. For sessions that fit in memory."""

from __future__ import annotations

from improvbox.box.session import Onlooker
from improvbox.events import Command, HumanEvent, PlannedNote, PlayedNote
from improvbox.stage.notes import HumanNotes


class NoteLog(Onlooker):
    """A sink of the weaver and a witness of the session."""

    def __init__(self) -> None:
        self.notes: list[PlayedNote] = []
        """in the order they ended; `stage.notes` sorts them"""
        self.commands: list[Command] = []
        """those that were carried out"""
        self._human = HumanNotes()
        self._sounding: dict[tuple[str, int], tuple[PlannedNote, float, list[tuple[float, float]]]] = {}

    def human(self, event: HumanEvent, now: float) -> None:
        finished = self._human.take(event)
        if finished is not None:
            self.notes.append(finished)

    def command(self, command: Command, now: float) -> None:
        self.commands.append(command)

    def finish(self, t: float) -> None:
        """Ends what the human still sounds at `t` (s)."""
        self.notes.extend(self._human.finish(t))

    @property
    def hanging(self) -> int:
        """Notes of the band that were begun and not ended."""
        return len(self._sounding)

    def note_on(self, note: PlannedNote, t: float) -> None:
        self._sounding[note.part, note.id] = note, t, []

    def note_off(self, part: str, id: int, pitch: int, t: float) -> None:
        found = self._sounding.pop((part, id), None)
        if found is not None:
            note, onset, curve = found
            self.notes.append(PlayedNote(part, id, onset, t, note.pitch, note.velocity, onset, tuple(curve)))

    def bend(self, part: str, id: int, cents: float, t: float) -> None:
        found = self._sounding.get((part, id))
        if found is not None:
            found[2].append((t - found[1], cents))

    def program(self, part: str, program: int) -> None:
        """Not on record: a sound is no note."""

    def gain(self, part: str, level: float) -> None:
        """Not on record."""

    def panic(self, t: float) -> None:
        """The weaver has ended every note already."""

    def close(self) -> None:
        """Nothing to free."""
