"""What comes in for one thread of the box.

Contract: `give` from any thread, never blocks; `take` by the owner only. When LIMIT things wait, nobody takes them any
more: further ones are dropped and counted, so that memory is bounded.
"""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from improvbox.clock import monotonic_s

LIMIT = 4096

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Given(Generic[T]):
    """Something on its way."""

    thing: T
    at_s: float
    """s of CLOCK_MONOTONIC, when it was given"""


class Inbox(Generic[T]):
    """A queue with a limit."""

    def __init__(self) -> None:
        self.dropped = 0
        self._queue: queue.SimpleQueue[Given[T]] = queue.SimpleQueue()

    def give(self, thing: T) -> None:
        if self._queue.qsize() < LIMIT:
            self._queue.put(Given(thing, monotonic_s()))
        else:
            self.dropped += 1

    def take(self, timeout_s: float) -> Iterator[Given[T]]:
        """All that waits, oldest first; the first is waited for up to `timeout_s`."""
        try:
            given = self._queue.get(timeout=timeout_s) if timeout_s > 0 else self._queue.get_nowait()
            while True:
                yield given
                given = self._queue.get_nowait()
        except queue.Empty:
            return
