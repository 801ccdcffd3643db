"""A log that a fault cannot flood: one line at a time, then silence for a while, then how many were held back."""

from __future__ import annotations

import logging


class QuietLog:
    """Contract: one thread. `log` never blocks longer than the handler does, and that at most once every `every_s`."""

    def __init__(self, logger: logging.Logger, every_s: float = 5.0) -> None:
        self._logger = logger
        self._every_s = every_s
        self._next: float | None = None
        self._held = 0

    def open(self, t: float) -> bool:
        """Whether a warning at `t` (s) would be written out."""
        return self._next is None or t >= self._next

    def warn(self, t: float, message: str, *args: object) -> None:
        """A warning at `t` (s), written out or counted."""
        if not self.open(t):
            self._held += 1
            return
        more = f" (and {self._held} more like it)" if self._held else ""
        self._next, self._held = t + self._every_s, 0
        self._logger.warning(message + more, *args)
