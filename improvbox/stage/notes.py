"""The notes format: JSON lines, one object a note, in the order emitted. Seconds of audio time throughout.

`{"part":"human","id":7,"onset":1.234,"offset":1.9021,"pitch":64.12,"velocity":83,"emitted":1.2512,"curve":[[0.0,0.0],[0.12,38.0]]}`
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from improvbox.errors import InputFileError, nearest
from improvbox.events import PARTS, HumanEvent, NoteOff, NoteOn, PitchBend, PlayedNote
from improvbox.stage.files import replace_file

TIME_DIGITS = 5  # 10 us, half a sample at 48 kHz
PITCH_DIGITS = 3  # a tenth of a cent
CENTS_DIGITS = 1

_NUMBERS = ("onset", "offset", "pitch", "emitted")
_KEYS = ("part", "id", "onset", "offset", "pitch", "velocity", "emitted", "curve")


def to_json(note: PlayedNote) -> str:
    """One line of the format, without its newline."""
    line: dict[str, Any] = {
        "part": note.part,
        "id": int(note.id),
        "onset": round(float(note.onset), TIME_DIGITS),
        "offset": round(float(note.offset), TIME_DIGITS),
        "pitch": round(float(note.pitch), PITCH_DIGITS),
        "velocity": int(note.velocity),
        "emitted": round(float(note.emitted), TIME_DIGITS),
    }
    if note.curve:
        line["curve"] = [[round(float(t), TIME_DIGITS), round(float(c), CENTS_DIGITS)] for t, c in note.curve]
    return json.dumps(line, separators=(",", ":"))


def from_json(line: str, where: str = "notes") -> PlayedNote:
    """The note of one line. Raises InputFileError that names `where` and what is wrong."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputFileError(f"{where}: not JSON: {error.msg}; one object a line is expected") from None
    if not isinstance(row, dict):
        raise InputFileError(f"{where}: {line[:40]!r} is no JSON object")
    unknown = sorted(set(row) - set(_KEYS))
    if unknown:
        raise InputFileError(f"{where}: unknown key {unknown[0]!r}; {nearest(unknown[0], _KEYS)}")
    missing = [key for key in _KEYS[:-1] if key not in row]
    if missing:
        raise InputFileError(f"{where}: {missing[0]!r} is missing; a note needs {', '.join(_KEYS[:-1])}")
    if row["part"] not in PARTS:
        raise InputFileError(f"{where}: part {row['part']!r}; {nearest(str(row['part']), PARTS)}")
    for key in _NUMBERS:
        if not _is_number(row[key]):
            raise InputFileError(f"{where}: {key} = {row[key]!r} is not a finite number")
    for key, low, high in (("id", 0, 2**63), ("velocity", 1, 127)):
        if not isinstance(row[key], int) or isinstance(row[key], bool) or not low <= row[key] <= high:
            raise InputFileError(f"{where}: {key} = {row[key]!r} must be a whole number in {low}..{high}")
    try:
        curve = tuple((float(t), float(cents)) for t, cents in row.get("curve", ()))
    except (TypeError, ValueError):
        raise InputFileError(f"{where}: curve must be a list of [seconds after onset, cents]") from None
    onset, offset, pitch, emitted = (float(row[key]) for key in _NUMBERS)
    return PlayedNote(row["part"], row["id"], onset, offset, pitch, row["velocity"], emitted, curve)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def in_order(notes: Iterable[PlayedNote]) -> list[PlayedNote]:
    """By the time they were emitted, which is the order of the format; equal times keep the order they came in."""
    return sorted(notes, key=lambda n: round(n.emitted, TIME_DIGITS))


def write(path: str | Path, notes: Iterable[PlayedNote]) -> None:
    """A whole notes file, in the order emitted, replaced as one. Raises InputFileError, or OSError on a full disk."""
    text = "".join(to_json(note) + "\n" for note in in_order(notes))
    replace_file(path, lambda stream: stream.write(text.encode()))


def read(path: str | Path, *, torn: bool = False) -> list[PlayedNote]:
    """The notes of a file, in the order emitted. Raises InputFileError naming file, line and what is wrong.

    `torn`: a last line without its newline is dropped instead: the box lost power while writing it.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputFileError(f"{path}: {reason}; give a readable notes file (JSON lines)") from None
    lines = text.split("\n")
    if torn:
        lines[-1] = ""
    rows = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    return in_order(from_json(line, f"{path}:{number}") for number, line in rows)


class HumanNotes:
    """Gathers the human's events into finished notes.

    One thread. Notes of one id: on, bends, off; anything about an unknown id is ignored and counted.
    """

    def __init__(self) -> None:
        self.ignored = 0
        self._sounding: dict[int, tuple[NoteOn, list[tuple[float, float]]]] = {}

    def take(self, event: HumanEvent) -> PlayedNote | None:
        """The note that `event` finished, if it did."""
        match event:
            case NoteOn():
                self._sounding[event.id] = (event, [])
            case PitchBend() if event.id in self._sounding:
                note, curve = self._sounding[event.id]
                if not curve or event.cents != curve[-1][1]:
                    curve.append((event.t - note.onset, event.cents))
            case NoteOff() if event.id in self._sounding:
                return self._finish(event.id, event.t)
            case PitchBend() | NoteOff():
                self.ignored += 1
        return None

    def finish(self, t: float) -> list[PlayedNote]:
        """Ends all that still sounds at `t` (s)."""
        return [self._finish(id_, t) for id_ in list(self._sounding)]

    def _finish(self, id_: int, t: float) -> PlayedNote:
        note, curve = self._sounding.pop(id_)
        offset = max(t, note.onset)
        return PlayedNote("human", id_, note.onset, offset, note.pitch, note.velocity, note.emitted, tuple(curve))
