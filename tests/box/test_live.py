from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from box_fakes import EchoBand, Tape

from improvbox.audio.source import Block
from improvbox.box.bandstand import Thing
from improvbox.box.inbox import Inbox
from improvbox.box.live import LiveBox, Players
from improvbox.clock import StreamClock, monotonic_s, sleep_s
from improvbox.commands import parse
from improvbox.config import build
from improvbox.errors import DeviceError
from improvbox.events import HumanEvent, NoteOff, NoteOn
from improvbox.hearing.beat import BeatTracker

SETTINGS = build({"box": {"realtime": False}})


class Metronome:
    """A live source of silence: a period of 480 frames every 10 ms, until it is stopped."""

    def __init__(self) -> None:
        self.problem = ""
        self.xruns = 0
        self._start = 0.0
        self._frames = 0
        self._stopped = False

    def start(self) -> None:
        self._start = monotonic_s()

    def stop(self) -> None:
        self._stopped = True

    def read(self) -> Block | None:
        self._frames += 480
        due = self._start + self._frames / 48000
        sleep_s(due - monotonic_s())
        return None if self._stopped else Block(np.zeros(480, np.float32), self._frames - 480, due)


class Pupil:
    """Hears a note in every tenth block."""

    mode = "model"

    def __init__(self) -> None:
        self.blocks = 0

    def push(self, samples: np.ndarray) -> list[HumanEvent]:
        self.blocks += 1
        if self.blocks % 10:
            return []
        t = self.blocks * 0.01
        return [NoteOn(self.blocks, 60.0, 90, t - 0.02, t)]

    def skip(self, frames: int) -> list[HumanEvent]:
        return []

    def switch(self, mode: str) -> None:
        self.mode = mode

    def flush(self) -> list[NoteOff]:
        return []


class TapeSynth(Tape):
    """A synth that may be unplugged."""

    def __init__(self) -> None:
        super().__init__()
        self.here = True
        self.restarts = 0

    def start(self) -> None:
        if not self.here:
            raise DeviceError("no amplifier")

    def restart(self) -> None:
        self.restarts += 1
        self.start()

    def alive(self) -> bool:
        return self.here


class Evening:
    def __init__(self, band: EchoBand | None = None) -> None:
        self.synth, self.source, self.pupil = TapeSynth(), Metronome(), Pupil()
        self.band = band or EchoBand()
        self.inbox: Inbox[Thing] = Inbox()
        players = Players(self.pupil, self.band, BeatTracker())  # type: ignore[arg-type]  # a listener by its methods
        self.box = LiveBox(SETTINGS, self.source, self.synth, players, inbox=self.inbox, clock=StreamClock())

    def wait(self, what: str, count: int) -> None:
        end = monotonic_s() + 10.0
        while len(self.synth.of(what)) < count and monotonic_s() < end:
            sleep_s(0.005)
        assert len(self.synth.of(what)) >= count


@pytest.fixture
def evening() -> Evening:
    return Evening()


def test_what_is_heard_is_answered_and_nothing_hangs_at_the_end(evening: Evening) -> None:
    evening.box.start()
    evening.wait("on", 3)
    assert evening.box.stop()
    assert len(evening.synth.of("on")) == len(evening.synth.of("off")) >= 3
    assert evening.box.glance.hanging == 0
    assert evening.synth.closed
    assert evening.box.failure == ""


def test_a_command_from_another_thread_is_carried_out(evening: Evening) -> None:
    evening.box.start()
    evening.inbox.give(parse("bass", "level", 0.1, 0.0))
    evening.wait("gain", 5)
    evening.box.stop()
    assert evening.synth.of("gain")[-1] == ("bass", 0.1)


def test_frames_and_heartbeats_are_signs_of_life(evening: Evening) -> None:
    evening.box.start()
    evening.wait("on", 1)
    signs = evening.box.signs()
    evening.box.stop()
    assert signs.frames > 0
    assert (signs.waiting, signs.synth) == ("", "")


def test_a_missing_interface_is_waiting_and_no_fault(evening: Evening) -> None:
    evening.source.problem = "audio.card 'Solo' is not here"
    evening.box.start()
    assert evening.box.signs().waiting == "audio.card 'Solo' is not here"
    evening.box.stop()


def test_an_amplifier_that_comes_later_is_found(evening: Evening) -> None:
    evening.synth.here = False
    evening.box.start()
    assert evening.box.signs().waiting == "no amplifier"
    evening.synth.here = True
    assert evening.box.signs().waiting == ""
    evening.box.stop()


def test_a_synth_that_stays_dead_is_a_case_for_a_restart(evening: Evening, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("improvbox.box.live.SYNTH_PATIENCE_S", -1.0)
    evening.box.start()
    evening.synth.here = False
    assert evening.box.signs().synth != ""
    evening.box.stop()


def test_a_thread_that_fails_is_named_and_every_note_ends() -> None:
    class Fragile(EchoBand):
        def hear(self, event: HumanEvent, now: float) -> None:
            super().hear(event, now)
            if len(self.heard) == 3:
                raise ValueError("a wrong note")

    evening = Evening(Fragile())
    evening.box.start()
    evening.wait("on", 1)
    end = monotonic_s() + 10.0
    while not evening.box.failure and monotonic_s() < end:
        sleep_s(0.005)
    assert evening.box.failure == "band ended: ValueError: a wrong note"
    evening.box.stop()
    assert len(evening.synth.of("on")) == len(evening.synth.of("off"))


def test_panic_does_not_wait_for_a_band_that_thinks() -> None:
    class Slow(EchoBand):
        def hear(self, event: HumanEvent, now: float) -> None:
            super().hear(event, now)
            if len(self.heard) == 3:
                sleep_s(1.0)

    evening = Evening(Slow())
    evening.box.start()
    end = monotonic_s() + 10.0
    while len(evening.band.heard) < 3 and monotonic_s() < end:
        sleep_s(0.002)
    asked = monotonic_s()
    evening.box.submit(parse("box", "panic", None, 0.0))
    evening.wait("panic", 1)
    took = monotonic_s() - asked
    evening.box.stop()
    assert took < 0.5


def test_the_ladder_reaches_hearing_and_band(evening: Evening) -> None:
    evening.box.start()
    evening.box.apply(("fewer plans", "half rate", "dsp hearing", "hold"))
    end = monotonic_s() + 10.0
    while evening.pupil.mode != "dsp" and monotonic_s() < end:
        sleep_s(0.005)
    evening.box.stop()
    assert evening.pupil.mode == "dsp"
    assert evening.box.bandstand.session.thrifty
    assert evening.box.bandstand.session.holding


def test_the_status_says_what_is_measured_and_no_more(evening: Evening, tmp_path: Path) -> None:
    table = evening.box.status(None)  # type: ignore[arg-type]  # before the first reading
    assert table["heard"] is None
    assert table["level_db"] is None
    assert not any(isinstance(v, float) and math.isnan(v) for v in table.values())
