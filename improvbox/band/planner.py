"""Makes plans: asks the model, or lays out a motif. Nothing here commits; the model's state is left as it was."""

from __future__ import annotations

import math
from dataclasses import replace

from improvbox.band import quotes, taste
from improvbox.band.player import Player
from improvbox.band.request import request
from improvbox.band.scene import Scene
from improvbox.band.steering import Steering
from improvbox.band.types import Limits, Predictor
from improvbox.events import REGISTERS, PlannedNote
from improvbox.memory.context import Memory

ASK_AGAIN_BEATS = 1.0  # after the model would rather rest
FREE_TURN = (5, 12)  # notes of a statement left to the model
BREATH_S = 0.25  # between two statements of a player that carries on
ACCENT = 5  # velocity on the beat against off it


def touch(scene: Scene, told: Steering, onset: float, velocity: int) -> int:
    """The velocity (1..127) of a note that the model or the human's motif gave as `velocity`."""
    base = 0.5 * 80 + 0.5 * scene.ear.loudness + 0.35 * (velocity - 76)
    if scene.grid is not None:
        beat = scene.grid.beat(onset)
        base += ACCENT if abs(beat - round(beat)) < 0.05 else 0
    scaled = base * (0.2 + 1.15 * told.level) * told.row.loudness
    return max(1, min(127, round(scaled)))


class Planner:
    """One for the band."""

    def __init__(self, model: Predictor, memory: Memory) -> None:
        self._model = model
        self._memory = memory

    def plan(self, player: Player, scene: Scene) -> None:
        """Makes the player's plan anew from the present moment."""
        row = player.told.row
        player.drop()
        if row.answers and not player.free_notes:
            return  # it speaks when `answer` says so
        if (
            row.throws_back
            and player.rng.random() < row.throws_back * self._chance(scene)
            and self._retort(player, scene)
        ):
            return
        self._ask(player, scene)

    def answer(self, player: Player, scene: Scene) -> None:
        """The player's turn: one statement from the human's motifs, or from the model where it strays far."""
        told = player.told
        player.drop()
        player.turn += 1
        variation = min(1.0, told.variation + 0.12 * (player.turn - 1))
        start = scene.first
        if player.turn > 1 and player.last is not None:
            start = max(start, player.last.offset + BREATH_S)
        start = scene.next_line(start)
        if player.rng.random() < 1.6 * (variation - 0.5):
            player.free_notes = int(player.rng.integers(*FREE_TURN))
            self._ask(player, scene)
            return
        window = self._window(player, scene)
        sketch = quotes.answer(scene, self._memory.line, window, start, variation=variation, rng=player.rng)
        self._stand(player, scene, sketch)

    def _chance(self, scene: Scene) -> float:
        """Plans are made at every event; chances are a beat's: this share of them at the human's pace."""
        return min(1.0, scene.leader.ioi / scene.pulse_s) * 0.25

    def _retort(self, player: Player, scene: Scene) -> bool:
        start = scene.first
        if scene.grid is not None:  # off the beat, where the human is least
            shift = min((0.5, 0.25, 0.75), key=lambda s: scene.ear.phases[round(12 * s)])
            start = scene.grid.time(math.ceil(scene.grid.beat(scene.first) - shift - 1e-6) + shift)
        sketch = quotes.retort(scene, self._memory.line, self._window(player, scene), start, rng=player.rng)
        self._stand(player, scene, sketch)
        return bool(sketch)

    def _stand(self, player: Player, scene: Scene, sketch: quotes.Sketch) -> None:
        player.plan = [
            PlannedNote(player.name, 0, onset, length, pitch, touch(scene, player.told, onset, velocity))
            for onset, length, pitch, velocity in sketch
        ]
        player.stands = bool(player.plan)

    def _window(self, player: Player, scene: Scene) -> tuple[int, int]:
        low, high, _ = taste.register(scene, player.told.row, *REGISTERS[player.name])
        return low, high

    def _ask(self, player: Player, scene: Scene) -> None:
        """Asks the model for the next note: after every event it knows better what comes after that."""
        controls, limits = request(scene, player)
        if player.owes < math.inf:
            limits = _by(limits, scene, player.owes)
        proposal = self._model.query(player.name, controls, limits, player.rng, now=scene.now, grid=scene.grid)
        if proposal is None:
            player.again = max(limits.earliest, scene.now) + ASK_AGAIN_BEATS * scene.pulse_s
            return
        velocity = touch(scene, player.told, proposal.onset, proposal.velocity)
        player.plan.append(PlannedNote(player.name, 0, proposal.onset, proposal.duration, proposal.pitch, velocity))


def _by(limits: Limits, scene: Scene, owed: float) -> Limits:
    """A player that let go of a note comes in again by `owed` (s), whatever density says, and by a short way."""
    return replace(limits, earliest=scene.first, latest=max(owed, scene.first + 0.01), must=True)
