"""Bands by rule for lead sheets: patterns over the chord symbols, one idiom a player, held for the whole piece.

A pattern is a bar's table of (beat, duration in beats, what): R root, 3, 5, 7 chord members, O octave, A a step below
or above the next chord's root, C any member near the last note. Voice leading picks the nearest octave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from improvbox.events import REGISTERS
from models.training.band.corpora import Note, Piece, line

_ROOTS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_T = 1 / 3

Pattern = tuple[tuple[float, float, str], ...]

_EIGHTHS = tuple((i / 2, 0.45, "R") for i in range(8))
BASS: dict[str, Pattern] = {
    "two": ((0, 1.9, "R"), (2, 1.9, "5")),
    "walk": ((0, 1, "R"), (1, 1, "C"), (2, 1, "5"), (3, 1, "A")),
    "climb": ((0, 1, "R"), (1, 1, "3"), (2, 1, "5"), (3, 1, "A")),
    "hold": ((0, 4, "R"),),
    "push": ((0, 1.5, "R"), (1.5, 0.5, "5"), (2, 1, "R"), (3.5, 0.5, "A")),
    "eighths": (*_EIGHTHS[:7], (3.5, 0.45, "A")),
    "funk": ((0, 0.5, "R"), (0.75, 0.25, "O"), (1.5, 0.5, "5"), (2.5, 0.5, "R"), (3.25, 0.25, "7"), (3.5, 0.4, "A")),
    "shuffle": tuple(
        (b + x, d, w) for b, w in ((0, "R"), (1, "3"), (2, "5"), (3, "7")) for x, d in ((0, 0.6), (2 * _T, 0.3))
    ),
    "dub": ((0, 0.9, "R"), (1.5, 0.4, "5"), (2.5, 0.9, "R")),
}
MID: dict[str, Pattern] = {
    "offbeat": tuple((b + 0.5, 0.4, "C") for b in range(4)),
    "charleston": ((0, 0.9, "3"), (1.5, 0.5, "7")),
    "pad": ((0, 4, "3"),),
    "pads": ((0, 2, "3"), (2, 2, "C")),
    "arpeggio": tuple((i / 2, 0.5, "R357"[i % 4]) for i in range(8)),
    "skank": ((1, 0.3, "C"), (3, 0.3, "C")),
    "sixteenths": ((0, 0.25, "C"), (0.75, 0.25, "C"), (1.5, 0.25, "C"), (2.25, 0.25, "C"), (3, 0.25, "C")),
    "triplets": tuple((b + x, 0.3, "C") for b in range(4) for x in (0, _T, 2 * _T)),
    "backing": ((0, 1, "5"), (1, 1, "3"), (2, 1, "5"), (3, 1, "C")),
}
HIGH: dict[str, Pattern] = {
    "halves": ((0, 2, "C"), (2, 2, "C")),
    "arpeggio": tuple((i / 2, 0.5, "53R7"[i % 4]) for i in range(8)),
    "bells": ((0, 3, "5"),),
    "offbeat": ((0.5, 0.4, "C"), (2.5, 0.4, "C")),
    "run": tuple((i / 4, 0.25, "R3575375"[i % 8]) for i in range(16)),
}
WALTZ: dict[str, dict[str, Pattern]] = {
    "bass": {"one": ((0, 1, "R"),), "hold": ((0, 3, "R"),), "climb": ((0, 1, "R"), (1, 1, "3"), (2, 1, "5"))},
    "mid": {
        "two-three": ((1, 0.6, "3"), (2, 0.6, "5")),
        "pad": ((0, 3, "3"),),
        "off": ((0.5, 0.4, "C"), (1.5, 0.4, "C")),
    },
    "high": {"bells": ((0, 3, "5"),), "arpeggio": tuple((i / 2, 0.5, "R35753"[i]) for i in range(6))},
}
FOUR = {"bass": BASS, "mid": MID, "high": HIGH}
WITH_TUNE = ("harmony", "echo", "fills", "contrary")  # lines made from the tune as well as the chords


@dataclass(frozen=True, slots=True)
class Chord:
    """A chord symbol over a span of beats."""

    onset: float
    end: float
    members: tuple[int, ...]
    """pitch classes: root, third, fifth, and what there is above"""


def parse_chord(symbol: str) -> tuple[int, ...] | None:
    """Pitch classes of `ROOT:kind`, e.g. 'Bb:minor-seventh'; None: no chord."""
    name, _, kind = symbol.partition(":")
    if name[:1] not in _ROOTS:
        return None
    root = _ROOTS[name[0]] + name.count("#") - name[1:].count("b")
    kind = kind.split("/")[0]
    third = 3 if kind.startswith(("minor", "diminished", "half")) else 5 if "suspended-fourth" in kind else 4
    fifth = 6 if kind.startswith(("diminished", "half")) or "(b5)" in kind else 8 if "augmented" in kind else 7
    steps = [0, third, fifth]
    if "sixth" in kind or kind.startswith("diminished-seventh"):
        steps.append(9)
    elif kind.startswith(("major-seventh", "major-ninth")):
        steps.append(11)
    elif any(word in kind for word in ("seventh", "dominant", "ninth", "11th", "13th", "half")):
        steps.append(10)
    return tuple((root + s) % 12 for s in steps)


def chords_of(piece: Piece, end: float) -> list[Chord]:
    """The chords, each lasting until the next."""
    known = [(o, m) for o, _, c in piece.chords if (m := parse_chord(c))]
    ends = [o for o, _ in known[1:]] + [end]
    return [Chord(o, e, m) for (o, m), e in zip(known, ends, strict=True) if e > o]


def fold(pitch: float, low: int, high: int) -> int:
    """By octaves into low..high."""
    p = round(pitch)
    while p < low:
        p += 12
    while p > high:
        p -= 12
    return p


def near(pitch_class: int, reference: int) -> int:
    """The pitch of this class nearest to a reference."""
    return reference + (pitch_class - reference + 6) % 12 - 6


def _at(chords: list[Chord], beat: float) -> tuple[Chord, Chord] | None:
    """The chord at a beat and the next."""
    for i, chord in enumerate(chords):
        if chord.onset - 1e-6 <= beat < chord.end - 1e-6:
            return chord, chords[min(i + 1, len(chords) - 1)]
    return None


def _pattern_line(chart: tuple[list[Chord], int], pattern: Pattern, band: str, keep: float, rng) -> list[Note]:
    """A pattern over (chords, beats a bar); `keep`: share of its notes that are played."""
    chords, bar = chart
    low, high = REGISTERS[band]
    last = (low + high) // 2
    made: list[Note] = []
    first, end = chords[0].onset, chords[-1].end
    for start in np.arange(np.floor(first / bar) * bar, end, bar):
        for beat, duration, what in pattern:
            t = float(start + beat)
            here = _at(chords, t)
            if here is None or rng.random() > keep:
                continue
            chord, after = here
            m = chord.members
            if what == "A" and after.members[0] != m[0] and after.onset - t <= 1.01:
                pitch = near(after.members[0], last) + int(rng.choice((-1, 1, -2, 2)))
            elif what == "C":
                pitch = near(int(rng.choice(m)), last + int(rng.integers(-3, 4)))
            elif what == "O":
                pitch = near(m[0], last) + 12
            else:
                pitch = near(m[{"R": 0, "A": 0, "3": 1, "5": 2, "7": -1}[what]], last)
            fresh = t - chord.onset < 0.51
            if fresh and band == "bass" and what == "5":
                pitch = near(m[0], last)  # a new chord is told by its root
            last = fold(pitch, low, high)
            made.append([t, duration, last, 80])
    return line(made)


def _tune_line(kind: str, chart: tuple[list[Chord], int], tune: list[Note], band: str, rng) -> list[Note]:
    """A line that answers the tune: in parallel, as an echo a bar later, in its gaps, or against it."""
    chords, bar = chart
    low, high = REGISTERS[band]
    made: list[Note] = []
    last = (low + high) // 2
    if kind == "fills":
        onsets = np.array([n[0] for n in tune])
        for t in np.arange(np.ceil(tune[0][0] * 2) / 2, tune[-1][0], 0.5):
            here = _at(chords, float(t))
            if here and not ((onsets > t - 0.8) & (onsets < t + 0.45)).any():
                last = fold(near(int(rng.choice(here[0].members)), last + int(rng.choice((-3, 3)))), low, high)
                made.append([float(t), 0.5, last, 80])
        return line(made)
    before = tune[0][2]
    below = bool(rng.random() < 0.5)
    for onset, duration, pitch, _ in tune:
        t = onset + bar if kind == "echo" else onset
        here = _at(chords, t)
        if here is None:
            continue
        members = here[0].members
        if kind == "harmony":
            steps = [s for s in range(3, 10) if ((pitch - s if below else pitch + s) % 12) in members] or [4]
            target = pitch - steps[0] if below else pitch + steps[0]
            last = fold(near(int(target) % 12, last), low, high)
        elif kind == "echo":
            target = near(int(pitch) % 12, last)
            on_chord = duration < 0.9 or int(pitch) % 12 in members
            last = fold(
                target if on_chord else near(min(members, key=lambda m: abs(near(m, target) - target)), last), low, high
            )
        else:
            move = -np.sign(pitch - before) * rng.integers(1, 5)
            last = fold(
                near(min(members, key=lambda m: abs(near(m, last + move) - last - move)), int(last + move)), low, high
            )
        before = pitch
        if kind != "contrary" or t % 1 < 0.01 or rng.random() < 0.3:
            made.append([t, duration, last, 80])
    return line(made)


def accompany(piece: Piece, rng: np.random.Generator) -> dict[str, list[Note]] | None:
    """{'tune', 'comp', 'bass', 'mid', 'high'}: melody, strummed chords, an invented band; None: too little is known."""
    tune = line(piece.parts[0][1])
    if len(tune) < 16:
        return None
    chords = chords_of(piece, tune[-1][0] + tune[-1][1])
    if len(chords) < 4:
        return None
    bar = 3 if piece.beats_per_bar in (3, 6) else 4
    tables = WALTZ if bar == 3 else FOUR
    made = {"tune": tune, "comp": _strums(chords, bar, rng)}
    for band, share in (("bass", 0.05), ("mid", 0.25), ("high", 0.5)):
        if rng.random() < share:
            made[band] = _tune_line(str(rng.choice(WITH_TUNE)), (chords, bar), tune, band, rng)
        else:
            table = tables[band]
            keep = float(rng.choice((1.0, 0.9, 0.7, 0.5)))
            made[band] = _pattern_line((chords, bar), table[str(rng.choice(list(table)))], band, keep, rng)
    return made


def _strums(chords: list[Chord], bar: int, rng: np.random.Generator) -> list[Note]:
    """Guitar chords of three or four strings, 12 to 40 ms a strum (as 1/50 beat a string)."""
    rhythm = [
        (0.0,),
        (0.0, 2.0),
        (0.0, 1.5, 2.5),
        tuple(float(b) for b in range(bar)),
        tuple(b / 2 for b in range(2 * bar)),
    ]
    beats = rhythm[int(rng.integers(len(rhythm)))]
    made: list[Note] = []
    for start in np.arange(np.floor(chords[0].onset / bar) * bar, chords[-1].end, bar):
        for beat in beats:
            t = float(start + beat)
            here = _at(chords, t) if beat < bar else None
            if here is None:
                continue
            base = fold(here[0].members[0], 40, 51)
            pitches = sorted({base, *(base + 3 + (m - base - 3) % 12 for m in here[0].members[1:])})
            made.extend([t + 0.02 * i, 0.9, p, 80] for i, p in enumerate(pitches[:4]))
    return made
