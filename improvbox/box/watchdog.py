"""Is the box alive? And telling systemd, so that it restarts a box that is not.

Alive means: frames advance (or the interface is known to be missing and looked for), hearing and band have fresh
heartbeats, the synth lives. Nothing here is called by a timer or an audio thread: the housekeeping thread reads the
signs of life, and only then says WATCHDOG=1.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

STALE_S = 2.0
"""a heartbeat or frame count older than this is no sign of life: forty times the longest stall of an idle machine"""


class Heartbeats:
    """When each thread last did a round of its work. Each name has one writer; `beat` is one store."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def beat(self, name: str, now: float) -> None:
        """`now`: s of CLOCK_MONOTONIC."""
        self._last[name] = now

    def stale(self, now: float) -> list[str]:
        """Names whose last beat is too old."""
        return [name for name, at in self._last.items() if now - at > STALE_S]


@dataclass(frozen=True, slots=True)
class Signs:
    """What the housekeeping thread saw."""

    frames: int
    """captured since the start, lost ones not counted"""
    waiting: str
    """why no frames can come (the interface is missing, and looked for); '' while it is there"""
    synth: str
    """what is wrong with the synth; '' nothing"""


class Watch:
    """Turns signs into a verdict. One thread."""

    def __init__(self, beats: Heartbeats) -> None:
        self._beats = beats
        self._frames = -1
        self._advanced: float | None = None

    def verdict(self, now: float, signs: Signs) -> str:
        """'' where all is well, else what is not, in words. `now`: s of CLOCK_MONOTONIC."""
        if signs.frames != self._frames or signs.waiting or self._advanced is None:
            self._frames, self._advanced = signs.frames, now
        wrong = [f"{name} does not answer" for name in self._beats.stale(now)]
        if now - self._advanced > STALE_S:
            wrong.append("no frames arrive")
        if signs.synth:
            wrong.append(signs.synth)
        return ", ".join(wrong)


class Notifier:
    """systemd's notification socket, written without ever waiting: a full queue loses the message, not the box.

    (libsystemd's sd_notify blocks where the receiver does not drain, so it is not used.)
    """

    def __init__(self, environment: dict[str, str] | None = None) -> None:
        env = os.environ if environment is None else environment
        self._address = env.get("NOTIFY_SOCKET", "")
        self._socket: socket.socket | None = None
        self.lost = 0
        """messages that the receiver did not take"""
        self.interval_s = _watchdog_interval(env)
        """s between WATCHDOG=1, half of what systemd allows; None: systemd does not watch"""
        self._pinged = float("-inf")

    def start(self) -> None:
        if self._address:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={status}")

    def status(self, text: str) -> None:
        self._send(f"STATUS={text}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def alive(self, now: float) -> None:
        """WATCHDOG=1, at most every `interval_s`; called with a good verdict only."""
        if self.interval_s is not None and now - self._pinged >= self.interval_s:
            self._pinged = now
            self._send("WATCHDOG=1")

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: str) -> None:
        if self._socket is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            self._socket.sendto(message.encode(), address)
        except OSError:
            self.lost += 1


def _watchdog_interval(env: os._Environ[str] | dict[str, str]) -> float | None:
    usec, pid = env.get("WATCHDOG_USEC", ""), env.get("WATCHDOG_PID", "")
    if not usec.isdigit() or int(usec) == 0 or (pid and pid != str(os.getpid())):
        return None
    return int(usec) / 2e6
