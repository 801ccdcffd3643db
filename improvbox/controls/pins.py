"""Digital lines: the protocol that real and fake pins share, and what both build on.

Edges cross from the driver's thread to the panel's through an EdgeQueue, so that from the edge onward real and fake
pins take the same path.
"""

from __future__ import annotations

import math
import queue
from dataclasses import dataclass
from typing import Protocol

from improvbox.errors import DeviceError


@dataclass(frozen=True, slots=True)
class Edge:
    """A line changed. The level is read just after, so on a bouncing contact it may already be the next one."""

    bcm: int
    """Broadcom number"""
    level: bool
    """True: high"""
    t: float
    """s of CLOCK_MONOTONIC"""


class Pins(Protocol):
    """Inputs and outputs by Broadcom number. Every method but `wake` belongs to one thread; errors are DeviceError."""

    def start(self) -> None:
        """Opens the driver. Raises MissingDriverError or DeviceError."""

    def stop(self) -> None:
        """Gives every line back. May be called twice."""

    def setup_input(self, bcm: int, pull: str, owner: str) -> None:
        """Reserves a line, pull 'up', 'down' or 'none', and reports its edges from now on."""

    def setup_output(self, bcm: int, level: bool, owner: str) -> None:
        """Reserves a line and drives it."""

    def read(self, bcm: int) -> bool:
        """The level now, True: high."""
        ...

    def write(self, bcm: int, level: bool) -> None:
        """Drives a reserved output."""

    def wait(self, timeout_s: float) -> list[Edge]:
        """Blocks until an edge, `wake` or the timeout; the edges since the last call, oldest first."""
        ...

    def wake(self) -> None:
        """Ends a `wait` from another thread."""


class EdgeQueue:
    """Contract: any number of threads `put` and `wake`, one thread `take`s. `put` never blocks; when LIMIT edges wait,
    further ones are counted in `lost` and dropped: the panel reads every switch again ten times a second."""

    LIMIT = 1024  # a foot makes tens of edges a second; this many only come from a broken contact

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Edge | None] = queue.SimpleQueue()
        self.lost = 0
        self.woken = False  # the last `take` was ended by `wake`

    def put(self, edge: Edge) -> None:
        if self._queue.qsize() < self.LIMIT:
            self._queue.put(edge)
        else:
            self.lost += 1

    def wake(self) -> None:
        self._queue.put(None)

    def take(self, timeout_s: float) -> list[Edge]:
        """As Pins.wait."""
        edges: list[Edge] = []
        self.woken = False
        try:
            if timeout_s <= 0:
                item = self._queue.get_nowait()
            else:
                item = self._queue.get(timeout=None if math.isinf(timeout_s) else timeout_s)
            while True:
                if item is None:
                    self.woken = True
                else:
                    edges.append(item)
                item = self._queue.get_nowait()
        except queue.Empty:
            return edges


class Reservations:
    """Which line belongs to whom."""

    def __init__(self) -> None:
        self._owners: dict[int, tuple[str, bool]] = {}

    def take(self, bcm: int, owner: str, output: bool) -> None:
        """Raises DeviceError where the line is already taken."""
        if bcm in self._owners:
            holder = self._owners[bcm][0]
            raise DeviceError(f"pin BCM {bcm} for {owner} is already reserved for {holder}; give each its own")
        self._owners[bcm] = (owner, output)

    def check(self, bcm: int, output: bool) -> None:
        """Raises DeviceError unless the line is reserved in that direction."""
        if self._owners.get(bcm, ("", None))[1] is not output:
            raise DeviceError(f"pin BCM {bcm} is not set up as an {'output' if output else 'input'}")

    def drop(self, bcm: int) -> None:
        self._owners.pop(bcm, None)

    def outputs(self) -> list[int]:
        return [bcm for bcm, (_, output) in self._owners.items() if output]

    def all(self) -> list[int]:
        return list(self._owners)

    def clear(self) -> None:
        self._owners.clear()
