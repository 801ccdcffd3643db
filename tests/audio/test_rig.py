"""The rig: aligned to the sample, several at once, nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from improvbox.audio import rig as rig_module
from improvbox.audio.alsa import AlsaSource
from improvbox.audio.rig import Rig, missing
from improvbox.audio.tone import pluck
from improvbox.clock import monotonic_s, sleep_s
from improvbox.config import AudioSettings
from improvbox.errors import DeviceError, MissingDriverError, StreamError


def servers(rig: Rig) -> list[str]:
    """Processes of this rig's server, by its unique name."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if rig.server.encode() in words:
            found.append(folder.name)
    return found


def gone(rig: Rig) -> bool:
    for _ in range(100):
        if not servers(rig):
            return True
        sleep_s(0.05)
    return False


def test_the_guitar_is_recorded_as_it_was_played_from_the_frame_that_is_told(rig: Rig, tmp_path: Path) -> None:
    take = pluck(52, 0.3)
    rig.record(tmp_path / "out.wav")
    rig.play(take)
    rig.wait_played(10)
    recording = rig.stop_recording()
    sound = recording.samples()
    assert sound.shape == (recording.frames, 3)
    assert recording.dropped_frames == 0
    assert recording.play_frame is not None
    assert np.array_equal(sound[recording.play_frame : recording.play_frame + len(take), 0], take)


def test_what_is_played_to_the_synth_pcm_is_recorded_left_and_right(rig: Rig, tmp_path: Path) -> None:
    import alsaaudio

    tone = (16384 * np.sin(np.arange(4800) * 2 * np.pi * 1000 / 48000)).astype("<i2")
    frames = np.stack([tone, -tone], axis=1)
    rig.record(tmp_path / "out.wav")
    out = alsaaudio.PCM(
        device=rig.playback, rate=48000, channels=2, format=alsaaudio.PCM_FORMAT_S16_LE, periodsize=64, periods=4
    )
    for start in range(0, 4800, 64):
        out.write(frames[start : start + 64].tobytes())
    sleep_s(0.05)
    sound = rig.stop_recording().samples()
    out.close()
    assert np.max(sound[:, 1]) == pytest.approx(0.5, abs=1e-3)
    assert np.array_equal(sound[:, 1], -sound[:, 2])
    assert not sound[:, 0].any()


def test_a_moment_is_placed_in_the_recording(rig: Rig, tmp_path: Path) -> None:
    rig.record(tmp_path / "out.wav")
    sleep_s(0.1)
    now = monotonic_s()
    sleep_s(0.1)
    recording = rig.stop_recording()
    cycle = int(recording.frame_at(now)) // 64
    assert recording.cycles_s[cycle] <= now
    assert now <= recording.cycles_s[cycle + 1] + 1e-6


def test_a_sound_file_can_be_the_take(rig: Rig, tmp_path: Path) -> None:
    import soundfile

    soundfile.write(tmp_path / "take.wav", pluck(52, 0.2), 48000, "FLOAT")
    rig.play(tmp_path / "take.wav")
    rig.wait_played(10)
    assert rig.state()["played_frames"] == 9600


def test_two_rigs_run_side_by_side_and_leave_nothing_behind(rig: Rig, tmp_path: Path) -> None:
    with Rig(folder=tmp_path / "second") as second:
        assert second.server != rig.server
        with second.environment():
            capture = AlsaSource(AudioSettings(pcm="iface", periods=4))
            capture.start()
            second.play(np.full(48000, 0.5, np.float32))
            rig.play(np.full(48000, -0.5, np.float32))
            loudest = max((capture.read().samples for _ in range(200)), key=lambda x: float(np.max(np.abs(x))))  # type: ignore[union-attr]
            capture.stop()
    assert np.max(loudest) == pytest.approx(0.5, abs=1e-6)
    assert gone(second)
    assert servers(rig)


@pytest.mark.skipif(bool(missing()), reason=f"no rig for real ALSA: {missing()}")
def test_a_parent_that_is_killed_takes_its_server_with_it(tmp_path: Path) -> None:
    program = "from improvbox.audio.rig import *\nrig = Rig()\nrig.start()\nprint(rig.server, flush=True)\nsleep_s(60)"
    root = Path(rig_module.__file__).parents[2]
    env = {**os.environ, "PYTHONPATH": str(root)}
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=env)
    assert parent.stdout is not None
    victim = Rig()
    victim.server = parent.stdout.readline().strip()
    assert servers(victim)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(victim)


def test_a_machine_without_jackd_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(MissingDriverError, match="jackd is not installed; apt-get install jackd2"):
        Rig().start()


@pytest.mark.skipif(shutil.which("jackd") is None, reason="jackd is not installed: nothing to miss the plugin from")
def test_a_machine_without_the_plugin_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALSA_PLUGIN_DIR", str(tmp_path))
    with pytest.raises(MissingDriverError, match="apt-get install libasound2-plugins"):
        Rig().start()


def test_a_rig_that_does_not_run_says_so() -> None:
    with pytest.raises(StreamError, match="start it first"):
        Rig().state()


def test_guitar_and_band_go_to_the_outputs_that_a_card_would_play(rig: Rig) -> None:
    import jack

    onlooker = jack.Client("onlooker", no_start_server=True, servername=rig.server)
    try:
        heard = [[p.name for p in onlooker.get_all_connections(f"system:playback_{side}")] for side in (1, 2)]
    finally:
        onlooker.close()
    assert heard == [["rig:monitor_1"], ["rig:monitor_2"]]


def test_a_card_that_is_not_there_is_named() -> None:
    with pytest.raises(DeviceError, match="jackd"), Rig(card="Nowhere"):
        pass
