"""Where the human of an offline session comes from: a sound file that is heard, or a MIDI file taken at its word.

Both give `Heard`: what happened, and when the box came to know it. That moment never runs backwards.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from improvbox.audio.wav import WavSource
from improvbox.errors import UsageError
from improvbox.events import HumanEvent, NoteOff, NoteOn, PitchBend, PlayedNote
from improvbox.stage import midi

MIDI_SUFFIXES = (".mid", ".midi", ".smf")

# How late hearing is, by the lowest MIDI number of a register: the medians of docs/measurements (pitch-v1) for
# single notes. Low strings need longer: 1.5 periods of the note have to pass.
HEARING_DELAY_S = ((72, 0.012), (60, 0.013), (48, 0.017), (0, 0.025))
LONGEST_DELAY_S = 1.0


@dataclass(frozen=True, slots=True)
class Heard:
    """An event of the human, or none: time has gone on."""

    known: float
    """s, when the box knows it"""
    event: HumanEvent | None


class Take(Protocol):
    """A session's human."""

    duration_s: float

    def heard(self) -> Iterator[Heard]:
        """In the order of `known`. Once."""
        ...


class Listener(Protocol):
    """What a sound file needs; `hearing.listener.Listener` is the real one."""

    @property
    def t(self) -> float: ...
    def push(self, samples: np.ndarray) -> Sequence[HumanEvent]: ...
    def flush(self) -> Sequence[HumanEvent]: ...


class WavTake:
    """A sound file heard as the live box would hear it, block by block."""

    def __init__(self, path: str | Path, listener: Listener) -> None:
        """Opens the file: raises InputFileError."""
        self.path = Path(path)
        self._source = WavSource(path)
        self._source.start()
        self._listener = listener
        self.duration_s = float(self._source.duration_s or 0.0)

    def heard(self) -> Iterator[Heard]:
        known = 0.0
        try:
            while (block := self._source.read()) is not None:
                events = self._listener.push(block.samples)
                known = max(known, self._listener.t)
                for event in events:
                    known = max(known, _emitted(event))
                    yield Heard(known, event)
                yield Heard(known, None)
            for event in self._listener.flush():
                known = max(known, self._listener.t, _emitted(event))
                yield Heard(known, event)
        finally:
            self._source.stop()


def _emitted(event: HumanEvent) -> float:
    return event.emitted if isinstance(event, NoteOn) else event.t


class MidiTake:
    """A MIDI file's notes, known as late as hearing would be."""

    def __init__(self, path: str | Path, delay_ms: float | None = None) -> None:
        """delay_ms: how late every note is known; None: as measured, by register. Raises InputFileError, UsageError."""
        if delay_ms is not None and not 0 <= delay_ms <= 1e3 * LONGEST_DELAY_S:
            raise UsageError(f"--delay-ms {delay_ms:g} must be 0..{1e3 * LONGEST_DELAY_S:g}")
        self.path = Path(path)
        self.notes = midi.read(path)
        self._delay = None if delay_ms is None else delay_ms / 1e3
        self.duration_s = max(n.offset for n in self.notes)

    def heard(self) -> Iterator[Heard]:
        rows: list[tuple[float, int, Heard]] = []
        for note in self.notes:
            for event in _events(note, self._delay_of(note.pitch)):
                rows.append((event.known, len(rows), event))
        heapq.heapify(rows)
        while rows:
            yield heapq.heappop(rows)[2]

    def _delay_of(self, pitch: float) -> float:
        return hearing_delay(pitch) if self._delay is None else self._delay


def _events(note: PlayedNote, delay: float) -> Iterator[Heard]:
    known = note.onset + delay
    yield Heard(known, NoteOn(note.id, note.pitch, note.velocity, note.onset, known))
    for after, cents in note.curve:
        yield Heard(note.onset + after + delay, PitchBend(note.id, cents, note.onset + after))
    yield Heard(note.offset + delay, NoteOff(note.id, note.offset))


def hearing_delay(pitch: float) -> float:
    """s between the release of a string and the note event, the median of its register."""
    return next(delay for lowest, delay in HEARING_DELAY_S if pitch >= lowest)


def is_midi(path: str | Path) -> bool:
    """By its name; a sound file with that name is refused by the MIDI reader, and the other way round."""
    return Path(path).suffix.lower() in MIDI_SUFFIXES
