"""Motifs of the human's, given back: continued, varied, inverted, shifted; made of what was really played."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from improvbox.band.scene import Scene
from improvbox.memory.line import Line, LineNote, Step, steps_of
from improvbox.tempo import TICKS_PER_BEAT

LONGEST = 16  # notes of an answer
RETORT = (3, 6)  # notes of a motif that is thrown back, fewest and most
TICKS = (3, 4, 6, 8, 9, 12, 16, 18, 24, 30, 36, 48)  # lengths a metered motif is written in
Sketch = list[tuple[float, float, int, int]]  # (onset s, duration s, pitch, velocity)


def answer(
    scene: Scene, line: Line, limits: tuple[int, int], start: float, *, variation: float, rng: np.random.Generator
) -> Sketch:
    """Continues the human's line: their last phrase, strayed from the more the higher `variation` (0..1)."""
    tail = _tail(line, LONGEST + 1)
    if not tail:
        return []
    steps = _strayed(line, steps_of(tail), variation, scene.ear.scale(), pitch=tail[0].pitch, rng=rng)
    return lay_out(scene, tail[0], steps, limits, start)


def retort(scene: Scene, line: Line, limits: tuple[int, int], start: float, *, rng: np.random.Generator) -> Sketch:
    """Throws the human's last turn back: upside down or shifted by a semitone or a tritone."""
    tail = _tail(line, int(rng.integers(RETORT[0], RETORT[1] + 1)))
    if len(tail) < RETORT[0]:
        return []
    steps = steps_of(tail)
    first = tail[0]
    if rng.random() < 0.5:
        steps = [replace(step, interval=-step.interval) for step in steps]
    else:
        shift = int(rng.choice([-1, 1, 6]))
        first = LineNote(first.onset, first.offset, first.pitch + shift, first.velocity, True)
    return lay_out(scene, first, steps, limits, start)


def lay_out(scene: Scene, first: LineNote, steps: Sequence[Step], limits: tuple[int, int], start: float) -> Sketch:
    """The motif in the player's register from `start` (s) on, written on the grid where there is one."""
    low, high = limits
    pitches = [first.pitch]
    for step in steps:
        pitches.append(pitches[-1] + step.interval)
    middle = (max(pitches) + min(pitches)) / 2
    shift = 12 * round(((low + high) / 2 - middle) / 12)
    onset, made = start, []
    lengths = [first.offset - first.onset, *(step.duration for step in steps)]
    iois = [*(step.ioi for step in steps), lengths[-1]]
    speeds = [first.velocity, *(step.velocity for step in steps)]
    for pitch, length, ioi, velocity in zip(pitches, lengths, iois, speeds, strict=True):
        space = _written(scene, ioi)
        made.append((onset, max(0.08, min(space, length)), _fold(pitch + shift, low, high), velocity))
        onset += space
    return made


def _written(scene: Scene, seconds: float) -> float:
    if scene.grid is None:
        return max(0.08, seconds)
    ticks = seconds / scene.grid.beat_s * TICKS_PER_BEAT
    nearest = min(TICKS, key=lambda n: abs(math.log(max(ticks, 0.5) / n)))
    return nearest * scene.grid.beat_s / TICKS_PER_BEAT


def _fold(pitch: int, low: int, high: int) -> int:
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch


def _tail(line: Line, count: int) -> list[LineNote]:
    """The last phrase, or its last `count` notes."""
    notes = line.last(count)
    for i in range(len(notes) - 1, 0, -1):
        if notes[i].starts_phrase and len(notes) - i >= RETORT[0]:
            return notes[i:]
    return notes


def _strayed(
    line: Line, steps: list[Step], variation: float, scale: np.ndarray, *, pitch: int, rng: np.random.Generator
) -> list[Step]:
    """The steps with some replaced: by how the line went on elsewhere, or by a neighbour in the scale."""
    made: list[Step] = []
    chance = 0.02 + 0.75 * variation**2
    for step in steps:
        used = step
        if rng.random() < chance:
            used = _elsewhere(line, made, rng) or _neighbour(step, pitch, scale, rng)
            if rng.random() < variation:
                used = replace(used, ioi=used.ioi * float(rng.choice([0.5, 1.0, 1.0, 2.0])))
        made.append(used)
        pitch += used.interval
    return made


def _elsewhere(line: Line, made: Sequence[Step], rng: np.random.Generator) -> Step | None:
    """How the human's line once went on after the last turn of this one."""
    found = line.matches([step.interval for step in made[-6:]])[:6]
    if not found:
        return None
    _, place = found[int(rng.integers(len(found)))]
    following = line.steps(place + 1, 1)
    return following[0] if following else None


def _neighbour(step: Step, pitch: int, scale: np.ndarray, rng: np.random.Generator) -> Step:
    """The step, landing on another note of the human's scale nearby."""
    target = pitch + step.interval
    choices = [d for d in (-4, -3, -2, -1, 1, 2, 3, 4) if scale[(target + d) % 12]]
    return replace(step, interval=step.interval + int(rng.choice(choices))) if choices else step
