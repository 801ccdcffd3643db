"""A piece becomes settings: who is the human, what the three players have, in which key and tempo."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from improvbox.events import BANDS, GUITAR_RANGE, REGISTERS
from models.training.band import songs
from models.training.band.corpora import IDIOM_OF, Note, Piece, line

_SPAN_BEATS = 160.0  # of a long multitrack piece, one window at a time


@dataclass(slots=True)
class Setting:
    """Music for one human and three players; beats. A player without notes is absent, not resting."""

    piece: str
    corpus: str
    split: str
    idiom: str
    human: list[Note]
    bands: dict[str, list[Note]]
    tempo_bpm: float
    end: float
    """beats"""


def place(notes: list[Note], low: int, high: int, rng: np.random.Generator | None, key: int = 0) -> list[Note]:
    """A line transposed by `key` semitones and by octaves into its register; what still sticks out is folded."""
    if not notes:
        return []
    pitches = [n[2] + key for n in notes]
    middle = (low + high) / 2 + (0.0 if rng is None else float(rng.normal(0, 4)))
    shift = 12 * round((middle - float(np.median(pitches))) / 12)
    return [[o, d, float(songs.fold(p + key + shift, low, high)), w] for o, d, p, w in notes]


def settings(piece: Piece, rng: np.random.Generator | None) -> Iterator[Setting]:
    """`rng` None: the plain one that scores are taken on (top line human, key and tempo as written)."""
    make = {
        "bach_chorales": _chorale,
        "openewld": _song,
        "mutopia_guitar": _guitar,
        "freedoom_multitrack": _multitrack,
    }[piece.corpus]
    fixed = rng is None
    for human, bands, tempo in make(piece, rng or np.random.default_rng(0), fixed):
        key = 0 if fixed else int(rng.integers(-6, 6))  # type: ignore[union-attr]
        chosen = None if fixed else rng
        placed = {b: place(bands.get(b, []), *REGISTERS[b], chosen, key) for b in BANDS}
        if len(human) < 12 or sum(map(len, placed.values())) < 16:
            continue
        end = max(n[0] + n[1] for n in [*human, *(n for b in placed.values() for n in b)])
        guitar = place(human, *GUITAR_RANGE, chosen, key)
        yield Setting(piece.id, piece.corpus, piece.split, IDIOM_OF[piece.corpus], guitar, placed, tempo, end)


def _chorale(piece: Piece, rng: np.random.Generator, fixed: bool) -> Iterator[tuple]:
    voices = [line(notes) for _, notes in piece.parts[:4]]
    if len(voices) < 4 or min(map(len, voices)) < 16:
        return
    voices.sort(key=lambda v: -float(np.mean([n[2] for n in v])))
    human = 0 if fixed or rng.random() < 0.55 else int(rng.integers(1, 4))
    rest = [voices[i] for i in range(4) if i != human]
    yield voices[human], dict(zip(("high", "mid", "bass"), rest, strict=True)), 90.0 if fixed else rng.uniform(50, 150)


def _song(piece: Piece, rng: np.random.Generator, fixed: bool) -> Iterator[tuple]:
    made = songs.accompany(piece, rng)
    if made is None:
        return
    tempo = 110.0 if fixed else rng.uniform(60, 200)
    bands = {b: made[b] for b in BANDS}
    role = 0.0 if fixed else rng.random()
    if role < 0.6:
        yield made["tune"], bands, tempo
    elif role < 0.75:  # the human strums, a player has the tune
        bands[str(rng.choice(("mid", "high")))] = made["tune"]
        yield made["comp"], bands, tempo
    elif role < 0.9:  # the human plays the middle part
        human, bands["mid"] = bands["mid"], made["tune"] if rng.random() < 0.5 else []
        yield human, bands, tempo
    else:  # the human plays the bass part
        human, bands["bass"], bands["high"] = bands["bass"], [], made["tune"]
        yield human, bands, tempo


def _guitar(piece: Piece, rng: np.random.Generator, fixed: bool) -> Iterator[tuple]:
    notes = [n for _, part in piece.parts for n in part]
    top, low = line(notes, "high"), line(notes, "low")
    upper = {(n[0], n[2]) for n in top}
    bass = [n for n in low if (n[0], n[2]) not in upper]
    both = upper | {(n[0], n[2]) for n in bass}
    middle = line(n for n in notes if (n[0], n[2]) not in both)
    if len(top) < 30:
        return
    tempo = float(np.clip(piece.tempo_bpm or 90.0, 40, 200)) * (1.0 if fixed else rng.uniform(0.8, 1.25))
    bands = {"bass": bass, "mid": middle if len(middle) > 10 else [], "high": []}
    draw = 0.0 if fixed else rng.random()
    if draw < 0.5:
        yield top, bands, tempo
    elif draw < 0.75:
        yield sorted(top + middle), {"bass": bass}, tempo
    elif len(bass) > 30:
        yield bass, {"mid": bands["mid"], "high": top}, tempo


def _multitrack(piece: Piece, rng: np.random.Generator, fixed: bool) -> Iterator[tuple]:
    parts: dict[str, list[list[Note]]] = {b: [] for b in BANDS}
    for role, notes in piece.parts:
        if role in parts:
            voice = line(notes, "low" if role == "bass" else "high")
            if len(voice) > 30:
                parts[role].append(voice)
    voices = [v for b in BANDS for v in parts[b]]
    tempo = piece.tempo_bpm or 120.0
    while tempo > 200:
        tempo /= 2
    for _ in range(1 if fixed else 3):
        if len(voices) < 2:
            return
        human = voices[-1] if fixed else voices[int(rng.integers(len(voices)))]
        start = human[int(rng.integers(len(human)))][0] - 8
        bands = {}
        for band in BANDS:
            others = [v for v in parts[band] if v is not human]
            bands[band] = others[int(rng.integers(len(others)))] if others else []
        yield _window(human, start), {b: _window(v, start) for b, v in bands.items()}, tempo * rng.uniform(0.85, 1.15)


def _window(notes: list[Note], start: float) -> list[Note]:
    """The notes of one window, counted from its start."""
    first = float(np.floor(start / 4) * 4)
    return [[o - first, d, p, w] for o, d, p, w in notes if first <= o < first + _SPAN_BEATS]
