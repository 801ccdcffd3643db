"""The only module that reads a clock.

Audio time `t` is seconds since the stream began (frames / rate). Live, it is mapped to CLOCK_MONOTONIC by
`StreamClock`; offline, `VirtualClock` runs as fast as the machine can.
"""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """Anything that tells audio time in seconds."""

    def now(self) -> float: ...


def monotonic_s() -> float:
    """Seconds of CLOCK_MONOTONIC."""
    return time.monotonic()


def wall_time() -> str:
    """Local date and time for file names and logs, e.g. '2026-03-01T20-15-07'. Never used for scheduling."""
    return time.strftime("%Y-%m-%dT%H-%M-%S")


def sleep_s(seconds: float) -> None:
    """Blocks the calling thread. Only for pacing against an absolute deadline that the caller recomputes."""
    if seconds > 0:
        time.sleep(seconds)


class Stopwatch:
    """Elapsed seconds of wall time since construction or `restart`."""

    __slots__ = ("_start",)

    def __init__(self) -> None:
        self._start = time.perf_counter()

    def restart(self) -> None:
        self._start = time.perf_counter()

    def elapsed_s(self) -> float:
        return time.perf_counter() - self._start


class CpuStopwatch:
    """Elapsed seconds of CPU of the calling thread: what work costs, whoever else uses the machine meanwhile."""

    __slots__ = ("_start",)

    def __init__(self) -> None:
        self._start = time.thread_time()

    def elapsed_s(self) -> float:
        return time.thread_time() - self._start


class VirtualClock:
    """Audio time that moves only when told to."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        return self._now

    def advance_to(self, t: float) -> None:
        """Moves to `t` (s). Time never runs backwards: raises ValueError."""
        if t < self._now:
            raise ValueError(f"virtual time runs forward only: now {self._now:.6f} s, asked for {t:.6f} s")
        self._now = t


class StreamClock:
    """Audio time of a live stream, extrapolated between periods.

    Contract: one writer (the capture thread, `observe` after each period), any number of readers (`now`).
    A wake-up is never early, only late, so the earliest observation is the best one: the offset follows the
    minimum at once and rises by at most `DRIFT` to follow a slow converter.
    """

    DRIFT = 2e-4  # s per s: twice the worst crystal pair (100 ppm); a stall of 50 ms moves it 10 us

    def __init__(self, rate_hz: int = 48000) -> None:
        self._rate = rate_hz
        self._lock = threading.Lock()
        self._offset: float | None = None  # monotonic time of frame 0
        self._seen = 0.0

    def observe(self, frames: int, monotonic: float) -> None:
        """`frames` were captured when the monotonic clock read `monotonic` (s)."""
        offset = monotonic - frames / self._rate
        with self._lock:
            if self._offset is None:
                self._offset = offset
            else:
                rise = self.DRIFT * max(0.0, monotonic - self._seen)
                self._offset = min(self._offset + rise, offset)
            self._seen = monotonic

    def skip(self, frames: int, monotonic: float) -> None:
        """The stream was interrupted: frame `frames` is now, whatever went before."""
        with self._lock:
            self._offset = monotonic - frames / self._rate
            self._seen = monotonic

    @property
    def started(self) -> bool:
        return self._offset is not None

    def now(self) -> float:
        """Audio time in s; 0.0 before the first period."""
        with self._lock:
            return 0.0 if self._offset is None else time.monotonic() - self._offset

    def to_monotonic(self, t: float) -> float:
        """The CLOCK_MONOTONIC second at which audio time `t` happens."""
        with self._lock:
            if self._offset is None:
                raise ValueError("the stream has not started: no frame was observed yet")
            return t + self._offset
