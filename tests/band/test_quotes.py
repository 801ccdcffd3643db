"""Motifs given back."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from improvbox.band import quotes
from improvbox.band.ear import Ear
from improvbox.band.scene import Scene
from improvbox.memory.context import Memory
from improvbox.memory.line import LineNote
from improvbox.tempo import Grid

MOTIF = [60, 62, 64, 62, 67, 65, 64, 62, 60]
GRID = Grid(120.0)


def scene_of(grid: Grid | None = GRID, jitter: float = 0.0) -> Scene:
    memory = Memory()
    ear = Ear(memory)
    rng = np.random.default_rng(0)
    for i, pitch in enumerate(MOTIF):
        onset = 0.25 * i + jitter * float(rng.normal())
        memory.line.add(LineNote(onset, onset + 0.2, pitch, 70 + i, i == 0))
        ear.human_note(pitch, 70 + i, onset, grid)
    return Scene("high", 3.0, 3.04, grid, ear, ("human",))


def answer(variation: float, scene: Scene | None = None, seed: int = 0) -> quotes.Sketch:
    scene = scene or scene_of()
    rng = np.random.default_rng(seed)
    return quotes.answer(scene, scene.ear.line, (64, 96), 3.5, variation=variation, rng=rng)


def moves(sketch: quotes.Sketch) -> list[int]:
    pitches = [row[2] for row in sketch]
    return [b - a for a, b in itertools.pairwise(pitches)]


def test_no_variation_repeats_the_phrase_in_the_players_register() -> None:
    sketch = answer(0.0)
    assert moves(sketch) == [b - a for a, b in itertools.pairwise(MOTIF)]
    assert all(64 <= row[2] <= 96 for row in sketch)
    assert sketch[0][2] % 12 == MOTIF[0] % 12
    assert [row[3] for row in sketch] == [70 + i for i in range(len(MOTIF))]


def test_variation_strays_the_more_the_higher() -> None:
    original = [b - a for a, b in itertools.pairwise(MOTIF)]
    kept = []
    for variation in (0.1, 0.5, 0.9):
        same = [np.mean(np.equal(moves(answer(variation, seed=s)), original)) for s in range(20)]
        kept.append(float(np.mean(same)))
    assert kept[0] > 0.9
    assert kept[0] > kept[1] > kept[2]
    assert kept[2] < 0.6


def test_a_metered_answer_is_written_on_the_grid() -> None:
    sketch = answer(0.0, scene_of(jitter=0.015))
    ticks = [(row[0] - 3.5) / GRID.beat_s * 12 for row in sketch]
    assert all(abs(t - round(t)) < 1e-6 for t in ticks)
    assert sketch[0][0] == 3.5


def test_a_free_answer_keeps_the_humans_own_timing() -> None:
    sketch = answer(0.0, scene_of(None, jitter=0.015))
    gaps = [b[0] - a[0] for a, b in itertools.pairwise(sketch)]
    assert len({round(gap, 4) for gap in gaps}) > 4


def test_a_retort_is_the_motif_upside_down_or_shifted() -> None:
    scene = scene_of()
    tails = [MOTIF[-n:] for n in range(quotes.RETORT[0], quotes.RETORT[1] + 1)]
    turned = 0
    for seed in range(20):
        sketch = quotes.retort(scene, scene.ear.line, (64, 96), 3.75, rng=np.random.default_rng(seed))
        tail = next(t for t in tails if len(t) == len(sketch))
        theirs = [b - a for a, b in itertools.pairwise(tail)]
        if moves(sketch) == [-m for m in theirs]:
            turned += 1
        else:
            assert moves(sketch) == theirs
            assert (sketch[0][2] - tail[0]) % 12 in (1, 6, 11)
    assert 4 < turned < 16


@pytest.mark.parametrize("limits", [(28, 52), (48, 72), (64, 96)])
def test_a_motif_is_folded_into_any_register(limits: tuple[int, int]) -> None:
    scene = scene_of()
    first = scene.ear.line.last(9)[0]
    wide = [quotes.Step(interval, 0.25, 0.2, 80) for interval in (12, 12, -24, -12, 19)]
    sketch = quotes.lay_out(scene, first, wide, limits, 3.5)
    assert all(limits[0] <= row[2] <= limits[1] for row in sketch)


def test_without_a_line_there_is_nothing_to_quote() -> None:
    ear = Ear(Memory())
    scene = Scene("mid", 1.0, 1.04, GRID, ear, ("human",))
    rng = np.random.default_rng(0)
    assert quotes.answer(scene, ear.line, (48, 72), 2.0, variation=0.3, rng=rng) == []
    assert quotes.retort(scene, ear.line, (48, 72), 2.0, rng=rng) == []
