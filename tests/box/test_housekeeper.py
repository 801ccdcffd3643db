from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from improvbox.box.budget import Budget, limits
from improvbox.box.housekeeper import Housekeeper
from improvbox.box.ladder import Ladder
from improvbox.box.watchdog import Heartbeats, Notifier, Signs, Watch
from improvbox.events import Health


@dataclass
class FakeBox:
    """A box that does what the test says."""

    waiting: str = ""
    synth: str = ""
    standing: bool = False
    dropped: int = 0
    count: int = 0
    applied: list[tuple[str, ...]] = field(default_factory=list)
    told: list[Health] = field(default_factory=list)

    def signs(self) -> Signs:
        self.count += not self.standing
        return Signs(self.count, self.waiting, self.synth)

    def frames(self) -> int:
        return self.count

    def audio_now(self) -> float:
        return 12.5

    def xruns(self) -> int:
        return 3

    def troubles(self) -> dict[str, int]:
        return {"hearing": self.dropped}

    def hearing_mode(self) -> str:
        return "model"

    def apply(self, steps: tuple[str, ...]) -> None:
        self.applied.append(steps)

    def tell(self, health: Health) -> None:
        self.told.append(health)


class Sent(Notifier):
    """Keeps what systemd would get."""

    def __init__(self) -> None:
        super().__init__({"WATCHDOG_USEC": "1000000"})
        self.messages: list[str] = []

    def _send(self, message: str) -> None:
        self.messages.append(message)


@dataclass
class House:
    box: FakeBox = field(default_factory=FakeBox)
    budget: Budget = field(default_factory=lambda: Budget(limits(48000, 64, 128)))
    sent: Sent = field(default_factory=Sent)
    now: float = 0.0

    def __post_init__(self) -> None:
        self.keeper = Housekeeper(self.box, self.budget, Ladder(), Watch(Heartbeats()), self.sent)

    def live(self, seconds: float, hearing_s: float = 0.0002) -> None:
        for _ in range(round(seconds / 0.25)):
            for _ in range(20):
                self.budget.note("hearing", hearing_s)
            self.keeper.look(self.now)
            self.now += 0.25


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.INFO, logger="improvbox"):
        yield caplog


def test_a_healthy_box_feeds_the_watchdog_and_tells_how_it_is(house: House) -> None:
    house.live(5.0)
    assert house.sent.messages.count("WATCHDOG=1") == 10
    assert "STATUS=playing, 3 xruns, hearing: model" in house.sent.messages
    assert len(house.box.told) == 5
    health = house.box.told[-1]
    assert (health.alive, health.xruns, health.ladder, health.t) == (True, 3, "full", 12.5)


def test_a_box_whose_frames_stand_still_is_not_fed(house: House) -> None:
    house.live(2.0)
    house.box.standing = True
    house.live(3.0)
    house.sent.messages.clear()
    house.live(5.0)
    assert "WATCHDOG=1" not in house.sent.messages
    assert house.keeper.verdict == "no frames arrive"
    assert house.box.told[-1].alive is False


def test_a_missing_interface_is_said_and_the_watchdog_is_fed_all_the_same(
    house: House, said: pytest.LogCaptureFixture
) -> None:
    house.box.waiting, house.box.standing = "audio.card 'Solo' is not here", True
    house.live(10.0)
    assert house.sent.messages.count("WATCHDOG=1") == 20
    assert "STATUS=audio.card 'Solo' is not here" in house.sent.messages
    assert [r.getMessage() for r in said.records] == ["audio.card 'Solo' is not here"]
    house.box.waiting, house.box.standing = "", False
    house.live(1.0)
    assert said.records[-1].getMessage() == "all is well again"


def test_hearing_that_is_too_slow_steps_down_says_why_and_comes_back(
    house: House, said: pytest.LogCaptureFixture
) -> None:
    house.live(3.0, hearing_s=0.002)
    assert house.box.applied == [("half rate",)]
    assert said.records[0].getMessage() == "ladder: down to 'half rate': hearing took 1.5 of its budget for 1.5 s"
    assert house.box.told[-1].cause == "hearing took 1.5 of its budget for 1.5 s"
    house.live(20.0)
    assert house.box.applied[-1] == ()


def test_sound_that_hearing_had_to_drop_counts_as_too_slow(house: House) -> None:
    house.live(1.0)
    for _ in range(12):
        house.box.dropped += 5
        house.live(0.25)
    assert house.box.applied == [("half rate",)]


def test_words_for_systemd_name_the_step_and_its_cause(house: House) -> None:
    house.live(3.0, hearing_s=0.002)
    assert house.keeper.summary().endswith("half rate (hearing took 1.5 of its budget for 1.5 s)")
