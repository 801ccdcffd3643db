"""The rolling context: what every part played, within a horizon.

One writer, the band: it hears the human's events and knows its own committed notes. Readers take views; nothing
here depends on a clock, so the same notes always give the same views.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from improvbox.events import PARTS, HumanEvent, NoteOff, NoteOn, PitchBend, PlannedNote, PlayedNote
from improvbox.memory.line import CHORD_S, Line, LineNote
from improvbox.memory.phrases import Phrases

MAX_NOTES = 20_000  # a part; ten minutes of 32 notes a second
MAX_CURVE = 256  # points of one note's pitch curve; a longer one keeps its beginning
TUNING_RATE = 0.05  # how far one steady note moves the estimate of the guitar's tuning


@dataclass(slots=True)
class Remembered:
    """A note in memory, sounding or finished."""

    part: str
    id: int
    pitch: float
    """MIDI number at the onset"""
    key: int
    """nearest key, the guitar's tuning taken out"""
    velocity: int
    onset: float
    """s"""
    offset: float
    """s; inf while nobody knows"""
    emitted: float
    """s"""
    curve: list[tuple[float, float]] = field(default_factory=list)

    def played(self) -> PlayedNote:
        """As it goes on record; only for a note that has ended."""
        return PlayedNote(
            self.part,
            self.id,
            self.onset,
            self.offset,
            self.pitch,
            self.velocity,
            self.emitted,
            tuple(self.curve),
        )


class Memory:
    """Everything within `horizon_s` seconds, at most MAX_NOTES a part."""

    def __init__(self, horizon_s: float = 600.0) -> None:
        self.horizon_s = horizon_s
        self.line = Line()
        self.phrases = Phrases()
        self.tuning = 0.0  # semitones the guitar is off, a slow estimate
        self._notes: dict[str, deque[Remembered]] = {part: deque(maxlen=MAX_NOTES) for part in PARTS}
        self._sounding: dict[str, dict[int, Remembered]] = {part: {} for part in PARTS}
        self._on_line: dict[int, LineNote] = {}
        self._finished: deque[PlayedNote] = deque(maxlen=MAX_NOTES)

    # -- writing -------------------------------------------------------------------------------------------------

    def hear(self, event: HumanEvent) -> None:
        """Takes what the human did."""
        if isinstance(event, NoteOn):
            self.note_on("human", event.id, event.pitch, event.velocity, onset=event.onset, emitted=event.emitted)
        elif isinstance(event, NoteOff):
            self.note_off("human", event.id, event.t)
        elif isinstance(event, PitchBend):
            self.bend("human", event.id, event.cents, event.t)

    def play(self, note: PlannedNote, committed: float) -> None:
        """Takes a note of a player, committed at `committed` (s); it cuts what the player still sounds."""
        for other in list(self._sounding[note.part].values()):
            self.note_off(note.part, other.id, min(note.onset, other.offset))
        self.note_on(
            note.part,
            note.id,
            note.pitch,
            note.velocity,
            onset=note.onset,
            emitted=committed,
            offset=note.offset,
        )

    def note_on(
        self, part: str, id: int, pitch: float, velocity: int, *, onset: float, emitted: float, offset: float = math.inf
    ) -> Remembered:
        """A note begins; `offset` where it is known already."""
        if id in self._sounding[part]:
            self.note_off(part, id, onset)
        key = round(pitch)
        if part == "human":
            key = round(pitch - self.tuning)
            self.tuning += TUNING_RATE * max(-0.5, min(0.5, pitch - key - self.tuning))
        note = Remembered(part, id, pitch, key, velocity, onset, offset, emitted)
        self._notes[part].append(note)
        self._sounding[part][id] = note
        if part == "human":
            self._to_line(note)
        return note

    def note_off(self, part: str, id: int, t: float) -> None:
        """A note ends at `t` (s). An unknown id is ignored: a note may have been forgotten before it ended."""
        note = self._sounding[part].pop(id, None)
        if note is None:
            return
        note.offset = max(note.onset, t)
        self._finished.append(note.played())
        if part == "human":
            on_line = self._on_line.pop(id, None)
            if on_line is not None:
                on_line.offset = note.offset
            if not self._sounding[part]:
                self.phrases.silence(note.offset)

    def bend(self, part: str, id: int, cents: float, t: float) -> None:
        """A sounding note moved: `cents` against its first pitch, at `t` (s)."""
        note = self._sounding[part].get(id)
        if note is not None and len(note.curve) < MAX_CURVE:
            note.curve.append((t - note.onset, cents))

    def advance(self, now: float) -> None:
        """Ends band notes whose time is over and forgets what lies behind the horizon."""
        for part, sounding in self._sounding.items():
            for note in [n for n in sounding.values() if n.offset <= now]:
                self.note_off(part, note.id, note.offset)
        before = now - self.horizon_s
        for notes in self._notes.values():
            while notes and notes[0].offset < before:
                notes.popleft()
        self.line.forget(before)
        self.phrases.forget(before)

    def _to_line(self, note: Remembered) -> None:
        last = self.line.last(1)
        new_moment = not last or note.onset - last[-1].onset > CHORD_S
        begins = self.phrases.onset(note.onset, new_moment)
        moment = LineNote(note.onset, note.onset + self.phrases.median_ioi, note.key, note.velocity, begins)
        if last and new_moment:  # in the line a note lasts until the next at most
            last[-1].offset = min(last[-1].offset, note.onset)
        self._on_line[note.id] = moment
        self.line.add(moment)

    # -- views ---------------------------------------------------------------------------------------------------

    def sounding(self, part: str, now: float) -> list[Remembered]:
        """Notes that sound at `now` (s), lowest first."""
        return sorted((n for n in self._sounding[part].values() if n.onset <= now < n.offset), key=lambda n: n.key)

    def note(self, part: str, id: int) -> Remembered | None:
        """A part's note that has not ended, by its id."""
        return self._sounding[part].get(id)

    def latest(self, part: str) -> Remembered | None:
        """The part's note with the last onset, committed ones included."""
        return self._notes[part][-1] if self._notes[part] else None

    def recent(self, part: str, since: float) -> Iterator[Remembered]:
        """Notes of a part that began at `since` (s) or later, newest first."""
        for note in reversed(self._notes[part]):
            if note.onset < since:
                return
            yield note

    def rate(self, part: str, now: float, window_s: float = 6.0) -> float:
        """Onsets a second over the last `window_s` seconds."""
        return sum(1 for _ in self.recent(part, now - window_s)) / window_s

    def take_finished(self) -> list[PlayedNote]:
        """Finished notes since the last call, in the order they ended."""
        taken = list(self._finished)
        self._finished.clear()
        return taken

    def count(self) -> int:
        """Notes held, all parts."""
        return sum(len(notes) for notes in self._notes.values())
