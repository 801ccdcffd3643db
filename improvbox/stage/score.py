"""A written take: a TOML file of phrases, and the moves of the feet that go with it.

A phrase is a bar to begin at and a line of notes, each `PITCHES:BEATS` and signs:

    A3:1  C4:0.5  A2+E3+A3+C4:1.5  r:1      a note, a shorter one, a chord struck downwards, a rest
    E4:2~  D4:1^2  D4:1^2v  G4:1v1          vibrato; bent up 2 semitones; and let go again; bent before it is struck
    C3:0.5'  E4:1!  E4:1,  C4+E4:1<         muted by the palm; accented; soft; a chord struck upwards
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from improvbox.errors import InputFileError, nearest
from improvbox.tempo import MAX_BPM, MIN_BPM

SIGNS = "~!,'<"
_NOTE = re.compile(
    r"(?P<what>r|[^:]+):(?P<beats>\d+(?:\.\d+)?)(?P<signs>(?:[~!,'<]|\^\d+(?:\.\d+)?v?|v\d+(?:\.\d+)?)*)"
)
_PITCH = re.compile(r"([A-G])([#b]?)(-?\d)")
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_KEYS = ("title", "tempo_bpm", "beats_per_bar", "lead_in_s", "seed", "program", "muted_program", "moves", "phrase")
_PHRASE_KEYS = ("bar", "beat", "velocity", "notes")


@dataclass(frozen=True, slots=True)
class ScoreNote:
    """One note as written."""

    onset: float
    """beats from the start of bar 1"""
    beats: float
    """its length"""
    key: int
    """MIDI number"""
    velocity: int
    strum: float = 0.0
    """0..1, how far down the strum of its chord it lies; 0 for single notes"""
    bend: float = 0.0
    """semitones up from the key; 0: none"""
    shape: str = ""
    """of the bend: 'up', 'up and back', 'from above'"""
    vibrato: bool = False
    muted: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    """A whole take as written."""

    title: str
    tempo_bpm: float
    beats_per_bar: int
    lead_in_s: float
    """silence before bar 1"""
    seed: int
    """of the small irregularities of a hand"""
    program: int
    """General MIDI program of the guitar"""
    muted_program: int
    moves: tuple[str, ...]
    """feet and hands, as `controls.script` reads them: `12.5:fs1`"""
    notes: tuple[ScoreNote, ...]
    """in the order of their onsets"""

    def time(self, beats: float) -> float:
        """Seconds from the start of the take."""
        return self.lead_in_s + beats * 60.0 / self.tempo_bpm


def load(path: str | Path) -> Score:
    """Raises InputFileError that names the file, the phrase, the note and what would be right."""
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}; give a score (TOML)") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputFileError(f"{path}: not TOML: {error}") from None
    _known(table, _KEYS, str(path))
    tempo_bpm = _number(table, "tempo_bpm", 100.0, MIN_BPM, MAX_BPM, where=str(path))
    beats_per_bar = int(_number(table, "beats_per_bar", 4, 2, 12, where=str(path)))
    notes: list[ScoreNote] = []
    for number, phrase in enumerate(table.get("phrase", []), start=1):
        notes += _phrase(phrase, beats_per_bar, f"{path}: phrase {number}")
    if not notes:
        raise InputFileError(f"{path}: no notes in it; a score needs [[phrase]] tables with `bar` and `notes`")
    return Score(
        title=str(table.get("title", "")),
        tempo_bpm=tempo_bpm,
        beats_per_bar=beats_per_bar,
        lead_in_s=_number(table, "lead_in_s", 1.0, 0.0, 60.0, where=str(path)),
        seed=int(_number(table, "seed", 1, 0, 2**31, where=str(path))),
        program=int(_number(table, "program", 27, 0, 127, where=str(path))),
        muted_program=int(_number(table, "muted_program", 28, 0, 127, where=str(path))),
        moves=tuple(str(move) for move in table.get("moves", [])),
        notes=tuple(sorted(notes, key=lambda n: (n.onset, n.key))),
    )


def key_of(name: str) -> int | None:
    """MIDI number of a name such as F#3 or Bb2 (C4 is 60); None: no such name."""
    found = _PITCH.fullmatch(name)
    if found is None:
        return None
    letter, sign, octave = found.groups()
    return 12 * (int(octave) + 1) + _STEPS[letter] + {"": 0, "#": 1, "b": -1}[sign]


def _phrase(phrase: dict[str, Any], beats_per_bar: int, where: str) -> list[ScoreNote]:
    _known(phrase, _PHRASE_KEYS, where)
    bar = _number(phrase, "bar", None, 1, 10_000, where=where)
    at = (bar - 1) * beats_per_bar + _number(phrase, "beat", 1, 1, beats_per_bar + 0.999, where=where) - 1
    velocity = _number(phrase, "velocity", 90, 1, 127, where=where)
    notes: list[ScoreNote] = []
    for text in str(phrase.get("notes", "")).split():
        if text == "|":
            continue
        found = _NOTE.fullmatch(text)
        if found is None or float(found["beats"]) <= 0:
            raise InputFileError(f"{where}: {text!r} is no note; e.g. A3:1 or A2+E3+A3:1.5 or r:1, signs {SIGNS} ^2 v1")
        beats = float(found["beats"])
        if found["what"] != "r":
            notes += _struck(found, at, beats, velocity, f"{where}: {text!r}")
        at += beats
    return notes


def _struck(found: re.Match[str], at: float, beats: float, velocity: float, where: str) -> list[ScoreNote]:
    names, signs = found["what"].split("+"), found["signs"]
    bend = re.search(r"\^([\d.]+)(v?)", signs)
    before = re.search(r"(?<![\d^.])v([\d.]+)", signs)
    semitones, shape = 0.0, ""
    if bend:
        semitones, shape = float(bend[1]), "up and back" if bend[2] else "up"
    elif before:
        semitones, shape = float(before[1]), "from above"
    loud = min(127, max(1, round(velocity + 20 * ("!" in signs) - 25 * ("," in signs))))
    notes = []
    for place, name in enumerate(names):
        key = key_of(name)
        if key is None or not 0 <= key <= 127:
            raise InputFileError(f"{where}: {name!r} is no pitch; e.g. E2, F#3, Bb4")
        across = place / max(1, len(names) - 1)
        strum = 0.0 if len(names) == 1 else 1 - across if "<" in signs else across
        notes.append(ScoreNote(at, beats, key, loud, strum, semitones, shape, "~" in signs, "'" in signs))
    return notes


def _known(table: dict[str, Any], keys: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in keys:
            raise InputFileError(f"{where}: unknown key {key!r}; {nearest(key, keys)}")


def _number(table: dict[str, Any], key: str, default: float | None, low: float, high: float, *, where: str) -> float:
    """`default` None: the key must be there."""
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputFileError(f"{where}: {key} = {value!r} must be a number in {low:g}..{high:g}")
    return float(value)
