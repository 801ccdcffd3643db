"""What the event model is told and what it answers. Values only; nothing here computes.

The event model hears everything that anyone plays (`Played`, `Ended`) and answers one question: what does this
player play next, under these controls and limits (`Proposal`). What was only planned is never fed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from improvbox.events import REGISTERS
from improvbox.tempo import Grid

IDIOMS = ("chorale", "song", "guitar", "rock")
"""Kinds of music that the model was told of while it learnt; None leaves the choice to the context."""


@dataclass(frozen=True, slots=True)
class Played:
    """A note that began. The human's are fed when they are heard, a player's when it is committed."""

    part: str
    """human, bass, mid or high (drums are not heard by this model yet)"""
    pitch: int
    """MIDI number, the nearest key"""
    onset: float
    """s, when it sounds; of the human: when it sounded, which is earlier than now"""
    velocity: int
    """1..127"""
    duration: float | None = None
    """s as planned, of a player; None for the human, whose note ends by `Ended`"""


@dataclass(frozen=True, slots=True)
class Ended:
    """A note ended: the human's, or a player's that was released sooner than planned."""

    part: str
    pitch: int
    """MIDI number of the note that ended; it counts only if it is the part's latest"""
    t: float
    """s"""


Fed = Played | Ended


@dataclass(frozen=True, slots=True)
class Controls:
    """What a player is asked for: conditions that the model was trained on. 0..1, or None: left to the model."""

    density: float | None = None
    """sparse .. busy"""
    order: float | None = None
    """chaotic .. orderly"""
    variation: float | None = None
    """repeats the human's intervals .. strays"""
    texture: float | None = None
    """moves with the human .. independent rhythm and direction"""
    level: float | None = None
    """soft .. loud"""
    on_beat: float | None = None
    """share of onsets on a beat"""
    fit: float | None = None
    """share of notes that the human's last seconds also hold"""
    leap: float | None = None
    """steps .. leaps of an octave"""
    height: float | None = None
    """bottom .. top of the register"""
    idiom: str | None = None
    """one of IDIOMS"""


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """What a proposal may be: enforced while sampling, so nothing outside is ever proposed."""

    low: int
    """MIDI number, lowest pitch"""
    high: int
    """MIDI number, highest pitch"""
    earliest: float = 0.0
    """s, audio time: no onset before"""
    latest: float = float("inf")
    """s, audio time: no onset after; where the model would rather wait longer, nothing is proposed, unless `must`"""
    must: bool = False
    """a proposal is wanted even where the model would rather rest: the later or no-note outcomes are ruled out"""
    step_ticks: int = 1
    """metered: onsets on multiples of this many ticks of the beat; 1, 2, 3, 4, 6 or 12"""
    hazard: float = 1.0
    """scales the chance to begin at each moment: below 1 sparser, above 1 denser; monotone by construction"""
    phase_bias: np.ndarray | None = None
    """float[12]: added to the logits of onsets, by tick of the beat (metered)"""
    pitch_bias: np.ndarray | None = None
    """float[128]: added to the logits of MIDI pitches; -inf forbids"""
    time_temperature: float = 1.0
    """> 0; below 1 the likelier moments only"""
    pitch_temperature: float = 1.0
    """> 0"""
    pitch_share: float = 1.0
    """0..1: only the likeliest pitches that together hold this share of the probability"""
    min_duration: float = 0.05
    """s"""
    max_duration: float = float("inf")
    """s"""

    @classmethod
    def of(cls, part: str, **changes: object) -> Limits:
        """The limits of a player: its register, and whatever else is given."""
        low, high = REGISTERS[part]
        return cls(**{"low": low, "high": high, **changes})  # type: ignore[arg-type]  # checked by the dataclass's user


@dataclass(frozen=True, slots=True)
class Proposal:
    """The next note of a player, sampled. Log-probabilities are natural, after controls and limits."""

    part: str
    onset: float
    """s, audio time"""
    pitch: int
    """MIDI number within the limits"""
    duration: float
    """s, > 0; the player's next note ends it sooner"""
    velocity: int
    """1..127"""
    log_time: float
    log_pitch: float
    log_duration: float
    log_velocity: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the model thinks of a given next note: natural log-probabilities, no limits."""

    log_time: float
    log_pitch: float
    log_duration: float
    log_velocity: float


class Snapshot(Protocol):
    """A copy of a model's state; its content is the model's own business."""


class Predictor(Protocol):
    """What the band needs of an event model; `event_model.EventModel` is the real one.

    Contract: one thread; `feed` and `query` may allocate, never block, and take well under a millisecond each.
    """

    def reset(self) -> None:
        """Forgets everything that was fed."""

    def feed(self, event: Fed, grid: Grid | None) -> object:
        """Hears one event, in the order in which events become known; `grid` None: time is free."""

    def query(
        self, part: str, controls: Controls, limits: Limits, rng: np.random.Generator, *, now: float, grid: Grid | None
    ) -> Proposal | None:
        """The part's next note as of `now` (s), or None: it rests for now. Draws from `rng` only; changes no state."""

    def snapshot(self) -> Snapshot:
        """A copy of the state."""

    def restore(self, state: Snapshot) -> None:
        """Back to a copy; the copy stays usable."""
