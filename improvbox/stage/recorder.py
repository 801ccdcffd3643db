"""Keeps a session on disk: notes and commands as they happen, notes in order and MIDI at the end.

While the session runs, `notes.jsonl` grows in the order in which notes end; a crash loses what still sounded. At the
end it is put in the order of the format, and `session.mid` is written beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from improvbox.clock import wall_time
from improvbox.errors import InputFileError
from improvbox.events import Command, HumanEvent, PlannedNote, PlayedNote
from improvbox.stage import midi, notes
from improvbox.stage.journal import Journal
from improvbox.stage.notes import HumanNotes
from improvbox.tempo import Grid

NOTES, COMMANDS, MIDI = "notes.jsonl", "commands.jsonl", "session.mid"


def new_folder(jams: Path) -> Path:
    """A folder for a session that begins now, e.g. jams/2026-03-01T20-15-07. Not made yet."""
    first = jams / wall_time()
    number, folder = 1, first
    while folder.exists():
        number += 1
        folder = first.with_name(f"{first.name}-{number}")
    return folder


class BandNotes:
    """Gathers what a sink is told into finished notes. One thread."""

    def __init__(self) -> None:
        self._sounding: dict[tuple[str, int], tuple[PlannedNote, float, list[tuple[float, float]]]] = {}

    @property
    def sounding(self) -> int:
        """Notes begun and not ended."""
        return len(self._sounding)

    def on(self, note: PlannedNote, t: float) -> None:
        self._sounding[note.part, note.id] = (note, t, [])

    def bend(self, part: str, id: int, cents: float, t: float) -> None:
        if (part, id) in self._sounding:
            _, onset, curve = self._sounding[part, id]
            curve.append((t - onset, cents))

    def off(self, part: str, id: int, t: float) -> PlayedNote | None:
        """The finished note: as it sounded, not as it was planned."""
        found = self._sounding.pop((part, id), None)
        if found is None:
            return None
        note, onset, curve = found
        return PlayedNote(part, id, onset, max(onset, t), note.pitch, note.velocity, onset, tuple(curve))

    def finish(self, t: float) -> list[PlayedNote]:
        """Ends all that still sounds at `t` (s)."""
        ended = (self.off(part, id_, t) for part, id_ in list(self._sounding))
        return [note for note in ended if note is not None]


class Recorder:
    """A sink and a witness. One thread calls; nothing here waits for the disk, and no fault of the disk is raised:
    `problem` says what is wrong, once."""

    def __init__(self, folder: Path, tempo_bpm: float = 120.0) -> None:
        """folder: for this session alone. tempo_bpm: of the MIDI file, unless a grid is found on the way."""
        self.folder = folder
        self._journal = Journal(folder)
        self._band = BandNotes()
        self._human = HumanNotes()
        self._programs: dict[str, int] = {}
        self._tempo_bpm = tempo_bpm
        self._t = 0.0
        self.notes = 0
        """finished notes handed to the disk"""

    @property
    def problem(self) -> str:
        """'' while all is written, else what is wrong and that recording stopped."""
        return self._journal.problem

    @property
    def lost(self) -> int:
        """Lines that were not written."""
        return self._journal.lost

    def start(self) -> None:
        self._journal.start()

    def human(self, event: HumanEvent, now: float) -> None:
        self._t = max(self._t, now)
        self._keep(self._human.take(event))

    def command(self, command: Command, now: float) -> None:
        line = {"t": command.t, "target": command.target, "verb": command.verb, "value": command.value}
        self._journal.put(COMMANDS, json.dumps({**line, "source": command.source}, separators=(",", ":")))

    def beat(self, grid: Grid, bar: int, beat: int, now: float) -> None:
        self._tempo_bpm = grid.tempo_bpm

    def plan(self, part: str, notes: Iterable[PlannedNote], now: float) -> None:
        """Not on record: what counts is what sounds."""

    def state(self, state: Mapping[str, Any], now: float) -> None:
        """Not on record."""

    def note_on(self, note: PlannedNote, t: float) -> None:
        self._t = max(self._t, t)
        self._band.on(note, t)

    def note_off(self, part: str, id: int, pitch: int, t: float) -> None:
        self._t = max(self._t, t)
        self._keep(self._band.off(part, id, t))

    def bend(self, part: str, id: int, cents: float, t: float) -> None:
        self._band.bend(part, id, cents, t)

    def program(self, part: str, program: int) -> None:
        self._programs[part] = program

    def gain(self, part: str, level: float) -> None:
        """Not on record: levels are commands."""

    def panic(self, t: float) -> None:
        """Every note was ended already, one by one."""

    def close(self) -> None:
        """Ends what still sounds, puts the notes in order, writes the MIDI file. May be called twice."""
        for note in (*self._human.finish(self._t), *self._band.finish(self._t)):
            self._keep(note)
        self._journal.close(self._conclude)

    def _keep(self, note: PlayedNote | None) -> None:
        if note is not None:
            self.notes += 1
            self._journal.put(NOTES, notes.to_json(note))

    def _conclude(self) -> None:
        """In the writing thread, after the last line. The notes are read back: a long session need not fit twice."""
        path = self.folder / NOTES
        if path.exists():
            played = notes.read(path)
            notes.write(path, played)
            midi.write(self.folder / MIDI, played, self._programs, self._tempo_bpm)


def recover(folder: Path) -> list[PlayedNote]:
    """What a session that was cut off has left: a torn last line is dropped. Raises InputFileError."""
    path = folder / NOTES
    if not path.exists():
        raise InputFileError(f"{path}: no such recording; give the folder of a session")
    return notes.read(path, torn=True)
