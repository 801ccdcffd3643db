"""The rig's other half, a process of its own: runs the dummy sound server, plays a guitar into it, records both ends.

Started by `rig.py` as `python -m improvbox.audio.rig_client`. One JSON object a line comes in on stdin, one answer a
line goes out on stdout. When stdin closes (the parent ended, however it ended) the server is stopped and the process
exits, so nothing is left over.

One JACK client `rig` both feeds and records, in one callback: the guitar's sample n and the synth's sample n of the
same server cycle are written as one frame, which makes them aligned by construction.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np

from improvbox.audio.rig_server import JACK_PERIOD_FRAMES, Server
from improvbox.audio.ring import Ring
from improvbox.audio.source import RATE_HZ
from improvbox.clock import Stopwatch, monotonic_s, sleep_s
from improvbox.errors import DeviceError, ImprovBoxError, MissingDriverError

SERVER_PATIENCE_S = 10.0  # a loaded machine takes a second or two
CLIENT_PRIORITY = 10  # over every ordinary program, under everything that is measured
CHANNELS = 3  # guitar, synth left, synth right
RING_S = 5.0  # sound kept while the disk is busy


class Client:
    """The JACK client. `_process` runs in the server's real-time thread: no waiting, no files, no growing memory."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._jack: Any = None
        self._ports: list[Any] = []
        self._monitors: list[Any] = []
        self._take = np.zeros(0, np.float32)
        self._at = 0
        self._playing = False
        self._play_frame: int | None = None  # frame of the recording at which the take's sample 0 went out
        self._ring = Ring(round(RING_S * RATE_HZ), CHANNELS)
        self._cycles = Ring(round(RING_S * RATE_HZ) // JACK_PERIOD_FRAMES, 2)
        self._frame = np.zeros((JACK_PERIOD_FRAMES, CHANNELS), np.float32)
        self._stamp = np.zeros(2, np.float32)
        self._recording = False
        self._frames = 0  # recorded since record
        self._epoch = 0.0

    def connect(self) -> None:
        """Raises DeviceError where the server does not answer in time."""
        try:
            import jack
        except (ImportError, OSError) as error:  # OSError: libjack is absent
            raise MissingDriverError(f"JACK-Client is not installed ({error}); pip install JACK-Client") from None
        jack.set_error_function(lambda _: None)
        jack.set_info_function(lambda _: None)
        watch = Stopwatch()
        while self._jack is None:
            try:
                self._jack = jack.Client("rig", use_exact_name=True, no_start_server=True, servername=self._server.name)
            except jack.JackError as error:
                self._server.check()
                if watch.elapsed_s() > SERVER_PATIENCE_S:
                    raise DeviceError(f"jackd does not answer within {SERVER_PATIENCE_S:.0f} s: {error}") from None
                sleep_s(0.05)
        self._ports = [
            self._jack.outports.register("guitar"),
            self._jack.inports.register("synth_1"),
            self._jack.inports.register("synth_2"),
        ]
        self._monitors = [self._jack.outports.register(f"monitor_{side}") for side in (1, 2)]
        self._jack.set_process_callback(self._process)
        self._jack.activate()
        for side, monitor in enumerate(self._monitors, 1):
            self._jack.connect(monitor, f"system:playback_{side}")

    def close(self) -> None:
        if self._jack is not None:
            self._jack.deactivate()
            self._jack.close()
            self._jack = None

    def play(self, take: np.ndarray) -> None:
        self._playing = False
        self._take = np.concatenate((take, np.zeros(-len(take) % JACK_PERIOD_FRAMES, np.float32)))
        self._at, self._play_frame = 0, None
        self._playing = True

    def record(self) -> tuple[Ring, Ring]:
        self._recording = False
        self._ring = Ring(self._ring.capacity_frames, CHANNELS)
        self._cycles = Ring(self._cycles.capacity_frames, 2)
        self._frames, self._epoch = 0, monotonic_s()
        self._recording = True
        return self._ring, self._cycles

    def stop_recording(self) -> None:
        self._recording = False

    def state(self) -> dict[str, Any]:
        return {
            "playing": self._playing,
            "play_frame": self._play_frame,
            "played_frames": self._at,
            "recorded_frames": self._frames,
            "epoch_s": self._epoch,
        }

    def _process(self, frames: int) -> None:
        now = monotonic_s()
        guitar = self._ports[0].get_array()
        if self._playing and frames == JACK_PERIOD_FRAMES:
            if self._play_frame is None:
                self._play_frame = self._frames
            guitar[:] = self._take[self._at : self._at + frames]
            self._at += frames
            self._playing = self._at < len(self._take)
        else:
            guitar[:] = 0
        for side, monitor in enumerate(self._monitors, 1):  # what a card plays: guitar and band; the dummy drops it
            np.add(guitar, self._ports[side].get_array(), out=monitor.get_array())
        if self._recording:
            self._frame[:, 0] = guitar
            self._frame[:, 1] = self._ports[1].get_array()
            self._frame[:, 2] = self._ports[2].get_array()
            self._ring.write(self._frame)
            # float32 seconds since the epoch would lose microseconds within minutes: whole seconds and the rest.
            since = now - self._epoch
            self._stamp[:] = since // 1, since % 1
            self._cycles.write(self._stamp)
            self._frames += frames


class Recorder(threading.Thread):
    """Moves the rings to disk: PATH (3 channels, float WAV) and PATH.cycles (float64 seconds, one a server cycle)."""

    def __init__(self, path: Path, ring: Ring, cycles: Ring) -> None:
        super().__init__(name="rig-recorder", daemon=True)
        self.problem = ""
        self._path, self._ring, self._cycles = path, ring, cycles
        self._end = threading.Event()

    def run(self) -> None:
        import soundfile

        try:
            with (
                soundfile.SoundFile(str(self._path), "w", RATE_HZ, CHANNELS, "FLOAT") as wav,
                self._path.with_suffix(".cycles").open("wb") as cycles,
            ):
                while not self._end.wait(0.1):
                    self._drain(wav, cycles)
                self._drain(wav, cycles)
        except (OSError, RuntimeError) as error:
            self.problem = str(error)

    def finish(self) -> int:
        """Frames that the disk was too slow for."""
        self._end.set()
        self.join()
        return self._ring.dropped_frames

    def _drain(self, wav: Any, cycles: Any) -> None:
        frames, _ = self._ring.read(self._ring.capacity_frames)
        if len(frames):
            wav.write(frames)
        stamps, _ = self._cycles.read(self._cycles.capacity_frames)
        cycles.write(stamps.astype(np.float64).sum(axis=1).tobytes())


class Desk:
    """Answers the parent's requests; each public method is one."""

    def __init__(self, server: Server) -> None:
        self._server, self._client = server, Client(server)
        self._recorder: Recorder | None = None

    def up(self) -> dict[str, Any]:
        self._server.start()
        self._client.connect()
        return {}

    def down(self) -> dict[str, Any]:
        """The interface is pulled out: the server ends under whoever uses it."""
        self._server.stop()
        try:
            self._client.close()
        finally:
            self._client = Client(self._server)
        return {}

    def play(self, path: str) -> dict[str, Any]:
        self._client.play(np.fromfile(path, np.float32))
        return {}

    def record(self, path: str) -> dict[str, Any]:
        self._recorder = Recorder(Path(path), *self._client.record())
        self._recorder.start()
        return {}

    def stop_recording(self) -> dict[str, Any]:
        state = self._client.state()
        self._client.stop_recording()
        if self._recorder is None:
            raise DeviceError("the rig is not recording; call record first")
        state["dropped_frames"] = self._recorder.finish()
        if self._recorder.problem:
            raise DeviceError(f"the rig's recording broke: {self._recorder.problem}")
        return state

    def state(self) -> dict[str, Any]:
        self._server.check()
        return self._client.state()

    def close(self) -> None:
        self._client.stop_recording()
        if self._recorder is not None:
            self._recorder.finish()
        self._client.close()
        self._server.stop()


REQUESTS = ("up", "down", "play", "record", "stop_recording", "state")


def main() -> int:
    name, realtime, log, card = sys.argv[1:5]
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes stdin
    sys.setswitchinterval(2e-4)  # the callback must not wait 5 ms for this process's other threads
    if realtime == "realtime":
        # All threads, before they are made: the callback waits for whoever holds the interpreter, and an ordinary
        # thread that holds it may be put aside by any other program for tens of milliseconds.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(CLIENT_PRIORITY))
    desk = Desk(Server(name, realtime == "realtime", Path(log), card))
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for line in sys.stdin:
            request = json.loads(line)
            verb = request.pop("do")
            try:
                if verb not in REQUESTS:
                    raise DeviceError(f"the rig cannot {verb!r}; it can {', '.join(REQUESTS)}")
                answer = getattr(desk, verb)(**request)
            except ImprovBoxError as error:
                answer = {"error": str(error), "kind": type(error).__name__}
            print(json.dumps(answer), flush=True)
    finally:
        desk.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
