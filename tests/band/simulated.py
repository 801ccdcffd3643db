"""A small stage for the band's tests: a simulated human, cues, and what sounded in the end. Virtual time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from rule_model import RuleModel

from improvbox import commands
from improvbox.band.band import Band
from improvbox.band.types import Predictor
from improvbox.config import build
from improvbox.events import BandEvent, Command, HumanEvent, NoteOff, NoteOn, PlannedNote, Release
from improvbox.hearing.beat import BeatTracker
from improvbox.memory.context import Memory

Row = tuple[float, float, int]  # (onset s, offset s, pitch)
DELAY_S = 0.02


def tune(bpm: float = 100.0, beats: int = 32, seed: int = 3, start: float = 0.5) -> list[Row]:
    """Quarters and eighths, mostly steps in C major around C4."""
    rng = np.random.default_rng(seed)
    scale = [p for p in range(50, 77) if p % 12 in (0, 2, 4, 5, 7, 9, 11)]
    at, beat, rows = len(scale) // 2, 0.0, []
    while beat < beats:
        length = float(rng.choice([0.5, 1.0, 1.0]))
        at = int(np.clip(at + rng.choice([-2, -1, 1, 1, 2]), 3, len(scale) - 4))
        on = start + beat * 60 / bpm
        rows.append((on, on + 0.9 * length * 60 / bpm, scale[at]))
        beat += length
    return rows


@dataclass
class Played:
    """What came of it."""

    band: Band
    model: Predictor
    events: list[tuple[float, BandEvent]] = field(default_factory=list)
    """(when it was handed out, s; what)"""

    def notes(self, part: str) -> list[Row]:
        """What sounded: a note ends its predecessor, a release ends it sooner."""
        planned: dict[int, PlannedNote] = {}
        ends: dict[int, float] = {}
        for _, event in self.events:
            if event.part != part:
                continue
            if isinstance(event, Release):
                ends[event.id] = min(ends[event.id], event.t)
            else:
                planned[event.id], ends[event.id] = event, event.offset
        rows = sorted((n.onset, ends[i], n.pitch) for i, n in planned.items() if ends[i] > n.onset)
        return [(on, min(off, rows[i + 1][0]) if i + 1 < len(rows) else off, p) for i, (on, off, p) in enumerate(rows)]

    def planned(self, part: str) -> list[PlannedNote]:
        """Committed notes as planned."""
        return [e for _, e in self.events if isinstance(e, PlannedNote) and e.part == part]


def play(
    human: Iterable[Row],
    cues: Iterable[str] = (),
    *,
    until: float,
    bpm: float = 100.0,
    seed: int = 1,
    step: float | None = None,
    settings: dict | None = None,
    model: Predictor | None = None,
) -> Played:
    """The band plays with `human` up to `until` (s); `bpm` 0: free or found. `step`: how often advance is called."""
    made = build({"band": settings or {}}).band
    memory, beat = Memory(), BeatTracker(bpm)
    played = Played(Band(model or RuleModel(), memory, made, seed), model or RuleModel())
    queue: list[tuple[float, int, HumanEvent | Command]] = []
    for cue in cues:
        command = commands.parse_cue(cue)
        queue.append((command.t, len(queue), command))
    for id, (on, off, pitch) in enumerate(human, 1):
        queue.append((on + DELAY_S, len(queue), NoteOn(id, float(pitch), 80, on, on + DELAY_S)))
        queue.append((off + DELAY_S, len(queue), NoteOff(id, off)))
    heapq.heapify(queue)
    now = 0.0
    while now < until:
        nearest = queue[0][0] if queue else until
        wake = played.band.next_wake() if step is None else now + step
        now = max(now, min(nearest, wake, until))
        while queue and queue[0][0] <= now:
            _tell(played.band, beat, heapq.heappop(queue)[2], now)
        played.band.set_grid(beat.grid(now), now)
        played.events.extend((now, event) for event in played.band.advance(now))
    return played


def _tell(band: Band, beat: BeatTracker, thing: HumanEvent | Command, now: float) -> None:
    if isinstance(thing, Command):
        beat.command(thing)
        band.set_grid(beat.grid(now), now)
        band.command(thing, now)
    else:
        beat.hear(thing)
        band.set_grid(beat.grid(now), now)
        band.hear(thing, now)
