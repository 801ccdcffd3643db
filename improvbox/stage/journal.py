"""Lines that reach the disk while others play: a queue, a thread of its own, and a full disk that hurts nobody."""

from __future__ import annotations

import errno
import logging
import os
import queue
import threading
from collections.abc import Callable
from pathlib import Path

SYNC_S = 5.0  # how much a power cut may cost; a crash of the process costs nothing
QUEUE_LIMIT = 20_000  # lines that wait for a slow card: an hour of a busy session; then lines are lost and counted
CLOSE_S = 10.0  # a card that has not written by then is left alone

log = logging.getLogger(__name__)


class Journal:
    """Appends lines to files of one folder. `put` from any thread never waits; the writing thread stops at the first
    fault, says so once, and everything after it is lost and counted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problem = ""
        """'' while all is well, else what is wrong"""
        self.lost = 0
        """lines that were not written"""
        self._queue: queue.Queue[tuple[str, str] | None] = queue.Queue(QUEUE_LIMIT)
        self._files: dict[str, int] = {}
        self._sizes: dict[str, int] = {}
        self._thread: threading.Thread | None = None
        self._last: Callable[[], None] | None = None

    def start(self) -> None:
        """Begins to write. A folder that cannot be made is a problem on record, not an error: the music does not depend
        on it."""
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def put(self, file: str, line: str) -> None:
        """One line for `file`, without its newline."""
        try:
            self._queue.put_nowait((file, line + "\n"))
        except queue.Full:
            self.lost += 1

    def close(self, last: Callable[[], None] | None = None) -> None:
        """Writes what waits, then calls `last` in the writing thread (unless something is wrong). Waits for CLOSE_S."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._last = last
        try:
            self._queue.put(None, timeout=CLOSE_S)
        except queue.Full:
            return
        thread.join(CLOSE_S)

    def _run(self) -> None:
        self._guarded(lambda: self.folder.mkdir(parents=True, exist_ok=True))
        while True:
            try:
                item = self._queue.get(timeout=SYNC_S)
            except queue.Empty:
                self._guarded(self._sync)
                continue
            if item is None:
                break
            self._guarded(self._write, *item, lines=1)
        self._guarded(self._sync)
        if self._last is not None:
            self._guarded(self._last)
        for handle in self._files.values():
            os.close(handle)
        self._files = {}

    def _guarded(self, work: Callable[..., None], *arguments: str, lines: int = 0) -> None:
        """Does `work` unless something is wrong already; `lines` are lost then."""
        if self.problem:
            self.lost += lines
            return
        try:
            work(*arguments)
        except OSError as error:
            self.lost += lines
            full = "; free some space" if error.errno == errno.ENOSPC else ""
            self.problem = f"{self.folder}: {error.strerror or error}{full}; recording stopped, playing goes on"
            log.warning("%s", self.problem)

    def _write(self, file: str, line: str) -> None:
        if file not in self._files:
            handle = os.open(self.folder / file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            self._files[file], self._sizes[file] = handle, os.fstat(handle).st_size
        handle, data = self._files[file], line.encode()
        try:
            while data:
                data = data[os.write(handle, data) :]
        except OSError:
            os.ftruncate(handle, self._sizes[file])  # no half line is left behind
            raise
        self._sizes[file] += len(line.encode())

    def _sync(self) -> None:
        for handle in self._files.values():
            os.fdatasync(handle)
