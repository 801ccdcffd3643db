"""What players were last told."""

from __future__ import annotations

import pytest

from improvbox.commands import parse
from improvbox.config import BandSettings
from improvbox.controls import routes
from improvbox.controls.mirror import Mirror
from improvbox.events import BANDS, Command


@pytest.fixture
def mirror() -> Mirror:
    return Mirror(BandSettings())


def test_it_starts_as_the_settings_say(mirror: Mirror) -> None:
    assert (mirror.value(("bass",), "role"), mirror.value(("drums",), "role")) == ("accompany", "rest")
    assert mirror.value(("human",), "band") == "auto"


def test_a_command_to_one_player_changes_that_one(mirror: Mirror) -> None:
    mirror.observe(parse("mid", "role", "fight", 0.0))
    assert [mirror.value((name,), "role") for name in BANDS] == ["accompany", "fight", "accompany"]


def test_players_that_differ_have_no_common_value(mirror: Mirror) -> None:
    mirror.observe(parse("mid", "role", "fight", 0.0))
    assert mirror.value(BANDS, "role") is None


def test_a_command_to_all_reaches_the_drums_too(mirror: Mirror) -> None:
    mirror.observe(parse("all", "role", "room", 0.0))
    assert mirror.value(("all",), "role") == "room"
    assert mirror.value(("drums",), "role") == "room"


def test_what_is_said_once_is_not_kept(mirror: Mirror) -> None:
    before = mirror.messages()
    for verb in ("tap", "return", "panic", "state"):
        mirror.observe(parse("box", verb, None, 0.0))
    assert mirror.messages() == before


def test_its_messages_are_commands_that_bring_the_same_state_about(mirror: Mirror) -> None:
    mirror.observe(parse("bass", "density", 0.9, 0.0))
    mirror.observe(parse("high", "for", "human+bass", 0.0))
    mirror.observe(parse("box", "tempo", 96, 0.0))
    other = Mirror(BandSettings(human="mid", time="free"))
    for address, arguments in mirror.messages():
        command = routes.command(address, arguments, 0.0)
        assert isinstance(command, Command)
        other.observe(command)
    assert other.messages() == mirror.messages()
