"""The values that the band and the event model exchange."""

import dataclasses

import pytest

from improvbox.band.types import Controls, Ended, Limits, Played, Proposal
from improvbox.events import BANDS, REGISTERS


@pytest.mark.parametrize("part", BANDS)
def test_limits_of_a_player_are_its_register(part):
    limits = Limits.of(part)
    assert (limits.low, limits.high) == REGISTERS[part]


def test_limits_of_a_player_may_be_narrowed():
    assert Limits.of("mid", high=60).high == 60


def test_limits_of_an_unknown_player_are_refused():
    with pytest.raises(KeyError):
        Limits.of("drums")


@pytest.mark.parametrize(
    "value",
    [
        Played("human", 60, 0.0, 80),
        Ended("human", 60, 0.0),
        Controls(),
        Limits.of("bass"),
        Proposal("bass", 0.0, 40, 1.0, 80, 0.0, 0.0, 0.0, 0.0),
    ],
)
def test_what_crosses_between_the_two_sides_is_frozen(value):
    name = dataclasses.fields(value)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, name, getattr(value, name))


def test_controls_leave_everything_to_the_model_unless_set():
    assert all(getattr(Controls(), f.name) is None for f in dataclasses.fields(Controls))


def test_equal_controls_are_one_key():
    assert hash(Controls(density=0.3)) == hash(Controls(density=0.3))
