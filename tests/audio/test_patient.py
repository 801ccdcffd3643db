"""A source that outlives its interface."""

from __future__ import annotations

import numpy as np

from improvbox.audio.alsa import AlsaSource
from improvbox.audio.patient import PatientSource
from improvbox.audio.rig import Rig
from improvbox.audio.source import RATE_HZ, Block
from improvbox.clock import monotonic_s, sleep_s
from improvbox.config import AudioSettings
from improvbox.errors import DeviceError, StreamError


class Flaky:
    """An interface that is absent for some opens, then plays a few blocks and goes."""

    rate_hz = RATE_HZ

    def __init__(self, present: bool, blocks: int) -> None:
        self._present, self._left, self._at = present, blocks, 0
        self.stopped = False

    def start(self) -> None:
        if not self._present:
            raise DeviceError("hw:CARD=M2 is not here")

    def stop(self) -> None:
        self.stopped = True

    def read(self) -> Block | None:
        if not self._left:
            raise StreamError("no sound arrives")
        self._left -= 1
        sleep_s(64 / RATE_HZ)
        block = Block(np.ones(64, np.float32), self._at, monotonic_s())
        self._at += 64
        return block


def test_an_absent_interface_is_waited_for_and_time_goes_on() -> None:
    made = [Flaky(False, 0), Flaky(True, 3)]
    patient = PatientSource(lambda: made.pop(0))
    started = monotonic_s()
    patient.start()
    assert "not here" in patient.problem
    blocks = []
    while not blocks or not len(blocks[-1].samples):
        block = patient.read()
        assert block is not None
        blocks.append(block)
    waited = round((monotonic_s() - started) * RATE_HZ)
    assert patient.problem == ""
    assert abs(blocks[-1].end_frame - waited) < 0.02 * RATE_HZ
    assert sum(b.lost_frames + len(b.samples) for b in blocks) == blocks[-1].end_frame  # every frame is accounted for


def test_a_lost_interface_is_let_go_counted_and_found_again() -> None:
    first, second = Flaky(True, 2), Flaky(True, 2)
    made = [first, second]
    patient = PatientSource(lambda: made.pop(0))
    patient.start()
    end = 0
    seen = 0
    while seen < 4:
        block = patient.read()
        assert block is not None
        assert block.first_frame == end + block.lost_frames
        end = block.end_frame
        seen += len(block.samples) // 64
    assert (patient.losses, first.stopped, second.stopped) == (1, True, False)


def test_stop_ends_the_stream() -> None:
    patient = PatientSource(lambda: Flaky(False, 0))
    patient.start()
    patient.stop()
    assert patient.read() is None


def test_a_real_interface_that_vanishes_comes_back(rig: Rig) -> None:
    patient = PatientSource(lambda: AlsaSource(AudioSettings(pcm="iface", periods=4)))
    patient.start()
    block = patient.read()
    assert block is not None and len(block.samples) == 64
    rig.vanish()
    while not patient.problem:
        patient.read()
    rig.reappear()
    end = 0
    while patient.problem:
        block = patient.read()
        assert block is not None
        end = block.end_frame
    block = patient.read()
    assert block is not None and len(block.samples) == 64
    assert block.first_frame == end + block.lost_frames
    patient.stop()
