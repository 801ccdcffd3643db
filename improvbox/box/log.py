"""The box's own log: to the journal with fields under systemd, else to stderr. Never waited for by a playing thread."""

from __future__ import annotations

import logging
import logging.handlers
import os
import queue
import sys
from collections.abc import Mapping

ROOT = "improvbox"
QUEUE_LIMIT = 1000  # lines that wait for a slow journal; further ones are lost


class _Quiet(logging.handlers.QueueHandler):
    """A full queue loses the line and says nothing: the journal is slow, and the band plays."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing: see above."""


class _Plain(logging.Formatter):
    """One line a record; on a terminal it takes the place of the status line, which is written anew below it."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._start = "\r\x1b[K" if terminal else ""

    def format(self, record: logging.LogRecord) -> str:
        return f"{self._start}improvbox: {' '.join(record.getMessage().split())}"


class Log:
    """Sends `logging`'s records of the project through a queue to a thread that may wait."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment
        self._listener: logging.handlers.QueueListener | None = None
        self._handler: logging.Handler | None = None

    def start(self) -> None:
        lines: queue.Queue[logging.LogRecord] = queue.Queue(QUEUE_LIMIT)
        self._listener = logging.handlers.QueueListener(lines, self._target())
        self._handler = _Quiet(lines)
        root = logging.getLogger(ROOT)
        root.addHandler(self._handler)
        root.setLevel(logging.INFO)
        root.propagate = False
        self._listener.start()

    def stop(self) -> None:
        """Everything said so far is written."""
        if self._listener is None or self._handler is None:
            return
        logging.getLogger(ROOT).removeHandler(self._handler)
        logging.getLogger(ROOT).propagate = True
        self._listener.stop()
        self._listener = self._handler = None

    def _target(self) -> logging.Handler:
        if "JOURNAL_STREAM" in self._environment:
            try:
                from systemd.journal import JournalHandler

                handler: logging.Handler = JournalHandler(SYSLOG_IDENTIFIER="improvbox")
                return handler
            except ImportError:
                pass  # stderr is the journal all the same, without fields
        stderr = logging.StreamHandler()
        stderr.setFormatter(_Plain(sys.stderr.isatty()))
        return stderr
