"""Controls and roles as conditions and limits: every knob is monotone."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from improvbox import commands
from improvbox.band.ear import Ear
from improvbox.band.planner import touch
from improvbox.band.player import Player
from improvbox.band.request import density, request
from improvbox.band.scene import Scene
from improvbox.band.steering import Steering
from improvbox.band.types import Limits
from improvbox.config import PlayerSettings
from improvbox.events import CONTROLS, NoteOff, NoteOn, PlannedNote
from improvbox.memory.context import Memory
from improvbox.tempo import Grid

GRID = Grid(120.0)


def scene_of(name: str = "mid", grid: Grid | None = GRID) -> Scene:
    memory = Memory()
    ear = Ear(memory)
    for i, key in enumerate([60, 62, 64, 65, 67, 65, 64, 62]):
        on = 0.5 * i
        memory.hear(NoteOn(i + 1, float(key), 80, on, on + 0.02))
        ear.human_note(key, 80, on, grid)
        memory.hear(NoteOff(i + 1, on + 0.45))
    return Scene(name, 4.0, 4.04, grid, ear, ("human", "bass", "high"))


def player_of(name: str = "mid", role: str = "accompany", **controls: float) -> Player:
    told = Steering.of(name, PlayerSettings(role=role))
    for control, value in controls.items():
        setattr(told, control, value)
    player = Player(name, told, np.random.default_rng(0))
    player.took(PlannedNote(name, 1, 3.5, 0.5, 57, 80))
    return player


def limits_of(role: str = "accompany", grid: Grid | None = GRID, **controls: float) -> Limits:
    return request(scene_of(grid=grid), player_of("mid", role, **controls))[1]


STEPS = (0.05, 0.25, 0.45, 0.65, 0.85, 1.0)


def test_density_moves_the_earliest_and_latest_onset_one_way() -> None:
    made = [limits_of(density=d) for d in STEPS]
    assert all(a.earliest >= b.earliest for a, b in itertools.pairwise(made))
    assert all(a.latest >= b.latest for a, b in itertools.pairwise(made))
    assert all(a.hazard <= b.hazard for a, b in itertools.pairwise(made))
    assert made[0].earliest - made[-1].earliest > 2 * GRID.beat_s


def test_order_moves_temperatures_and_the_grid_one_way() -> None:
    made = [limits_of(order=o) for o in STEPS]
    assert all(a.time_temperature > b.time_temperature for a, b in itertools.pairwise(made))
    assert all(a.pitch_temperature > b.pitch_temperature for a, b in itertools.pairwise(made))
    assert all(a.pitch_share >= b.pitch_share for a, b in itertools.pairwise(made))
    assert all(a.step_ticks <= b.step_ticks for a, b in itertools.pairwise(made))


def test_texture_moves_onsets_from_the_humans_and_direction_against_theirs() -> None:
    made = [limits_of(texture=x) for x in STEPS]
    on_theirs = [m.phase_bias[0] for m in made if m.phase_bias is not None]
    assert all(a > b for a, b in itertools.pairwise(on_theirs))
    with_them = [m.pitch_bias[55] - m.pitch_bias[59] for m in made if m.pitch_bias is not None]  # they went down
    assert with_them[0] > with_them[-1]


def test_level_moves_velocity_one_way() -> None:
    scene = scene_of()
    made = [touch(scene, player_of(level=level).told, 4.5, 80) for level in STEPS]
    assert all(a < b for a, b in itertools.pairwise(made))
    assert made[0] < 30
    assert made[-1] > 90


def test_low_variation_pulls_to_how_the_humans_line_went_on() -> None:
    player = player_of()
    player.took(PlannedNote("mid", 2, 3.5, 0.5, 59, 80))
    player.took(PlannedNote("mid", 3, 3.7, 0.5, 61, 80))  # up two, up two: they went on up one
    made = []
    for variation in (0.0, 0.5, 1.0):
        player.told.variation = variation
        bias = request(scene_of(), player)[1].pitch_bias
        assert bias is not None
        made.append(bias[62])
    assert made[0] > made[1] > made[2]


def test_controls_are_conditions_too() -> None:
    controls, _ = request(scene_of(), player_of(density=0.2, order=0.3, variation=0.4, texture=0.6, level=0.9))
    assert [getattr(controls, name) for name in CONTROLS] == [0.2, 0.3, 0.4, 0.6, 0.9]


def test_fight_keeps_pace_with_the_human_whatever_the_control_says() -> None:
    scene = scene_of()
    slow = density(scene, player_of("mid", "fight", density=0.2).told)
    assert slow > density(scene, player_of("mid", "accompany", density=0.2).told)


def test_room_waits_for_a_gap_and_leaves_the_humans_register() -> None:
    human = scene_of().view("human")
    room = limits_of("room")
    assert room.earliest > human.onset + human.ioi
    assert room.high < 64
    usual = limits_of()
    assert (usual.low, usual.high) == (48, 72)


def test_some_pitch_is_always_allowed_wherever_the_player_comes_from() -> None:
    for role in ("room", "fight", "accompany"):
        for pitch in (48, 60, 72):
            player = player_of("mid", role, order=0.9)
            player.took(PlannedNote("mid", 2, 3.8, 0.5, pitch, 80))
            made = request(scene_of(), player)[1]
            assert made.pitch_bias is not None
            assert np.isfinite(made.pitch_bias[made.low : made.high + 1]).any()


def test_free_time_asks_for_no_grid() -> None:
    assert limits_of(grid=None).phase_bias is None


@pytest.mark.parametrize("control", CONTROLS)
def test_a_command_changes_its_control(control: str) -> None:
    told = Steering.of("bass", PlayerSettings())
    assert told.take("bass", commands.parse("bass", control, 0.123, 1.0))
    assert getattr(told, control) == 0.123
    assert not told.take("bass", commands.parse("bass", control, 0.123, 2.0))


def test_a_player_never_listens_to_itself() -> None:
    told = Steering.of("bass", PlayerSettings())
    assert "bass" not in told.listens_to
    told.take("bass", commands.parse("bass", "for", "bass,high", 1.0))
    assert told.listens_to == ("high",)


def test_whom_it_listens_to_decides_the_harmony_in_the_air() -> None:
    scene = scene_of()
    assert scene.harmony().any()
    assert not replace(scene, listens_to=("high",)).harmony().any()
