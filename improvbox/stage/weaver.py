"""The weaver: notes planned by anybody become one continuous stream in which nothing can hang.

It is no player and knows no music. It holds what was taken until it is due, keeps each band monophonic, closes the
small gaps of a legato line, and drops what comes too late to be worth hearing.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from dataclasses import dataclass

from improvbox.events import BANDS, PLAYERS, BandEvent, PlannedNote, Release
from improvbox.stage.sinks import Fan, Sink

THIN_S = 0.050
"""later than this, every second late note of a part is left out"""
SKIP_S = 0.100
"""later than this, a note is left out: the beat it belonged to has gone"""
LEGATO_GAP_S = 0.025
"""a shorter gap between two notes of a band is no articulation: the first is held until the second begins.
Below the shortest commit horizon (30 ms), so the second note is known when the first would end."""
LATE_LENGTH_S = 0.020
"""a late note keeps its planned end, but sounds this long at least (or as long as planned, if that is shorter)"""
LONGEST_S = 30.0
"""no note outlives this, whatever was planned: longer than any pedal point, shorter than a listener's patience"""

Voice = tuple[str, int]


@dataclass(slots=True)
class _Sounding:
    note: PlannedNote
    ends: float
    """s"""
    may_wait: bool
    """its end may be put off to meet the next note; not after a release"""


@dataclass(slots=True)
class Tally:
    """What became of the notes, since the start."""

    played: int = 0
    thinned: int = 0
    """left out, 50 to 100 ms late"""
    skipped: int = 0
    """left out, over 100 ms late"""
    refused: int = 0
    """no note at all: an unknown part, a time or duration that is no number, a pitch or velocity out of range"""
    cancelled: int = 0
    """released or silenced before they began"""


def voice_of(note: PlannedNote) -> Voice:
    """What sounds one note at a time: a band, or one key of the drums."""
    return (note.part, note.pitch if note.part == "drums" else -1)


class Weaver:
    """Takes BandEvents, drives sinks. One thread; never blocks; time is a parameter and runs forward.

    The `t` that a sink gets is the `now` of the `advance` that made it happen, so it is when the note was really handed
    on. A driver that advances exactly at `next_due()` gets planned times exactly.
    """

    def __init__(self, sinks: Iterable[Sink]) -> None:
        self.fan = Fan(sinks)
        self.tally = Tally()
        self._pending: list[tuple[float, int, PlannedNote]] = []
        self._count = 0
        self._voices: dict[Voice, _Sounding] = {}
        self._left_out: dict[str, bool] = {}  # part -> its last late note was left out

    def take(self, event: BandEvent) -> None:
        """A committed note, or the early end of one. What makes no sense is counted, not raised."""
        if isinstance(event, Release):
            self._release(event)
        elif not _sensible(event):
            self.tally.refused += 1
        else:
            self._count += 1
            heapq.heappush(self._pending, (event.onset, self._count, event))

    def advance(self, now: float) -> None:
        """Makes happen, in time order, all that is due at `now` (s)."""
        while True:
            voice = min(self._voices, key=lambda v: self._voices[v].ends, default=None)
            ends = self._voices[voice].ends if voice is not None else math.inf
            begins = self._pending[0][0] if self._pending else math.inf
            if min(ends, begins) > now:
                return
            if voice is not None and ends <= begins:
                self._end_or_wait(voice, now)
            else:
                self._begin(heapq.heappop(self._pending)[2], now)

    def next_due(self) -> float:
        """When `advance` next has something to do, s; inf where nothing waits and nothing sounds."""
        ends = min((s.ends for s in self._voices.values()), default=math.inf)
        return min(ends, self._pending[0][0] if self._pending else math.inf)

    def silence(self, part: str | None, now: float) -> None:
        """Ends what `part` (None: everybody) sounds and forgets what it has planned."""
        kept = [row for row in self._pending if part is not None and row[2].part != part]
        self.tally.cancelled += len(self._pending) - len(kept)
        self._pending = kept
        heapq.heapify(self._pending)
        for voice in [v for v in self._voices if part is None or v[0] == part]:
            self._end(voice, now)

    def panic(self, now: float) -> None:
        """`silence` for everybody, and every sink cuts its tails."""
        self.silence(None, now)
        self.fan.panic(now)

    def close(self, now: float) -> None:
        """Ends every note, then closes the sinks."""
        self.silence(None, now)
        self.fan.close()

    @property
    def sounding(self) -> dict[str, tuple[PlannedNote, ...]]:
        """part -> the notes it sounds; parts that are silent are left out."""
        parts: dict[str, tuple[PlannedNote, ...]] = {}
        for (part, _), state in self._voices.items():
            parts[part] = (*parts.get(part, ()), state.note)
        return parts

    def _begin(self, note: PlannedNote, now: float) -> None:
        if not self._in_time(note, now - note.onset):
            return
        voice = voice_of(note)
        if voice in self._voices:
            self._end(voice, now)
        length = min(note.duration, LONGEST_S)
        self._voices[voice] = _Sounding(note, max(note.onset + length, now + min(length, LATE_LENGTH_S)), True)
        self.tally.played += 1
        self.fan.note_on(note, now)

    def _in_time(self, note: PlannedNote, late_s: float) -> bool:
        if late_s > SKIP_S:
            self.tally.skipped += 1
            return False
        left_out = late_s > THIN_S and not self._left_out.get(note.part, True)
        # The first late note plays and the one after it is left out; a note in time starts afresh.
        self._left_out[note.part] = left_out if late_s > THIN_S else True
        self.tally.thinned += left_out
        return not left_out

    def _end_or_wait(self, voice: Voice, now: float) -> None:
        state = self._voices[voice]
        if state.may_wait and voice[0] in BANDS:
            state.may_wait = False
            follows = min((on for on, _, note in self._pending if note.part == voice[0]), default=math.inf)
            if follows <= state.ends + LEGATO_GAP_S:
                state.ends = follows
                return
        self._end(voice, now)

    def _end(self, voice: Voice, now: float) -> None:
        note = self._voices.pop(voice).note
        self.fan.note_off(note.part, note.id, note.pitch, now)

    def _release(self, event: Release) -> None:
        if not math.isfinite(event.t):
            self.tally.refused += 1
            return
        for state in self._voices.values():
            if (state.note.part, state.note.id) == (event.part, event.id):
                state.ends = min(state.ends, event.t)
                state.may_wait = False
        kept = []
        for row in self._pending:
            note = row[2]
            if (note.part, note.id) != (event.part, event.id):
                kept.append(row)
            elif note.onset < event.t:
                shorter = min(note.duration, event.t - note.onset)
                kept.append((*row[:2], PlannedNote(note.part, note.id, note.onset, shorter, note.pitch, note.velocity)))
            else:
                self.tally.cancelled += 1
        self._pending = kept
        heapq.heapify(self._pending)


def _sensible(note: PlannedNote) -> bool:
    """The part is known, times are numbers, the duration is positive, pitch and velocity are MIDI's."""
    return (
        note.part in PLAYERS
        and math.isfinite(note.onset)
        and math.isfinite(note.duration)
        and note.duration > 0
        and 0 <= note.pitch <= 127
        and note.pitch == int(note.pitch)
        and 1 <= note.velocity <= 127
    )
