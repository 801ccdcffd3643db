"""Beginning and end: the band waits until the human has started, and comes to a close after they have stopped."""

from __future__ import annotations

import math
from enum import Enum

from improvbox.band.scene import Scene
from improvbox.events import REGISTERS, PlannedNote

KNOWS_METERED, KNOWS_FREE = 2, 3  # moments of the human before the band may enter
THINS_S = 2.0  # of silence, after which the band plays less
CLOSES_S = 4.0  # of silence, after which it makes an end
LAST_NOTE_BEATS = 3.0
_TRIAD = {"bass": 0, "mid": 1, "high": 2}  # which member of the final chord


class Stage(Enum):
    """Where the piece stands."""

    WAITING = "waiting"
    PLAYING = "playing"
    CLOSING = "closing"
    OVER = "over"


class Form:
    """Told of notes and silences; `stage` is the answer."""

    def __init__(self) -> None:
        self.stage = Stage.WAITING
        self.quiet_since = math.inf
        """s, when the human's last phrase ended; inf while they play"""

    def human_note(self, heard: int, metered: bool) -> None:
        """The human has played `heard` moments, a chord being one."""
        self.quiet_since = math.inf
        if self.stage is not Stage.WAITING or heard >= (KNOWS_METERED if metered else KNOWS_FREE):
            self.stage = Stage.PLAYING

    def wake(self, heard: int) -> bool:
        """A player is told to carry on for the human; it may if it knows anything of them."""
        if heard >= KNOWS_METERED:
            self.stage = Stage.PLAYING
        return self.on

    def phrase_ended(self, t: float) -> None:
        """The human's phrase ended at `t` (s)."""
        self.quiet_since = t

    def due(self, led: bool) -> float:
        """When the close begins, s; `led`: a player carries on for the human, so it does not."""
        return self.quiet_since + CLOSES_S if self.stage is Stage.PLAYING and not led else math.inf

    def ending(self, now: float, led: bool) -> bool:
        """The human seems to have stopped."""
        return not led and now - self.quiet_since > THINS_S

    @property
    def on(self) -> bool:
        """Players may plan."""
        return self.stage is Stage.PLAYING


def last_note(scene: Scene, previous: PlannedNote, velocity: int) -> PlannedNote:
    """A player's note of the final chord: the human's key, near where the player was."""
    tonic, minor = scene.ear.tonic()
    member = (0, 3 if minor else 4, 7)[_TRIAD[previous.part]]
    pitch = previous.pitch + (tonic + member - previous.pitch + 6) % 12 - 6
    low, high = REGISTERS[previous.part]
    pitch += 12 if pitch < low else -12 if pitch > high else 0
    onset = scene.next_line(scene.first)
    return PlannedNote(previous.part, 0, onset, LAST_NOTE_BEATS * scene.pulse_s, pitch, velocity)
