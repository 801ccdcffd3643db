"""Reads the symbolic corpora: one JSON object a piece (beats are quarter notes), and splits them by tune.

A note is `[onset, duration, MIDI, velocity]` in beats. Two chorales are one tune when their sopranos share most of
their six-interval runs: Bach set a tune many times, under many numbers.
"""

from __future__ import annotations

import gzip
import itertools
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

CORPORA = ("bach_chorales", "openewld", "mutopia_guitar", "freedoom_multitrack")
IDIOM_OF = {"bach_chorales": "chorale", "openewld": "song", "mutopia_guitar": "guitar", "freedoom_multitrack": "rock"}
LICENCES = (
    {"name": "Bach chorales (music21 corpus)", "licence": "public domain"},
    {"name": "OpenEWLD lead sheets", "licence": "MIT"},
    {"name": "Mutopia Project guitar pieces, 88 of them", "licence": "public domain"},
    {"name": "Mutopia Project: M. Giuliani, op. 50 nos. 1-32 and Serenade op. 127 no. 1", "licence": "CC BY 3.0"},
    {"name": "Freedoom music", "licence": "BSD-3-Clause"},
)
Note = list[float]
SAME_TUNE = 0.5  # share of the smaller piece's runs; variants of a tune share .6 and more, strangers under .2
TENTHS = {0: "test", 1: "valid"}  # tenth of the tunes -> split; all others train


@dataclass(slots=True)
class Piece:
    """One piece as read."""

    id: str
    corpus: str
    split: str
    """train, valid or test"""
    parts: list[tuple[str, list[Note]]]
    """(role, notes in order)"""
    chords: list[tuple[float, float, str]]
    tempo_bpm: float
    beats_per_bar: int


def _rows(folder: Path, corpus: str) -> list[dict]:
    with gzip.open(folder / f"{corpus}.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def _runs(row: dict) -> set[tuple[int, ...]]:
    pitches = [int(n[2]) for n in row["parts"][0]["notes"]]
    steps = [b - a for a, b in itertools.pairwise(pitches) if b != a]
    return {tuple(steps[i : i + 6]) for i in range(len(steps) - 5)}


def tunes(rows: list[dict]) -> dict[str, str]:
    """Piece id -> id of the first piece with the same soprano tune."""
    runs = [_runs(r) for r in rows]
    tune = list(range(len(rows)))

    def root(i: int) -> int:
        while tune[i] != i:
            i = tune[i]
        return i

    for i, mine in enumerate(runs):
        for j in range(i):
            least = min(len(mine), len(runs[j]))
            if least and len(mine & runs[j]) / least > SAME_TUNE:
                tune[root(i)] = root(j)
    return {r["id"]: rows[root(i)]["id"] for i, r in enumerate(rows)}


def split_of(tune: str) -> str:
    """By a hash of the tune's name: the same for ever, whatever else is added."""
    return TENTHS.get(zlib.crc32(tune.encode()) % 10, "train")


def _title(row: dict) -> str:
    """Pieces of one title are one tune, whatever their arrangement."""
    return "".join(c for c in (row.get("title") or row["id"]).lower() if c.isalnum()) or row["id"]


def read(folder: Path, corpus: str) -> list[Piece]:
    """Every piece of a corpus with its split."""
    rows = _rows(folder, corpus)
    tune = tunes(rows) if corpus == "bach_chorales" else {r["id"]: _title(r) for r in rows}
    pieces = []
    for row in rows:
        count, _, unit = (row.get("meter") or "4/4").partition("/")
        beats = max(2, round(int(count) * 4 / int(unit or 4)))
        parts = [(p.get("role") or "", sorted([*map(float, n[:4])] for n in p["notes"])) for p in row["parts"]]
        pieces.append(
            Piece(
                row["id"],
                corpus,
                split_of(tune[row["id"]]),
                parts,
                [(float(o), float(d), c) for o, d, c in row.get("chords") or [] if c],
                float(row.get("tempo_bpm") or 0.0),
                beats,
            )
        )
    return pieces


def line(notes: Iterable[Note], keep: str = "high") -> list[Note]:
    """One voice: of notes that begin together the highest or lowest, each note ends its predecessor."""
    made: list[Note] = []
    for onset, duration, pitch, velocity in sorted(map(list, notes)):
        if duration <= 0.02:
            continue
        if made and onset - made[-1][0] < 0.04:
            if (pitch > made[-1][2]) == (keep == "high"):
                made[-1] = [made[-1][0], duration, pitch, velocity]
            continue
        if made:
            made[-1][1] = min(made[-1][1], onset - made[-1][0])
        made.append([onset, duration, pitch, velocity])
    return made
