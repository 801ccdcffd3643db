from __future__ import annotations

import threading

import numpy as np
import pytest
from box_fakes import EchoBand, Tape

from improvbox.audio.source import Block
from improvbox.box.bandstand import Bandstand, Thing
from improvbox.box.budget import Budget, limits
from improvbox.box.ears import Capture, Ears
from improvbox.box.feed import HARD_LIMIT_S, LIMIT_S, Feed
from improvbox.box.inbox import LIMIT, Inbox
from improvbox.box.session import Session
from improvbox.box.stagehand import Curtain, Stagehand
from improvbox.box.watchdog import Heartbeats
from improvbox.box.worker import Worker
from improvbox.clock import StreamClock, VirtualClock
from improvbox.commands import parse
from improvbox.config import Settings
from improvbox.errors import StreamError
from improvbox.events import HumanEvent, Level, NoteOff, NoteOn, PlannedNote
from improvbox.hearing.beat import BeatTracker
from improvbox.stage.weaver import Weaver

NOTE = NoteOn(1, 60.0, 90, 0.98, 1.0)


@pytest.fixture
def budget() -> Budget:
    return Budget(limits(48000, 64, 128))


def block(first: int, frames: int = 64) -> Block:
    return Block(np.zeros(frames, np.float32), first, first / 48000)


# -- worker ----------------------------------------------------------------------------------------------------------


def test_a_worker_goes_round_until_it_is_stopped_and_shows_that_it_lives() -> None:
    beats, went = Heartbeats(), threading.Event()
    worker = Worker("hearing", lambda: went.wait(0.01) or went.set(), beats)
    worker.start()
    assert went.wait(2.0)
    assert beats.stale(1e9) == ["hearing"]
    assert worker.stop()
    assert worker.failure == ""


def test_a_worker_that_fails_says_what_happened() -> None:
    def fall() -> None:
        raise ZeroDivisionError("by nought")

    worker = Worker("band", fall, Heartbeats())
    worker.start()
    assert worker.stop()
    assert worker.failure == "band ended: ZeroDivisionError: by nought"


def test_a_worker_that_was_never_started_can_be_stopped() -> None:
    assert Worker("band", lambda: None, Heartbeats()).stop()


# -- feed ------------------------------------------------------------------------------------------------------------


def test_blocks_come_out_in_order() -> None:
    feed = Feed(64)
    for i in range(5):
        feed.put(block(64 * i))
    assert [b.first_frame for b in feed.take(0.0)] == [0, 64, 128, 192, 256]
    assert feed.take(0.0) == []


def test_hearing_that_fell_behind_gets_the_newest_sound() -> None:
    feed = Feed(64)
    total = round(LIMIT_S * 48000 / 64) + 100
    for i in range(total):
        feed.put(block(64 * i))
    taken = feed.take(0.0)
    assert taken[-1].first_frame == 64 * (total - 1)
    assert feed.dropped == total - len(taken) == pytest.approx(100, abs=2)


def test_a_feed_that_nobody_takes_from_stays_bounded() -> None:
    feed = Feed(64)
    most = round(HARD_LIMIT_S * 48000 / 64)
    for i in range(most + 50):
        feed.put(block(64 * i))
    assert feed.dropped == 50


# -- inbox -----------------------------------------------------------------------------------------------------------


def test_an_inbox_is_bounded() -> None:
    inbox: Inbox[int] = Inbox()
    for i in range(LIMIT + 3):
        inbox.give(i)
    assert inbox.dropped == 3
    assert [g.thing for g in inbox.take(0.0)] == list(range(LIMIT))


def test_an_empty_inbox_is_waited_for_no_longer_than_asked() -> None:
    assert list(Inbox[int]().take(0.001)) == []


# -- ears ------------------------------------------------------------------------------------------------------------


class Scripted:
    """A source that gives what it is told to, then ends."""

    def __init__(self, *blocks: Block) -> None:
        self.blocks = list(blocks)
        self.started = False

    def start(self) -> None:
        self.started = True

    def read(self) -> Block | None:
        return self.blocks.pop(0) if self.blocks else None


class Pupil:
    """A listener that keeps what it is given."""

    def __init__(self) -> None:
        self.mode = "model"
        self.given: list[tuple[str, int]] = []

    def push(self, samples: np.ndarray) -> list[HumanEvent]:
        self.given.append(("push", len(samples)))
        return [Level(0.0, -20.0), NOTE]

    def skip(self, frames: int) -> list[HumanEvent]:
        self.given.append(("skip", frames))
        return []

    def switch(self, mode: str) -> None:
        self.mode = mode

    def flush(self) -> list[NoteOff]:
        return [NoteOff(1, 2.0)]


def test_capture_starts_the_source_tells_the_clock_and_hands_on(budget: Budget) -> None:
    source, clock, feed = Scripted(block(0), block(64)), StreamClock(), Feed(64)
    capture = Capture(source, clock, feed, budget)
    capture.round()
    capture.round()
    assert source.started
    assert clock.started
    assert capture.frames == 128
    assert [b.first_frame for b in feed.take(0.0)] == [0, 64]


def test_a_source_that_ends_by_itself_is_a_fault_and_at_the_end_it_is_none(budget: Budget) -> None:
    capture = Capture(Scripted(), StreamClock(), Feed(64), budget)
    with pytest.raises(StreamError, match="the source of sound has ended"):
        capture.round()
    capture.ends = True
    capture.round()


def test_lost_frames_are_skipped_so_that_audio_time_stays_true(budget: Budget) -> None:
    feed, pupil = Feed(64), Pupil()
    ears = Ears(pupil, 128, feed, budget, lambda event: None)  # type: ignore[arg-type]  # a listener by its methods
    for each in (block(0), block(64), block(640)):
        feed.put(each)
    ears.round()
    assert pupil.given == [("push", 64), ("push", 64), ("skip", 512), ("push", 64)]


def test_levels_stay_and_all_else_is_told(budget: Budget) -> None:
    feed, told = Feed(64), []
    ears = Ears(Pupil(), 128, feed, budget, told.append)  # type: ignore[arg-type]  # as above
    feed.put(block(0))
    ears.round()
    ears.finish()
    assert told == [NOTE, NoteOff(1, 2.0)]
    assert ears.level == Level(0.0, -20.0)


def test_another_mode_is_taken_over_between_rounds(budget: Budget) -> None:
    feed, pupil = Feed(64), Pupil()
    ears = Ears(pupil, 128, feed, budget, lambda event: None)  # type: ignore[arg-type]  # as above
    ears.wanted_mode = "dsp"
    feed.put(block(0))
    ears.round()
    assert ears.mode == "dsp"


# -- stage and band --------------------------------------------------------------------------------------------------


class Theatre:
    """Stage and band on a clock of our own, gone round by hand."""

    def __init__(self, budget: Budget) -> None:
        self.clock, self.tape = VirtualClock(), Tape()
        self.hand = Stagehand(Weaver([self.tape]), [self.tape], self.clock, budget)
        curtain = Curtain(self.hand, [self.tape])
        self.band = EchoBand()
        self.inbox: Inbox[Thing] = Inbox()
        session = Session(Settings(), self.band, BeatTracker(), curtain, [curtain])
        self.stand = Bandstand(session, self.inbox, self.clock, budget)
        session.start(0.0)

    def until(self, t: float) -> None:
        while self.clock.now() < t:
            self.clock.advance_to(min(t, self.clock.now() + 0.001))
            for round_ in (self.stand.round, self.hand.round):
                self.inbox.give(lambda session, now: None)  # nobody has to wait in real time
                self.hand.inbox.give(lambda now: None)
                round_()


def test_a_note_goes_from_ear_to_band_to_stage(budget: Budget) -> None:
    theatre = Theatre(budget)
    theatre.until(1.0)
    theatre.hand.inbox.give(NOTE)
    theatre.inbox.give(NOTE)
    theatre.until(2.0)
    assert theatre.tape.of("human")[0][0] == NOTE
    assert theatre.tape.of("on") == [("bass", 36, pytest.approx(1.1, abs=3e-3))]
    assert theatre.tape.of("off") == [("bass", 36, pytest.approx(1.3, abs=3e-3))]


def test_a_command_reaches_players_witnesses_and_knobs(budget: Budget) -> None:
    theatre = Theatre(budget)
    theatre.inbox.give(parse("high", "role", "fight", 0.0))
    theatre.inbox.give(parse("bass", "level", 0.2, 0.0))
    theatre.until(0.01)
    assert [c.verb for c, _ in theatre.band.told] == ["role", "level"]
    assert [verb for verb, _ in theatre.tape.of("command")] == ["role", "level"]
    assert theatre.tape.of("gain")[-1] == ("bass", 0.2)


def test_panic_passes_the_curtain(budget: Budget) -> None:
    theatre = Theatre(budget)
    theatre.inbox.give(NOTE)
    theatre.until(0.15)
    theatre.inbox.give(parse("box", "panic", None, 0.15))
    theatre.until(0.16)
    assert len(theatre.tape.of("off")) == len(theatre.tape.of("panic")) == 1


def test_the_end_closes_every_note_and_every_sink(budget: Budget) -> None:
    theatre = Theatre(budget)
    theatre.inbox.give(NOTE)
    theatre.until(0.15)
    theatre.stand.finish()
    theatre.hand.finish()
    assert len(theatre.tape.of("on")) == len(theatre.tape.of("off")) == 1
    assert theatre.tape.closed


def test_what_every_stage_took_is_measured(budget: Budget) -> None:
    theatre = Theatre(budget)
    theatre.inbox.give(NOTE)
    theatre.hand.inbox.give(NOTE)
    theatre.inbox.give(parse("high", "role", "fight", 0.0))
    theatre.until(0.5)
    measured = {s.stage for s in budget.stats() if s.p50_ms is not None}
    assert {"band", "stage", "command"} <= measured


def test_a_note_that_was_handed_on_late_was_not_kept_waiting_by_the_stage(budget: Budget) -> None:
    theatre = Theatre(budget)
    theatre.until(1.0)
    theatre.hand.inbox.give(lambda now: theatre.hand.weaver.take(PlannedNote("bass", 1, 0.97, 0.5, 40, 80)))
    theatre.until(1.01)
    (stage,) = [s for s in budget.stats() if s.stage == "stage"]
    assert stage.max_ms is not None
    assert stage.max_ms < 2.0
