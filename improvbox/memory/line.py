"""The human's line: one note at a time out of what may be chords, and where its turns of melody came before."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

CHORD_S = 0.035  # onsets closer than a fast strum are one moment of the line; its highest note speaks
SEED = 2  # intervals that must agree before a place in the past counts as a match


@dataclass(slots=True)
class LineNote:
    """One moment of the line."""

    onset: float
    """s"""
    offset: float
    """s; grows while the note sounds"""
    pitch: int
    """MIDI number"""
    velocity: int
    """1..127"""
    starts_phrase: bool
    """a silence lies before it: the interval to its predecessor is no melody"""


@dataclass(frozen=True, slots=True)
class Step:
    """One move of a motif, free of key and of place: it can be played anywhere."""

    interval: int
    """semitones from the note before"""
    ioi: float
    """s from the onset before"""
    duration: float
    """s"""
    velocity: int
    """1..127"""


class Line:
    """Bounded by `forget`; positions count from the session's first note and stay valid while remembered."""

    def __init__(self) -> None:
        self._notes: deque[LineNote] = deque()
        self._base = 0  # position of the oldest remembered note
        self._index: dict[tuple[int, ...], deque[int]] = {}  # SEED intervals -> positions of the note they end at

    def __len__(self) -> int:
        return len(self._notes)

    def add(self, note: LineNote) -> None:
        """Appends a note; one within CHORD_S of the last replaces it if it is higher, else is no part of the line."""
        if self._notes and note.onset - self._notes[-1].onset <= CHORD_S:
            if note.pitch <= self._notes[-1].pitch:
                return
            self._unindex()
            note.starts_phrase = self._notes.pop().starts_phrase
        self._notes.append(note)
        key = self.intervals(SEED)
        if len(key) == SEED:
            self._index.setdefault(key, deque()).append(self._base + len(self._notes) - 1)

    def _unindex(self) -> None:
        key, last = self.intervals(SEED), self._base + len(self._notes) - 1
        places = self._index.get(key)
        if places and places[-1] == last:
            places.pop()

    def last(self, count: int) -> list[LineNote]:
        """The newest `count` notes, oldest first."""
        size = len(self._notes)
        return [self._notes[i] for i in range(max(0, size - count), size)]

    def intervals(self, count: int) -> tuple[int, ...]:
        """The newest intervals in semitones, at most `count`, oldest first; none from before the phrase."""
        notes = self.last(count + 1)
        for i in range(len(notes) - 1, 0, -1):
            if notes[i].starts_phrase:
                notes = notes[i:]
                break
        return tuple(b.pitch - a.pitch for a, b in itertools.pairwise(notes))

    def matches(self, context: Sequence[int], longest: int = 12, most: int = 24) -> list[tuple[int, int]]:
        """Where the end of `context` (intervals) was played before and something follows: (length, position).

        Of many places the latest `most` are looked at.

        The longest match comes first, of equal ones the most recent. The position is that of the note where the
        match ends, so `steps(position + 1, n)` is how the line went on then.
        """
        if len(context) < SEED:
            return []
        key = tuple(context[-SEED:])
        found: list[tuple[int, int]] = []
        for place in reversed(self._index.get(key, ())):
            if len(found) == most:
                break
            if self._base + SEED <= place < self._base + len(self._notes) - 1:
                found.append((self._length(place, context, longest), place))
        found.sort(reverse=True)
        return found

    def _length(self, place: int, context: Sequence[int], longest: int) -> int:
        index = place - self._base
        length = SEED
        while length < min(longest, len(context)) and index - length >= 1:
            before, after = self._notes[index - length - 1], self._notes[index - length]
            if after.starts_phrase or after.pitch - before.pitch != context[-length - 1]:
                break
            length += 1
        return length

    def steps(self, position: int, count: int) -> list[Step]:
        """The moves into the notes `position` .. `position + count - 1`; fewer at a phrase end or the line's end."""
        made: list[Step] = []
        for index in range(max(1, position - self._base), min(len(self._notes), position - self._base + count)):
            note, before = self._notes[index], self._notes[index - 1]
            if note.starts_phrase:
                break
            made.append(_step(before, note))
        return made

    def forget(self, before: float) -> None:
        """Drops notes that began before `before` (s)."""
        while self._notes and self._notes[0].onset < before:
            first = self._base + SEED  # the oldest place whose match would need the dropped note
            if len(self._notes) > SEED:
                head = [self._notes[i].pitch for i in range(SEED + 1)]
                key = tuple(b - a for a, b in itertools.pairwise(head))
                places = self._index.get(key)
                if places and places[0] == first:
                    places.popleft()
                    if not places:
                        del self._index[key]
            self._notes.popleft()
            self._base += 1


def _step(before: LineNote, note: LineNote) -> Step:
    return Step(note.pitch - before.pitch, note.onset - before.onset, note.offset - note.onset, note.velocity)


def steps_of(notes: Sequence[LineNote]) -> list[Step]:
    """The moves inside a run of notes."""
    return [_step(a, b) for a, b in itertools.pairwise(notes)]
