"""Guitars that play one note at a time: out of a SoundFont, or out of a folder of recorded notes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np

from improvbox.errors import InputFileError
from improvbox.stage.render import Change, NoteRenderer, Voicing
from improvbox.stage.synth import RATE_HZ, Synth

CURVE_STEP_S = 0.004  # of a pitch curve: 250 points a second draw a vibrato of 6 Hz to a cent
ATTACK_S, ONSET_DB = 0.08, -20.0
"""A string is released where the sound first comes within 20 dB of the peak of its first 80 ms: past the noise of the
pick on the string, and not yet the note's full swell."""
DAMP_S = 0.06  # how fast a hand stops a string
MUTED_S = 0.09  # what is left of a note under the palm


@dataclass(frozen=True, slots=True)
class Pluck:
    """One note to be played."""

    key: int
    velocity: int
    seconds: float
    """until it is damped"""
    cents: np.ndarray
    """float64, the pitch against the key, a point every CURVE_STEP_S from the release of the string on"""
    muted: bool = False


class Guitar(Protocol):
    """Something that can be plucked. Used as a context manager."""

    def __enter__(self) -> Guitar: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def pluck(self, note: Pluck) -> tuple[np.ndarray, int]:
        """float32 mono samples at 48 kHz with the release after damping, and the frame where the string is released."""
        ...


def released_at(sound: np.ndarray) -> int:
    """The frame where the string is released; see ONSET_DB."""
    loud = np.abs(sound)
    peak = float(loud[: int(ATTACK_S * RATE_HZ)].max(initial=0.0))
    return int(np.argmax(loud > peak * 10 ** (ONSET_DB / 20))) if peak > 0 else 0


class SampledGuitar:
    """A guitar of a SoundFont. Its left channel alone: the two sides of a stereo sample cancel in each other's sum."""

    def __init__(self, soundfont: Path, program: int = 27, muted_program: int = 28) -> None:
        self._synth = Synth(soundfont, gain=0.7, polyphony=64, on_demand=True)
        self._programs = (program, muted_program)
        self._renderer: NoteRenderer | None = None

    def __enter__(self) -> SampledGuitar:
        self._synth.start()
        self._renderer = NoteRenderer(self._synth)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._renderer = None
        self._synth.close()

    def pluck(self, note: Pluck) -> tuple[np.ndarray, int]:
        assert self._renderer is not None
        changes: list[Change] = []
        last = None
        for number, cents in enumerate(note.cents):
            after = number * CURVE_STEP_S
            if after < note.seconds and (last is None or abs(cents - last) >= 0.5):
                changes.append((after, "bend", float(cents)))
                last = cents
        program = self._programs[note.muted]
        voicing = Voicing(0, program, note.key, note.velocity, 0.0, note.seconds, changes=tuple(changes))
        sound = self._renderer.render(voicing)[:, 0]
        return sound, released_at(sound)


_FILE = re.compile(r"(?P<name>.+)_m(?P<midi>\d+)_v(?P<layer>\d+)_r(?P<robin>\d+)(?:_s\d)?\.(?:flac|wav)")
OVERSAMPLING = 4  # before reading between samples: linear interpolation is then 60 dB clean up to 10 kHz


@dataclass(frozen=True, slots=True)
class _Recorded:
    path: Path
    layer: int
    robin: int
    pitch: float
    """MIDI number, as measured where it was"""


class RecordedGuitar:
    """A guitar made of single recorded notes: files NAME_m<MIDI>_v<layer>_r<robin>.flac, and `f0.tsv` with their
    measured pitches (columns file and midi_measured) where it is there. Bends are resampled."""

    def __init__(self, folder: Path) -> None:
        """Raises InputFileError: no such folder, or no such notes in it."""
        self._folder = folder
        self._notes: dict[int, list[_Recorded]] = {}
        self._turn: dict[int, int] = {}
        self._sounds: dict[Path, np.ndarray] = {}
        measured = _measured(folder / "f0.tsv")
        for path in sorted(folder.glob("*")):
            found = _FILE.fullmatch(path.name)
            if found is not None:
                key = int(found["midi"])
                pitch = measured.get(path.name, float(key))
                note = _Recorded(path, int(found["layer"]), int(found["robin"]), pitch)
                self._notes.setdefault(key, []).append(note)
        if not self._notes:
            raise InputFileError(f"{folder}: no recorded notes; files are named like guitar_m052_v2_r1.flac")
        self._layers = max(note.layer for notes in self._notes.values() for note in notes)

    def __enter__(self) -> RecordedGuitar:
        self._turn.clear()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._sounds.clear()

    def pluck(self, note: Pluck) -> tuple[np.ndarray, int]:
        source = self._choose(note)
        sound = self._load(source.path)
        start = released_at(sound[::OVERSAMPLING])
        length = MUTED_S if note.muted else note.seconds
        frames = round((length + DAMP_S) * RATE_HZ)
        times = np.arange(frames) / RATE_HZ
        wanted = np.interp(times, np.arange(len(note.cents)) * CURVE_STEP_S, note.cents)
        speed = 2.0 ** ((wanted / 100 + note.key - source.pitch) / 12)
        lead = int(start / speed[0])  # what comes before the release is read at its speed
        position = np.concatenate([np.full(lead, speed[0]), speed]).cumsum() - speed[0] + start - lead * speed[0]
        out = np.interp(position * OVERSAMPLING, np.arange(len(sound)), sound, left=0.0, right=0.0)
        damping = np.ones(len(out))
        stop = lead + round(length * RATE_HZ)
        damping[stop:] = np.linspace(1.0, 0.0, len(out) - stop) ** 2
        return (out * damping).astype(np.float32), lead

    def _choose(self, note: Pluck) -> _Recorded:
        """The nearest key, the layer of the velocity, the recordings of it in turn."""
        key = min(self._notes, key=lambda k: (abs(k - note.key), k))
        layer = 1 + min(self._layers - 1, note.velocity * self._layers // 128)
        nearest_layer = min({n.layer for n in self._notes[key]}, key=lambda n: (abs(n - layer), n))
        choices = [n for n in self._notes[key] if n.layer == nearest_layer]
        turn = self._turn.get(key, 0)
        self._turn[key] = turn + 1
        return choices[turn % len(choices)]

    def _load(self, path: Path) -> np.ndarray:
        """float32 mono at OVERSAMPLING times 48 kHz."""
        if path not in self._sounds:
            import soundfile
            import soxr

            sound, rate_hz = soundfile.read(path, dtype="float32", always_2d=True)
            self._sounds[path] = soxr.resample(sound[:, 0], rate_hz, RATE_HZ * OVERSAMPLING, quality="VHQ")
        return self._sounds[path]


def _measured(path: Path) -> dict[str, float]:
    """file -> measured MIDI number; empty where there is no such table."""
    if not path.exists():
        return {}
    rows = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    try:
        name, value = rows[0].index("file"), rows[0].index("midi_measured")
        return {row[name]: float(row[value]) for row in rows[1:]}
    except (IndexError, ValueError) as error:
        raise InputFileError(f"{path}: {error}; the columns file and midi_measured are needed") from None
