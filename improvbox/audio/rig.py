"""A stand-in for a sound card: real ALSA PCMs in front of a dummy JACK server, a guitar fed in, both ends recorded.

    with Rig() as rig, rig.environment():
        rig.record("out.wav")
        rig.play(take)                     # float32 at 48 kHz, or the path of a sound file
        ...                                # the box captures from 'iface' and plays to 'synth'
        rig.wait_played()
        recording = rig.stop_recording()   # guitar, synth left, synth right, aligned to the sample

What it stands in for: the driver and its pace, buffers, EPIPE, a device that vanishes. What it cannot show: the
converters' own delay (about one period in, one out, and 1 ms of filters), USB, and the timing of another machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from improvbox import errors
from improvbox.audio.rig_server import JACK_PERIOD_FRAMES
from improvbox.audio.source import RATE_HZ
from improvbox.audio.wav import load
from improvbox.clock import Stopwatch, sleep_s
from improvbox.errors import DeviceError, MissingDriverError, StreamError

CAPTURE, PLAYBACK = "iface", "synth"  # the ALSA names
PLUGIN = "libasound_module_pcm_jack.so"
PLUGIN_FOLDERS = ("/usr/lib/*/alsa-lib", "/usr/lib/alsa-lib", "/usr/lib64/alsa-lib", "/usr/local/lib/alsa-lib")
_number = count(1)

ASOUND_CONF = f"""# Written by the rig. `plug` converts to the server's float; the period must be a multiple of 64.
</usr/share/alsa/alsa.conf>
pcm.{CAPTURE}_raw {{ type jack  capture_ports {{ 0 "rig:guitar" }} }}
pcm.{CAPTURE} {{ type plug  slave.pcm {CAPTURE}_raw }}
pcm.{PLAYBACK}_raw {{ type jack  playback_ports {{ 0 "rig:synth_1" 1 "rig:synth_2" }} }}
pcm.{PLAYBACK} {{ type plug  slave.pcm {PLAYBACK}_raw }}
"""


@dataclass(frozen=True, slots=True)
class Recording:
    """What the rig recorded."""

    path: Path
    """float WAV, 48 kHz: guitar, synth left, synth right"""
    frames: int
    dropped_frames: int
    """the disk was too slow for; 0 in a recording that measures"""
    play_frame: int | None
    """frame of the recording that holds sample 0 of the last `play`; None: nothing was played"""
    cycles_s: np.ndarray
    """float64: when each server cycle of 64 frames began, CLOCK_MONOTONIC"""

    def frame_at(self, monotonic_s: float) -> float:
        """The frame of the recording that was due at a moment of CLOCK_MONOTONIC."""
        cycle = int(np.searchsorted(self.cycles_s, monotonic_s, side="right")) - 1
        if cycle < 0:
            return (monotonic_s - self.cycles_s[0]) * RATE_HZ
        return cycle * JACK_PERIOD_FRAMES + min(JACK_PERIOD_FRAMES, (monotonic_s - self.cycles_s[cycle]) * RATE_HZ)

    def samples(self) -> np.ndarray:
        """float32[frames, 3], the whole recording."""
        import soundfile

        return soundfile.read(str(self.path), dtype="float32", always_2d=True)[0]


def missing() -> str:
    """What keeps the rig from running on this machine, and the remedy; '' where nothing does."""
    if shutil.which("jackd") is None:
        return "jackd is not installed; apt-get install jackd2 libasound2-plugins"
    own = os.environ.get("ALSA_PLUGIN_DIR")
    folders = [Path(own)] if own else [f for pattern in PLUGIN_FOLDERS for f in Path("/").glob(pattern[1:])]
    if not any((folder / PLUGIN).exists() for folder in folders):
        return f"ALSA's JACK plugin ({PLUGIN}) is not installed; apt-get install libasound2-plugins"
    try:
        import jack  # noqa: F401  # only whether it is there
    except (ImportError, OSError) as error:
        return f"JACK-Client is not installed ({error}); pip install JACK-Client"
    return ""


class Rig:
    """One dummy sound card. Several may run side by side: each has its own server name and folder."""

    def __init__(self, realtime: bool | None = None, folder: str | Path | None = None, card: str = "") -> None:
        """realtime: the server asks for SCHED_FIFO; None: where this process may have it. folder: for logs and
        recordings without a folder of their own; None: a temporary one, removed at the end. card: ALSA card id that
        guitar and band are heard on; '': none, nothing is heard."""
        self.card = card
        self.realtime = may_be_realtime() if realtime is None else realtime
        self.server = f"improvbox-{os.getpid()}-{next(_number)}"
        self.capture, self.playback = CAPTURE, PLAYBACK
        self._own_folder = folder is None
        self._folder = Path(folder) if folder is not None else Path()
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._recording: Path | None = None

    @property
    def env(self) -> dict[str, str]:
        """What a process needs to see the rig's ALSA names."""
        return {
            "ALSA_CONFIG_PATH": str(self._folder / "asound.conf"),
            "JACK_DEFAULT_SERVER": self.server,
            "JACK_NO_START_SERVER": "1",
        }

    @contextmanager
    def environment(self) -> Iterator[None]:
        """The same for this process, and back."""
        before = {key: os.environ.get(key) for key in self.env}
        os.environ.update(self.env)
        try:
            yield
        finally:
            for key, value in before.items():
                if value is None:
                    os.environ.pop(key, None)
                else:
                    os.environ[key] = value

    def __enter__(self) -> Rig:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Raises MissingDriverError where a program or library is absent, DeviceError where the server fails."""
        problem = missing()
        if problem:
            raise MissingDriverError(problem)
        if self._own_folder:
            self._folder = Path(tempfile.mkdtemp(prefix="improvbox-rig-"))
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / "asound.conf").write_text(ASOUND_CONF)
        command = [sys.executable, "-m", "improvbox.audio.rig_client", self.server]
        command += ["realtime" if self.realtime else "normal", str(self._folder / "jackd.log"), self.card]
        root = str(Path(errors.__file__).parents[1])
        path = os.pathsep.join(p for p in (root, os.environ.get("PYTHONPATH", "")) if p)
        with (self._folder / "client.log").open("ab") as log:
            self._child = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **self.env, "PYTHONPATH": path},
                start_new_session=True,  # Ctrl-C reaches the box first; the rig ends when its stdin closes
            )
        try:
            self.reappear()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends the server and its client; safe to call twice."""
        child, self._child = self._child, None
        if child is not None and child.stdin is not None and child.stdout is not None:
            with suppress(BrokenPipeError):  # it is gone already, and its server with it
                child.stdin.close()
            try:
                child.wait(8.0)
            except subprocess.TimeoutExpired:
                child.kill()  # the kernel then ends the server too
                child.wait()
            child.stdout.close()
        if self._own_folder and self._folder != Path():
            shutil.rmtree(self._folder, ignore_errors=True)

    def play(self, take: np.ndarray | str | Path) -> None:
        """Plays float32[frames] at 48 kHz (or a sound file) into the guitar input, from the next cycle on."""
        samples = np.asarray(take, np.float32) if isinstance(take, np.ndarray) else load(take)
        path = self._folder / "take.f32"
        samples.tofile(path)
        self._ask("play", path=str(path))

    def wait_played(self, timeout_s: float = 3600.0) -> None:
        """Until the take is over. Raises StreamError after `timeout_s`."""
        watch = Stopwatch()
        while self.state()["playing"]:
            if watch.elapsed_s() > timeout_s:
                raise StreamError(f"the rig still plays after {timeout_s:g} s")
            sleep_s(0.02)

    def record(self, path: str | Path) -> None:
        """Records guitar, synth left and synth right from the next cycle on, to a WAV at `path`."""
        self._recording = Path(path).absolute()
        self._ask("record", path=str(self._recording))

    def stop_recording(self) -> Recording:
        if self._recording is None:
            raise StreamError("the rig is not recording; call record first")
        state, path, self._recording = self._ask("stop_recording"), self._recording, None
        cycles = path.with_suffix(".cycles")
        stamps = np.fromfile(cycles) + state["epoch_s"]
        cycles.unlink()
        return Recording(path, len(stamps) * JACK_PERIOD_FRAMES, state["dropped_frames"], state["play_frame"], stamps)

    def vanish(self) -> None:
        """The card is pulled out under whoever uses it."""
        self._ask("down")

    def reappear(self) -> None:
        """And plugged in again."""
        self._ask("up")

    def state(self) -> dict[str, Any]:
        """playing, play_frame, played_frames, recorded_frames."""
        return self._ask("state")

    def _ask(self, verb: str, **arguments: str) -> dict[str, Any]:
        with self._lock:
            child = self._child
            if child is None or child.stdin is None or child.stdout is None:
                raise StreamError("the rig is not running; start it first")
            try:
                child.stdin.write(json.dumps({"do": verb, **arguments}) + "\n")
                child.stdin.flush()
                line = child.stdout.readline()
            except BrokenPipeError:
                line = ""
        if not line:
            raise StreamError(f"the rig's client ended: {_last_line(self._folder / 'client.log')}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise getattr(errors, answer["kind"], DeviceError)(answer["error"])
        return answer


def may_be_realtime() -> bool:
    """Whether this process may have SCHED_FIFO: asked in a thread of its own, so that nothing stays changed."""
    allowed = []

    def ask() -> None:
        try:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
            allowed.append(True)
        except OSError:
            pass  # an answer, not a fault

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    return bool(allowed)


def _last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
    return lines[-1] if lines else "no message"
