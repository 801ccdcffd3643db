"""What the roles mean, as one table. A role is numbers, not branches: the planner reads the row."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from improvbox.events import ROLES


@dataclass(frozen=True, slots=True)
class Role:
    """One row. The defaults are those of `accompany`."""

    plays: bool = True
    density: float = 1.0
    """factor on the density control"""
    keeps_pace: float = 0.0
    """0..1: how far density follows the human's own instead of the control"""
    loudness: float = 1.0
    """factor on velocity"""
    away: float = 0.0
    """0..1: how far it keeps out of the human's register"""
    gaps: bool = False
    """begins notes only where the human leaves room"""
    off_beat: float = 0.0
    """0..1: pull to where the human's beats are not"""
    contrary: float = 0.0
    """0..1: pull against the direction of the human's line, beside what texture asks for"""
    fit: float = 0.3
    """pull to (positive) or from (negative) the pitch classes of whom it listens to"""
    clash: float = 1.8
    """how much a likely semitone or tritone against the human is avoided (positive) or sought (negative)"""
    yields: bool = True
    """lets go of a held note, or moves it, when the human's next note clashes with it"""
    throws_back: float = 0.0
    """0..1: chance that a plan is a motif of the human's, inverted or shifted"""
    answers: bool = False
    """listens while the human plays, speaks from the human's motifs when the phrase ends, carries on while they rest"""
    closes: bool = True
    """comes to an end after the human has"""


TABLE: MappingProxyType[str, Role] = MappingProxyType(
    {
        "rest": Role(plays=False),
        "room": Role(density=0.45, loudness=0.72, away=1.0, gaps=True),
        "takeover": Role(answers=True, closes=False),
        "fight": Role(
            keeps_pace=0.8,
            loudness=1.2,
            off_beat=1.0,
            contrary=1.0,
            fit=-0.3,
            clash=-0.9,
            yields=False,
            throws_back=0.35,
        ),
        "accompany": Role(),
    }
)
assert tuple(TABLE) == ROLES
