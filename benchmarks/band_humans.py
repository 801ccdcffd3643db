"""Humans for the band's benchmark: held-out chorale sopranos with their real parts, and lines made by rule."""

from __future__ import annotations

import gzip
import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from improvbox.box.takes import Heard
from improvbox.events import NoteOff, NoteOn, PlayedNote

SPLIT = Path(__file__).parent.parent / "models" / "training" / "band" / "split.toml"
REGISTERS = {"bass": (28, 52), "mid": (48, 72), "high": (64, 96)}
USUAL_BPM = 90.0  # of a chorale without a tempo mark
VOICES = ("Soprano", "Alto", "Tenor", "Bass")
Row = tuple[float, float, int, int]  # (onset s, offset s, pitch, velocity)


@dataclass(frozen=True, slots=True)
class ListTake:
    """A human whose notes are known `delay_s` after they happen."""

    name: str
    tempo_bpm: float
    notes: tuple[Row, ...]
    real: dict[str, tuple[Row, ...]] = field(default_factory=dict)
    """the real parts, where there are any"""
    delay_s: float = 0.02

    @property
    def duration_s(self) -> float:
        return max(row[1] for row in self.notes)

    def heard(self) -> Iterator[Heard]:
        """As a session wants it."""
        rows: list[tuple[float, int, Heard]] = []
        for i, (on, off, pitch, velocity) in enumerate(self.notes, 1):
            known = on + self.delay_s
            rows.append((known, 2 * i, Heard(known, NoteOn(i, float(pitch), velocity, on, known))))
            rows.append((off + self.delay_s, 2 * i + 1, Heard(off + self.delay_s, NoteOff(i, off))))
        return (row[2] for row in sorted(rows, key=lambda r: r[:2]))

    def played(self) -> list[PlayedNote]:
        """The real parts beside the human, as notes on record."""
        parts = {"human": self.notes, **self.real}
        return [PlayedNote(p, i, r[0], r[1], r[2], r[3], r[0]) for p, rows in parts.items() for i, r in enumerate(rows)]


def chorales(data: Path, count: int, delay_s: float, split: str = "test", skip: int = 0) -> list[ListTake]:
    """The first `count` four-part chorales of a held-out split."""
    wanted = tomllib.loads(SPLIT.read_text(encoding="utf-8"))[split]["bach_chorales"]
    pieces = {}
    with gzip.open(data / "bach_chorales.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            piece = json.loads(line)
            if piece["id"] in wanted:
                pieces[piece["id"]] = piece
    made = [take for name in wanted if (take := _chorale(pieces[name], delay_s)) is not None]
    return made[skip : skip + count]


def _chorale(piece: dict, delay_s: float) -> ListTake | None:
    parts = {part["name"]: part["notes"] for part in piece["parts"]}
    if not all(name in parts for name in VOICES):
        return None
    bpm = piece["tempo_bpm"] or USUAL_BPM
    soprano, alto, tenor, bass = (_rows(parts[name], bpm) for name in VOICES)
    real = {"high": _placed(alto, "high"), "mid": _placed(tenor, "mid"), "bass": _placed(bass, "bass")}
    return ListTake(piece["id"], bpm, soprano, real, delay_s)


def _rows(notes: list, bpm: float) -> tuple[Row, ...]:
    beat = 60.0 / bpm
    return tuple((on * beat, (on + length) * beat, int(pitch), int(velocity)) for on, length, pitch, velocity in notes)


def _placed(rows: tuple[Row, ...], band: str) -> tuple[Row, ...]:
    """By octaves into the register of a band."""
    low, high = REGISTERS[band]
    shift = 12 * round(((low + high) / 2 - float(np.median([r[2] for r in rows]))) / 12)
    made = []
    for on, off, pitch, velocity in rows:
        moved = pitch + shift
        moved += 12 if moved < low else -12 if moved > high else 0
        made.append((on, off, moved, velocity))
    return tuple(made)


def wandering(seed: int, bpm: float = 100.0, beats: int = 64, rest_every: int = 16, delay_s: float = 0.02) -> ListTake:
    """A tune by rule: mostly steps in a major scale, eighths and quarters, a breath of two beats now and then."""
    rng = np.random.default_rng(seed)
    scale = [p for p in range(48, 84) if (p - seed) % 12 in (0, 2, 4, 5, 7, 9, 11)]
    at, beat, rows = len(scale) // 2, 0.0, []
    while beat < beats:
        length = float(rng.choice([0.5, 0.5, 1.0, 1.0, 2.0]))
        at = int(np.clip(at + rng.choice([-2, -1, -1, 0, 1, 1, 2, 3]), 0, len(scale) - 1))
        start = beat * 60 / bpm
        rows.append((start, start + 0.9 * length * 60 / bpm, scale[at], int(rng.integers(70, 100))))
        beat += length
        if beat % rest_every >= rest_every - 2:
            beat = (beat // rest_every + 1) * rest_every
    return ListTake(f"wandering {seed}", bpm, tuple(rows), {}, delay_s)
