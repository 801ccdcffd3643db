"""From a recording of guitar and synth, and the moments of the box between them, to milliseconds of each stage.

The whole way is counted in samples of one recording. The moments between (note emitted, synth called) are read from
CLOCK_MONOTONIC and placed in the recording by the clock of its own cycles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from improvbox.audio.rig import Recording
from improvbox.audio.source import RATE_HZ
from improvbox.cli.benches.plucks import REGISTERS, Pluck

LATEST_S = 0.25  # an answer later than this is to something else
FLOOR = 2e-4  # of full scale (-74 dB): the synth has begun. Its dither is 3e-5
QUIET_FRAMES = 96  # before the answer; louder than FLOOR there: the last answer still rings, and nothing can be said

STAGES = MappingProxyType(
    {
        "hearing": "string released .. note emitted",
        "box": "note emitted .. synth called",
        "synth": "synth called .. its first sample",
        "box+synth": "note emitted .. first sample of the synth",
        "total": "string released .. first sample of the synth",
    }
)


@dataclass(frozen=True, slots=True)
class Reaction:
    """What the box did, and when by CLOCK_MONOTONIC (s)."""

    heard_s: float
    """the note left hearing"""
    called_s: float | None
    """the synth was called; None: it never was"""


@dataclass(frozen=True, slots=True)
class Answer:
    """One pluck and what came of it, in frames of the recording; None: it did not happen, or cannot be told."""

    pluck: Pluck
    guitar: float
    heard: float | None
    called: float | None
    sounded: float | None

    def ms(self, stage: str) -> float | None:
        """Duration of a key of STAGES."""
        begin, end = {
            "hearing": (self.guitar, self.heard),
            "box": (self.heard, self.called),
            "synth": (self.called, self.sounded),
            "box+synth": (self.heard, self.sounded),
            "total": (self.guitar, self.sounded),
        }[stage]
        return None if begin is None or end is None else (end - begin) / RATE_HZ * 1e3


@dataclass(frozen=True, slots=True)
class Row:
    """One stage of one register (or 'all')."""

    register: str
    stage: str
    count: int
    p50_ms: float | None
    p90_ms: float | None
    p99_ms: float | None
    max_ms: float | None


def answers(
    plucks: Sequence[Pluck], reactions: Sequence[Reaction], recording: Recording, synth: np.ndarray
) -> list[Answer]:
    """Pairs each pluck with the first reaction after it. `synth`: float32[frames], mono, of the recording."""
    if recording.play_frame is None:
        raise ValueError("nothing was played while this was recorded")
    begun = recording.play_frame
    placed = [
        (recording.frame_at(r.heard_s), None if r.called_s is None else recording.frame_at(r.called_s))
        for r in reactions
    ]
    loud = np.flatnonzero(np.abs(synth) > FLOOR)
    found = []
    for number, one in enumerate(plucks):
        guitar = begun + one.onset_frame
        until = guitar + LATEST_S * RATE_HZ
        if number + 1 < len(plucks):
            until = min(until, begun + plucks[number + 1].onset_frame)
        heard, called = next(((h, c) for h, c in placed if guitar <= h < until), (None, None))
        found.append(Answer(one, guitar, heard, called, None if called is None else _sounded(loud, called, until)))
    return found


def _sounded(loud: np.ndarray, called: float, until: float) -> float | None:
    """The first loud frame from `called` on, if it was quiet just before."""
    at = int(np.searchsorted(loud, called))
    if at and called - loud[at - 1] < QUIET_FRAMES:
        return None
    return float(loud[at]) if at < len(loud) and loud[at] < until else None


def table(found: Sequence[Answer]) -> list[Row]:
    """Every stage in every register, then in all."""
    rows = []
    for register in (*REGISTERS, "all"):
        these = [a for a in found if register in (a.pluck.register, "all")]
        for stage in STAGES:
            values = [ms for a in these if (ms := a.ms(stage)) is not None]
            points = np.percentile(values, (50, 90, 99, 100)).round(2).tolist() if values else [None] * 4
            rows.append(Row(register, stage, len(values), *points))
    return rows
