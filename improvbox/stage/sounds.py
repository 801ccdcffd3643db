"""The band's channels and sounds: names that a command or a footswitch may use, and the programs they stand for."""

from __future__ import annotations

from types import MappingProxyType

from improvbox.errors import CommandError, nearest
from improvbox.events import BANDS, PLAYERS

CHANNELS = MappingProxyType({"bass": 0, "mid": 1, "high": 2, "drums": 9})
"""MIDI channels from 0; 9 is General MIDI's percussion channel."""

BEND_RANGE = 12
"""semitones either way, set by RPN 0 on every channel before a note sounds: a bend of two strings still fits"""

# Sounds that speak quickly and stay in tune under fast monophonic lines; numbers are General MIDI programs from 0.
_MELODIC = {
    "acoustic bass": 32, "finger bass": 33, "pick bass": 34, "fretless bass": 35, "slap bass": 36, "synth bass": 38,
    "cello": 42, "contrabass": 43, "tuba": 58, "bassoon": 70,
    "piano": 0, "electric piano": 4, "clavinet": 7, "organ": 16, "accordion": 21, "nylon guitar": 24,
    "steel guitar": 25, "jazz guitar": 26, "viola": 41, "strings": 48, "trombone": 57, "horn": 60, "tenor sax": 66,
    "clarinet": 71, "choir": 52, "warm pad": 89,
    "celesta": 8, "glockenspiel": 9, "vibraphone": 11, "marimba": 12, "violin": 40, "trumpet": 56, "soprano sax": 64,
    "oboe": 68, "flute": 73, "recorder": 74, "whistle": 78, "saw lead": 81,
}  # fmt: skip
_KITS = {"standard kit": 0, "room kit": 8, "power kit": 16, "electronic kit": 24, "jazz kit": 32, "brush kit": 40}

SOUNDS = MappingProxyType({part: MappingProxyType(_MELODIC) for part in BANDS} | {"drums": MappingProxyType(_KITS)})
"""part -> sound name -> program"""

PROGRAMS = MappingProxyType({"bass": 33, "mid": 4, "high": 11, "drums": 0})
"""what a player has until a setting or a command says otherwise"""


def program(part: str, sound: str | float) -> int:
    """The program of a sound named or numbered. Raises CommandError with the nearest name."""
    if part not in PLAYERS:
        raise CommandError(f"{part!r} has no sound; {nearest(part, PLAYERS)}")
    if isinstance(sound, str) and sound.isdigit():
        sound = float(sound)
    if not isinstance(sound, str):
        if not 0 <= sound <= 127 or sound != int(sound):
            raise CommandError(f"sound {sound!r} of {part} must be a whole number in 0..127, or a name")
        return int(sound)
    name = sound.replace("_", " ").replace("-", " ").strip().lower()
    if name not in SOUNDS[part]:
        raise CommandError(f"sound {sound!r} is not known; {nearest(name, SOUNDS[part])}")
    return SOUNDS[part][name]


def name_of(part: str, number: int) -> str:
    """The name of a program, or 'program N' where the table has none."""
    return next((name for name, value in SOUNDS[part].items() if value == number), f"program {number}")


def volume(level: float) -> int:
    """Controller 7 for a level of 0..1. General MIDI plays it as 40 log10(cc / 127) dB, so a plain product
    feels even: 0.5 is -12 dB, 0 is silent."""
    return round(127 * min(1.0, max(0.0, level)))


def bend_value(cents: float) -> int:
    """The 14-bit bend (0..16383, 8192 is none) for `cents`, held within BEND_RANGE."""
    return min(16383, max(0, round(8192 + cents * 8192 / (100 * BEND_RANGE))))
