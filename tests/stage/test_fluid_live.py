"""FluidSynth live: its own thread on real ALSA, a dead device noticed, everything bounded in time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from improvbox.audio.rig import Rig, missing
from improvbox.clock import Stopwatch, sleep_s
from improvbox.config import StageSettings
from improvbox.errors import DeviceError, InputFileError
from improvbox.events import PlannedNote
from improvbox.stage import soundfonts
from improvbox.stage.fluid import STALL_S, FluidLive
from improvbox.stage.synth import Synth

NOTE = PlannedNote("mid", 1, 0.0, 1.0, 60, 110)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    problem = missing()
    if problem:
        pytest.skip(f"no rig for real ALSA: {problem}")
    with Rig() as made, made.environment():
        yield made


@pytest.fixture(scope="module")
def live(rig: Rig) -> Iterator[FluidLive]:
    sink = FluidLive(StageSettings(pcm=rig.playback))
    sink.start()
    yield sink
    sink.close()


def wait_recorded(rig: Rig, frames: int) -> None:
    """Until the recording has so many frames: on a busy machine these are no measure of wall time."""
    for _ in range(2000):
        if rig.state()["recorded_frames"] >= frames:
            return
        sleep_s(0.01)
    raise AssertionError(f"the rig has not recorded {frames} frames in 20 s")


def test_a_started_synth_renders_and_lives(live: FluidLive) -> None:
    before = live.frames
    sleep_s(0.1)
    assert live.frames > before
    assert live.alive()


def test_a_note_reaches_the_device_and_ends(live: FluidLive, rig: Rig, tmp_path: Path) -> None:
    live.program("mid", 16)
    rig.record(tmp_path / "synth.wav")
    wait_recorded(rig, 4800)
    live.note_on(NOTE, 0.0)
    wait_recorded(rig, 14400)
    live.note_off("mid", 1, 60, 0.0)
    wait_recorded(rig, 43200)
    sound = np.abs(rig.stop_recording().samples()[:, 1:]).max(axis=1)
    assert sound[:2400].max() < 1e-4  # but for dither
    assert sound.max() > 0.05
    assert sound[-4800:].max() < 1e-4


def test_the_output_is_silent_after_panic(live: FluidLive, rig: Rig, tmp_path: Path) -> None:
    live.note_on(NOTE, 0.0)
    sleep_s(0.1)
    live.panic(0.0)
    rig.record(tmp_path / "synth.wav")
    wait_recorded(rig, 9600)
    assert np.abs(rig.stop_recording().samples()[-4800:, 1:]).max() < 1e-4


def test_a_device_that_vanishes_is_noticed_and_comes_back(rig: Rig, live: FluidLive) -> None:
    rig.vanish()
    try:
        sleep_s(0.1)
        live.alive()
        sleep_s(STALL_S + 0.2)
        assert not live.alive()
        watch = Stopwatch()
        with pytest.raises(DeviceError, match="'synth'"):
            live.restart()
        assert watch.elapsed_s() < 10.0  # it does not hang; the machine may be busy
        live.note_on(NOTE, 0.0)  # nobody plays it and nobody minds
    finally:
        rig.reappear()
    live.restart()
    assert live.alive()
    before = live.frames
    sleep_s(0.1)
    assert live.frames > before


def test_a_closed_synth_is_not_alive_and_takes_no_harm(rig: Rig) -> None:
    sink = FluidLive(StageSettings(pcm=rig.playback))
    sink.start()
    sink.note_on(NOTE, 0.0)
    sink.close()
    sink.close()
    sink.note_on(NOTE, 0.0)
    sink.note_off("mid", 1, 60, 0.0)
    sink.panic(0.0)
    assert not sink.alive()


def test_the_audio_thread_has_ended_before_what_it_uses_is_freed(rig: Rig) -> None:
    made = Synth(soundfonts.find(), on_demand=True)
    made.start()
    made.open_driver(rig.playback, 64, 2)
    delete, drivers = made._ticker.delete, []

    def watched() -> None:
        drivers.append(made._synth.audio_driver)
        delete()

    made._ticker.delete = watched
    made.close()
    assert drivers == [None]


@pytest.mark.parametrize(
    ("settings", "fallback", "name"),
    [
        (StageSettings(pcm="synth", card="X"), "hw:Y", "synth"),
        (StageSettings(card="X"), "hw:Y", "plughw:CARD=X"),
        (StageSettings(), "hw:Y", "hw:Y"),
        (StageSettings(), "", "default"),
    ],
)
def test_the_device_is_the_pcm_the_card_the_guitars_or_the_default(
    settings: StageSettings, fallback: str, name: str
) -> None:
    assert FluidLive(settings, fallback).pcm == name


def test_an_absent_device_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DeviceError, match="hw:CARD=Nope"):
        FluidLive(StageSettings(card="Nope")).start()
    assert capfd.readouterr().err == ""


def test_an_absent_soundfont_is_named() -> None:
    with pytest.raises(InputFileError, match=r"/absent\.sf2"):
        FluidLive(StageSettings(soundfont="/absent.sf2")).start()
