"""What a player asks the model for: controls as conditions, and as limits so that every knob is monotone."""

from __future__ import annotations

import numpy as np

from improvbox.band import taste
from improvbox.band.player import Player
from improvbox.band.scene import Scene
from improvbox.band.steering import Steering
from improvbox.band.types import Controls, Limits
from improvbox.events import REGISTERS, PlannedNote
from improvbox.tempo import TICKS_PER_BEAT

# Density to beats between onsets: at least (sparse side) and at most (busy side).
_AT_LEAST = ((0.0, 0.1, 0.3, 0.45, 1.0), (4.0, 3.0, 1.5, 0.0, 0.0))
_AT_MOST = ((0.0, 0.1, 0.3, 0.5, 0.6, 0.75, 0.9, 1.0), (16.0, 10.0, 6.0, 3.0, 2.0, 1.0, 0.5, 0.34))
_PACE = ((0.25, 0.5, 1.0, 2.0, 4.0), (0.1, 0.3, 0.5, 0.75, 0.95))  # the human's onsets a beat to a density
SHORTEST_S = 0.08  # between two onsets of a player
ROOM_PATIENCE = 10.0  # beats without a gap after which a player that waits for one plays all the same
ROOM_LONGEST = 14.0  # and by then it does
FINER = 2.5  # nats against dividing the beat more finely than the human does, at full order
# A human who is this many of their usual intervals late, or silent for this long (s), leaves a gap.
GAP_IOIS, GAP_S = 1.6, 0.15
ENDING_THINNER = 0.6
TOGETHER = 2.5  # nats by which texture pulls onsets to where in the beat the human plays, or from there

# How well each tick of the beat keeps order, nats; thirds count as much as quarters where the human plays them.
_STRAIGHT = np.array([0.0, -6, -5.5, -2.6, -5, -6, -0.8, -6, -5, -2.6, -5.5, -6])
_TRIPLE = np.array([0.0, -6, -5.5, -5, -1.3, -6, -3.2, -6, -1.3, -5, -5.5, -6])
_OFF_BEAT = np.zeros(TICKS_PER_BEAT)
_OFF_BEAT[[0, 3, 6, 9]] = -2.5, 1.8, 1.4, 1.8
OFF_THEIRS = 3.5  # nats by which a role that keeps off the beat avoids where the human usually is


def density(scene: Scene, told: Steering) -> float:
    """0..1: the density control as role and moment bend it."""
    row = told.row
    wanted = told.density * row.density
    if row.keeps_pace and scene.leader.notes > 1:
        pace = float(np.interp(scene.pulse_s / scene.leader.ioi, *_PACE))
        wanted = min(1.0, (1 - row.keeps_pace) * wanted + row.keeps_pace * pace * (0.4 + 1.2 * told.density))
    return wanted * (ENDING_THINNER if scene.ending else 1.0)


def request(scene: Scene, player: Player) -> tuple[Controls, Limits]:
    """Conditions and limits of the player's next note."""
    told = player.told
    row, order = told.row, told.order
    busy = density(scene, told)
    low, high, home = taste.register(scene, row, *REGISTERS[scene.name])
    earliest, latest = _when(scene, told, player.last, busy)
    controls = Controls(
        density=busy,
        order=order,
        variation=told.variation,
        texture=told.texture,
        level=told.level,
        on_beat=0.15 if row.off_beat else None,
        fit=0.15 if row.fit < 0 else None,
    )
    limits = Limits(
        low=low,
        high=high,
        earliest=earliest,
        latest=latest,
        must=True,
        step_ticks=_step(scene, order, busy),
        hazard=1.0 + 2.0 * max(0.0, busy - 0.5),
        phase_bias=_phases(scene, told),
        pitch_bias=taste.pitch_bias(scene, player, low, high, home),
        time_temperature=1.5 - 1.1 * order,
        pitch_temperature=1.45 - 0.67 * order,
        pitch_share=1.0 if order < 0.3 else 1.0 - 0.07 * order,
        min_duration=0.1,
        max_duration=max(1.0, 4.0 - 3.0 * busy) * scene.pulse_s * 1.5,
    )
    return controls, limits


def _when(scene: Scene, told: Steering, last: PlannedNote | None, busy: float) -> tuple[float, float]:
    """(earliest, latest) onset in s: a player may rest, but does not fall asleep."""
    pulse = scene.pulse_s
    earliest = scene.first
    if last is not None:
        least = float(np.interp(busy, *_AT_LEAST)) * pulse
        earliest = max(earliest, last.onset + max(least - 1e-3, SHORTEST_S))
    since = min(scene.now, scene.ear.started) if last is None else last.onset
    latest = since + float(np.interp(busy, *_AT_MOST)) * pulse
    step = _step(scene, told.order, busy) / TICKS_PER_BEAT
    if told.row.gaps and scene.now - since < ROOM_PATIENCE * pulse:
        earliest = max(earliest, _gap(scene))
        latest = scene.next_line(earliest, step) + pulse
    elif told.row.gaps:
        latest = since + ROOM_LONGEST * pulse
    return earliest, max(latest, scene.next_line(earliest, step)) + 1e-3


def _gap(scene: Scene) -> float:
    """When the human, if they play nothing more, will have left a gap; s."""
    leader = scene.leader
    if leader.key < 0:
        return scene.first
    return min(leader.onset + GAP_IOIS * leader.ioi, leader.end + GAP_S)


def _step(scene: Scene, order: float, busy: float) -> int:
    """Grid step in ticks."""
    if order < 0.3:
        return 1
    if scene.ear.triple:
        return 4
    return 6 if order >= 0.85 and busy < 0.95 else 3


def _phases(scene: Scene, told: Steering) -> np.ndarray | None:
    """float[12], nats a tick of the beat; None in free time."""
    if scene.grid is None:
        return None
    human = scene.ear.phases
    bias: np.ndarray = (told.order - 0.4) * 1.5 * (_TRIPLE if scene.ear.triple else _STRAIGHT)
    bias = bias - FINER * told.order * max(0.0, 1.0 - density(scene, told)) * scene.ear.finer
    if "human" in scene.listens_to:
        bias = bias + (0.8 - 2.0 * told.texture) * TOGETHER * human
    off = max(told.row.off_beat, 0.8 if told.row.gaps else 0.0)
    if off:
        bias = (1.0 - 0.7 * off) * bias + off * (_OFF_BEAT - OFF_THEIRS * human)
    return bias
