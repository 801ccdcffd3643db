"""The guitar's interface through ALSA, with no sound server between.

Real-time contract of `AlsaSource.read`: called by one thread; waits in poll
for at most one stall limit; allocates one period; never sleeps; an xrun is counted, repaired and reported as
`lost_frames` of the next block, so that audio time stays true.
"""

from __future__ import annotations

import collections
import errno
import select
import threading
from pathlib import Path
from typing import Any

import numpy as np

from improvbox.audio import finder
from improvbox.audio.alsa_device import driver, open_capture, words_of
from improvbox.audio.pcm_format import FORMATS
from improvbox.audio.source import RATE_HZ, Block
from improvbox.clock import monotonic_s
from improvbox.config import AudioSettings
from improvbox.errors import DeviceError, StreamError

STALL_S = 0.25  # no frames for so long: capture is restarted. Five times the longest stall seen on an idle machine
MAX_RESTARTS = 3  # in a row without a frame: the stream is given up
POLL_MS = 50  # how soon `stop` from another thread is noticed
ANCHORS = 256  # periods whose wake-ups place the stream in time: 0.34 s at 64 frames


class AlsaSource:
    """Mono float32 from one input channel of a card. Settings: `[audio]` of the settings file."""

    rate_hz = RATE_HZ

    def __init__(self, settings: AudioSettings, proc: Path = finder.PROC, formats: tuple[str, ...] = ()) -> None:
        self.settings = settings
        self.name = settings.pcm
        """ALSA name, known after start"""
        self.format = ""
        """ALSA sample format, known after start"""
        self.channels = 0
        self.period_frames = settings.period_frames
        self.xruns = 0
        """times the buffer overflowed (EPIPE)"""
        self.restarts = 0
        """times capture was started anew because no frames came"""
        self.lost_frames = 0
        self.frames = 0
        """frames delivered since start"""
        self._proc = proc
        self._formats = formats or tuple(FORMATS)
        self._pcm: Any = None
        self._poll: Any = None
        self._next = 0
        self._anchors: collections.deque[float] = collections.deque(maxlen=ANCHORS)
        self._lock = threading.Lock()
        self._stopping = False
        self._reading = False  # the first read has been

    def start(self) -> None:
        """Opens and starts capture. Raises DeviceError naming the device, what is wrong and what is here."""
        settings = self.settings
        self.stop()
        name = settings.pcm
        if not name:
            card = finder.capture_card(settings.card, self._proc)
            name = f"hw:CARD={card.id},DEV={card.capture[0]}"
        device = open_capture(name, settings, self._formats, self._proc)
        self._pcm, self.name, self.format = device.pcm, device.name, device.format
        self.channels, self.period_frames = device.channels, device.period_frames
        self._poll = select.poll()
        for fd, events in self._pcm.polldescriptors():
            self._poll.register(fd, events)
        self._stopping = self._reading = False
        self._next = self.frames = 0
        self._anchors.clear()
        self._go()  # so that a device that opens but does not run is found here

    def stop(self) -> None:
        """From any thread; a `read` in flight then returns None within POLL_MS."""
        self._stopping = True
        with self._lock:
            if self._pcm is not None:
                self._pcm.close()
                self._pcm = None

    def read(self) -> Block | None:
        """The next period (or what there is of it). Raises DeviceError where the device has gone, StreamError where
        no frame comes in spite of MAX_RESTARTS restarts."""
        lost, tries, waiting_since = 0, 0, monotonic_s()
        while not self._stopping:
            with self._lock:
                if self._pcm is None:
                    break
                if not self._reading:  # what the buffer held, or lost, before anybody listened is not the stream's
                    self._reading = True
                    self._go()
                    waiting_since = monotonic_s()
                frames, data = self._take()
                if frames > 0:
                    return self._block(data, lost)
                if frames == -errno.EPIPE:
                    self.xruns += 1
                elif monotonic_s() - waiting_since < STALL_S:
                    continue
                else:
                    tries += 1
                    self.restarts += 1
                    if tries > MAX_RESTARTS:
                        raise StreamError(
                            f"{self.name}: no sound arrives, {MAX_RESTARTS} restarts did not help; check the interface"
                        )
                self._go()
                waiting_since = monotonic_s()
                lost = max(0, self._place(waiting_since) - self._next)
        if not self._stopping:
            raise StreamError("the capture stream was read before it was started")
        return None

    def _take(self) -> tuple[int, bytes]:
        """(frames or a negative errno, data) after waiting for at most POLL_MS."""
        try:
            events = self._poll.poll(POLL_MS)
            # The plugin layer empties its wake-up pipe here; without it, poll would spin.
            if not events or not self._pcm.polldescriptors_revents(events):
                return 0, b""
            return self._pcm.read()
        except driver().ALSAAudioError as error:
            raise DeviceError(f"{self.name} has gone: {words_of(error)}; plug it in again") from None

    def _go(self) -> None:
        """Starts capture explicitly. A stream left PREPARED gives no error and no sound, and poll never wakes."""
        alsa = driver()
        try:
            if self._pcm.state() in (alsa.PCM_STATE_RUNNING, alsa.PCM_STATE_XRUN):
                self._pcm.drop()  # runs and nothing comes, or holds what is too old
            self._pcm.read()  # non-blocking: prepares where dropped, starts, and returns what there is (nothing yet)
            state = self._pcm.state()
        except alsa.ALSAAudioError as error:
            raise DeviceError(f"{self.name} does not start: {words_of(error)}; plug it in again") from None
        if state not in (alsa.PCM_STATE_RUNNING, alsa.PCM_STATE_XRUN):  # an xrun this early is met by the next read
            raise StreamError(f"{self.name}: capture does not start (state {state}); try audio.period_frames = 128")

    def _place(self, now: float) -> int:
        """The frame that is captured at `now`, from the earliest of the latest wake-ups: one is never early."""
        return round((now - min(self._anchors)) * RATE_HZ) if self._anchors else self._next

    def _block(self, data: bytes, lost: int) -> Block:
        captured = monotonic_s()
        channel = self.settings.channel - 1
        samples: np.ndarray = FORMATS[self.format].decode(data, self.channels, channel)
        block = Block(samples, self._next + lost, captured, lost)
        self._next = block.end_frame
        self.frames += len(samples)
        self.lost_frames += lost
        self._anchors.append(captured - self._next / RATE_HZ)
        return block
