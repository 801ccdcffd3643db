"""Every message that crosses a thread. Frozen, slotted, a unit stated for each field.

Times are seconds of audio time. `pitch` of the human is a float MIDI number, of the band an int.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

BANDS = ("bass", "mid", "high")
PLAYERS = (*BANDS, "drums")
PARTS = ("human", *PLAYERS)
ROLES = ("rest", "room", "takeover", "fight", "accompany")
CONTROLS = ("density", "order", "variation", "texture", "level")

# Registers as MIDI numbers, both ends included.
REGISTERS = MappingProxyType({"bass": (28, 52), "mid": (48, 72), "high": (64, 96)})
GUITAR_RANGE = (38, 88)  # drop D to E6


@dataclass(frozen=True, slots=True)
class NoteOn:
    """The human struck a note."""

    id: int
    """counts from 1 within the stream"""
    pitch: float
    """MIDI number, fractional: a guitar 30 cents flat is heard 30 cents flat"""
    velocity: int
    """1..127"""
    onset: float
    """s, when the string was released"""
    emitted: float
    """s, when a causal system had said so: all the sound needed plus measured compute"""


@dataclass(frozen=True, slots=True)
class PitchBend:
    """A sounding note of the human moved."""

    id: int
    cents: float
    """against the `pitch` of its NoteOn"""
    t: float
    """s"""


@dataclass(frozen=True, slots=True)
class NoteOff:
    """A note of the human ended: damped, decayed or cut by the next on its string."""

    id: int
    t: float
    """s"""


@dataclass(frozen=True, slots=True)
class Level:
    """The input's level, about 100 a second."""

    t: float
    """s"""
    dbfs: float
    """RMS of the last 10 ms, dB re full scale, -120 or more"""
    clipped: bool = False
    """a sample reached full scale"""


HumanEvent = NoteOn | PitchBend | NoteOff | Level


@dataclass(frozen=True, slots=True)
class PlannedNote:
    """A note of a player that will sound; committed once the player has handed it to the stage."""

    part: str
    """one of PLAYERS"""
    id: int
    """unique within the session"""
    onset: float
    """s"""
    duration: float
    """s, > 0"""
    pitch: int
    """MIDI number; drums: General MIDI percussion key"""
    velocity: int
    """1..127"""

    @property
    def offset(self) -> float:
        return self.onset + self.duration


@dataclass(frozen=True, slots=True)
class Release:
    """A player lets go of what it is sounding (note `id`) at `t` (s), sooner than planned."""

    part: str
    id: int
    t: float


BandEvent = PlannedNote | Release


@dataclass(frozen=True, slots=True)
class PlayedNote:
    """A finished note as it goes on record: one line of the notes format."""

    part: str
    """one of PARTS"""
    id: int
    onset: float
    """s"""
    offset: float
    """s"""
    pitch: float
    """MIDI number"""
    velocity: int
    """1..127"""
    emitted: float
    """s, when it was known (human) or handed to the synth (band)"""
    curve: tuple[tuple[float, float], ...] = ()
    """(seconds after onset, cents) points; empty: steady"""


@dataclass(frozen=True, slots=True)
class Command:
    """An instruction: from a footswitch, a knob, OSC, a cue or the settings. Validated by `commands.parse`."""

    target: str
    """a player, 'all', 'human' or 'box'"""
    verb: str
    """a key of commands.VERBS"""
    value: str | float | tuple[str, ...] | None
    """validated"""
    t: float
    """s, when it was given"""
    source: str = "api"
    """footswitch, knob, osc, cue, settings, api"""


@dataclass(frozen=True, slots=True)
class StageStats:
    """How long one stage took lately. None: not measured, which is not zero."""

    stage: str
    """capture, hearing, band, stage, command, synth"""
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None
    budget_ms: float
    over_budget: int
    """times over budget since the start"""


@dataclass(frozen=True, slots=True)
class Health:
    """One reading of the box, about once a second."""

    t: float
    """s"""
    frames: int
    """captured since the start"""
    xruns: int
    hearing: str
    """'model', 'model half rate', 'dsp'"""
    ladder: str
    """name of the current step of the degradation ladder; 'full' when nothing is degraded"""
    cause: str
    """why the ladder stands where it does; '' at the top"""
    stages: tuple[StageStats, ...]
    alive: bool
    """frames advance, heartbeats are fresh, the synth lives"""
