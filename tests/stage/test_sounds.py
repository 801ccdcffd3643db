"""Names, programs, levels and bends."""

from __future__ import annotations

import pytest

from improvbox.errors import CommandError
from improvbox.events import PLAYERS
from improvbox.stage import sounds


@pytest.mark.parametrize("sound", ["marimba", "Marimba", "12", 12, 12.0])
def test_a_sound_is_a_name_or_a_number(sound: str | float) -> None:
    assert sounds.program("high", sound) == 12


@pytest.mark.parametrize("sound", ["finger_bass", "finger-bass", "finger bass"])
def test_a_name_may_be_written_as_osc_and_toml_like_it(sound: str) -> None:
    assert sounds.program("bass", sound) == 33


def test_a_wrong_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(CommandError, match="did you mean 'marimba'"):
        sounds.program("high", "marimbo")


@pytest.mark.parametrize("sound", [128, -1, 3.5])
def test_a_number_out_of_range_is_refused(sound: float) -> None:
    with pytest.raises(CommandError, match=r"0\.\.127"):
        sounds.program("high", sound)


def test_drums_have_kits() -> None:
    assert sounds.program("drums", "brush kit") == 40


def test_every_player_has_a_channel_and_a_program_with_a_name() -> None:
    for part in PLAYERS:
        assert part in sounds.CHANNELS
        assert sounds.name_of(part, sounds.PROGRAMS[part]) in sounds.SOUNDS[part]


@pytest.mark.parametrize(("level", "value"), [(0.0, 0), (0.5, 64), (1.0, 127), (2.0, 127), (-1.0, 0)])
def test_a_level_is_a_volume(level: float, value: int) -> None:
    assert sounds.volume(level) == value


@pytest.mark.parametrize(("cents", "value"), [(0, 8192), (1200, 16383), (-1200, 0), (600, 12288), (9999, 16383)])
def test_cents_are_a_bend_of_twelve_semitones(cents: float, value: int) -> None:
    assert sounds.bend_value(cents) == value
