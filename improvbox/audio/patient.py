"""A source that outlives its interface: a missing one is waited for, a lost one is found again."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from improvbox.audio.source import RATE_HZ, Block, Source
from improvbox.clock import monotonic_s, sleep_s
from improvbox.errors import DeviceError, StreamError

RETRY_S = 0.5  # how often a missing interface is looked for
IDLE_S = 0.05  # how often time goes on without one


class PatientSource:
    """Wraps a live Source made by `make`. While there is none, `read` returns blocks without samples whose
    `lost_frames` move time on; frame numbers go on through every loss.

    One reader; `stop` from any thread.
    """

    rate_hz = RATE_HZ

    def __init__(self, make: Callable[[], Source]) -> None:
        self.source: Source | None = None
        """the one that plays now; None while waiting"""
        self.problem = ""
        """why we wait; '' while sound arrives"""
        self.losses = 0
        """times an interface that played went away"""
        self._make = make
        self._base = 0  # frame number of the inner source's frame 0
        self._next = 0
        self._seen_s = 0.0  # when frame _next was, on the monotonic clock
        self._retry_at = 0.0
        self._xruns = 0  # of interfaces that have gone
        self._stopping = False

    @property
    def xruns(self) -> int:
        """Of all interfaces so far."""
        return self._xruns + getattr(self.source, "xruns", 0)

    def start(self) -> None:
        """Raises nothing about devices: a missing interface at power-on is normal."""
        self._stopping = False
        self._base = self._next = 0
        self._open()
        self._seen_s = monotonic_s()

    def stop(self) -> None:
        self._stopping = True
        if self.source is not None:
            self.source.stop()

    def read(self) -> Block | None:
        if self._stopping:
            return None
        if self.source is None:
            return self._wait()
        try:
            block = self.source.read()
        except (DeviceError, StreamError) as error:
            self.losses += 1
            self._lose(str(error))
            return self._gap()
        if block is None:
            return None
        first = self._base + block.first_frame
        lost = max(0, first - self._next)
        self._next = first + len(block.samples)
        self._seen_s = block.captured_s if block.captured_s is not None else monotonic_s()
        return Block(block.samples, first, block.captured_s, lost)

    def _wait(self) -> Block | None:
        sleep_s(IDLE_S)
        if not self._stopping and monotonic_s() >= self._retry_at:
            self._open()
        return None if self._stopping else self._gap()

    def _gap(self) -> Block:
        """Time moves to now; an interface that was just opened begins here."""
        lost = max(0, round((monotonic_s() - self._seen_s) * RATE_HZ))
        self._next += lost
        self._seen_s += lost / RATE_HZ
        self._base = self._next
        return Block(np.zeros(0, np.float32), self._next, self._seen_s, lost)

    def _open(self) -> None:
        source = self._make()
        try:
            source.start()
        except (DeviceError, StreamError) as error:
            source.stop()
            self._lose(str(error))
            return
        self.source, self.problem = source, ""

    def _lose(self, problem: str) -> None:
        self.problem = problem
        self._retry_at = monotonic_s() + RETRY_S
        if self.source is not None:
            self._xruns = self.xruns
            self.source.stop()
            self.source = None
