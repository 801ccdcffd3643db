"""One thread of the box: real-time priority where allowed, a heartbeat, and a failure that does not go unnoticed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from improvbox.box import realtime
from improvbox.box.watchdog import Heartbeats
from improvbox.clock import monotonic_s

JOIN_S = 2.0  # a thread that has not ended by then is left behind: the process ends anyway


class Worker:
    """Calls `round_` again and again until `stop`. `round_` must come back within a fraction of a second."""

    def __init__(self, name: str, round_: Callable[[], None], beats: Heartbeats, priority: int | None = None) -> None:
        """priority: SCHED_FIFO to ask for; None: an ordinary thread."""
        self.name = name
        self.refused = ""
        """why it has no real-time priority; '' where it has, or asked for none"""
        self.failure = ""
        """the error that ended it"""
        self._round = round_
        self._beats = beats
        self._priority = priority
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._beats.beat(self.name, monotonic_s())
        self._thread.start()

    def stop(self) -> bool:
        """Asks it to end and waits. False: it did not within JOIN_S."""
        self._stopping.set()
        if self._thread.ident is not None and self._thread is not threading.current_thread():
            self._thread.join(JOIN_S)
        return not self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        return self._stopping.is_set()

    def _run(self) -> None:
        if self._priority is not None:
            self.refused = realtime.ask_fifo(self._priority)
        try:
            while not self._stopping.is_set():
                self._round()
                self._beats.beat(self.name, monotonic_s())
        except Exception as error:  # noqa: BLE001  # whatever it was, the box has to hear of it and end every note
            self.failure = f"{self.name} ended: {type(error).__name__}: {error}"
