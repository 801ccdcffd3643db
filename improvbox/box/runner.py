"""What `improvbox run` does: builds the box, keeps house, and stops it in good order whatever happens."""

from __future__ import annotations

import dataclasses
import logging
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from improvbox.box import glance, realtime, status
from improvbox.box.build import Assembled, assemble
from improvbox.box.folders import data_folder
from improvbox.box.housekeeper import LOOK_S, Housekeeper
from improvbox.box.log import Log
from improvbox.box.notelog import NoteLog
from improvbox.box.watchdog import Notifier, Watch
from improvbox.clock import monotonic_s
from improvbox.config import Settings
from improvbox.errors import StreamError

SHOW_S = 0.125  # between two writings of the status line

logger = logging.getLogger(__name__)


Companion = Callable[[Assembled, threading.Event], None]
"""runs in a thread of its own beside the box, from when it plays; setting the event ends the evening"""


def run(
    settings: Settings,
    seconds: float | None,
    moves: Sequence[str] = (),
    *,
    log: NoteLog | None = None,
    companion: Companion | None = None,
) -> dict[str, Any]:
    """Plays until SIGTERM, SIGINT, the companion's word, or `seconds` have passed; returns a summary.

    moves: feet and hands on fake pins. log: keeps every note and command, beside the record on disk.
    Raises what building raises; StreamError where a playing thread ended by a fault. Every note is ended either way.
    """
    realtime.calm_interpreter()
    lines, notifier = Log(), Notifier()
    lines.start()
    notifier.start()
    try:
        with _asked_to_stop() as asked:
            notices = _take_rights() if settings.box.realtime else []
            assembled = assemble(settings, data_folder(settings.box), moves, [log] if log is not None else [])
            assembled.box.notices += notices
            return _Evening(settings, assembled, notifier, asked).play(seconds, companion)
    finally:
        notifier.stopping()
        notifier.close()
        lines.stop()


def _take_rights() -> list[str]:
    """Before any thread is made, for they inherit; what was not given, in plain words."""
    return [n for n in (realtime.ask_fifo(realtime.HOUSE_PRIORITY), realtime.lock_memory()) if n]


@contextmanager
def _asked_to_stop() -> Iterator[threading.Event]:
    """An event that SIGTERM and SIGINT set. The handlers only set it: all the rest happens in order, later."""
    asked = threading.Event()

    def handle(number: int, frame: FrameType | None) -> None:
        asked.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Evening:
    """One run from the first sound to the last."""

    def __init__(self, settings: Settings, assembled: Assembled, notifier: Notifier, asked: threading.Event) -> None:
        self._assembled = assembled
        self._box = assembled.box
        self._notifier = notifier
        self._asked = asked
        self._data = data_folder(settings.box)
        self._watch = Watch(self._box.beats)
        self._keeper = Housekeeper(self._box, self._box.budget, assembled.ladder, self._watch, notifier)
        self._status_place = status.place(self._data)
        self._terminal = sys.stderr.isatty()

    def play(self, seconds: float | None, companion: Companion | None) -> dict[str, Any]:
        box, controls = self._box, self._assembled.controls
        try:
            controls.start()
            controls.show("starting")
            if self._assembled.recorder is not None:
                self._assembled.recorder.start()
            realtime.freeze()  # before sound flows: a collection stops every thread for tens of milliseconds
            box.start()
            box.apply(self._assembled.ladder.active)
            self._notifier.ready("playing")
            logger.info("playing; seed %d%s", self._assembled.seed, "".join(f"; {n}" for n in box.notices))
            if companion is not None:
                threading.Thread(
                    target=companion, args=(self._assembled, self._asked), name="companion", daemon=True
                ).start()
            self._keep_house(seconds)
        finally:
            controls.stop()
            in_order = box.stop()
            if self._status_place is not None:
                status.remove(self._status_place)
            if self._terminal:
                sys.stderr.write("\n")
        if box.failure:
            raise StreamError(box.failure)
        if not in_order:
            raise StreamError("a thread did not end when asked; every note was ended all the same")
        return self._summary()

    def _keep_house(self, seconds: float | None) -> None:
        start = monotonic_s()
        look_at = show_at = start
        while not self._asked.is_set() and not self._box.failure:
            now = monotonic_s()
            if seconds is not None and now - start >= seconds:
                break
            if now >= look_at:
                self._keeper.look(now)
                self._look_out()
                look_at = now + LOOK_S
            if self._terminal and now >= show_at:
                self._show()
                show_at = now + SHOW_S
            end = start + seconds if seconds is not None else float("inf")
            self._asked.wait(max(0.0, min(look_at, end, show_at if self._terminal else look_at) - monotonic_s()))
        self._keeper.read()

    def _look_out(self) -> None:
        """LED and status file."""
        health = self._keeper.health
        if health is None:
            return
        table = self._table()
        state = "waiting" if table["waiting"] else "playing" if health.ladder == "full" else "degraded"
        self._assembled.controls.show("fault" if self._keeper.verdict else state)
        if self._status_place is not None:
            status.write(self._status_place, table)

    def _table(self) -> dict[str, Any]:
        assert self._keeper.health is not None
        return self._box.status(self._keeper.health) | {
            "verdict": self._keeper.verdict,
            "footswitches": self._assembled.controls.problem or "ok",
            "osc": self._assembled.controls.osc.counts,
            "recording": self._recording(),
            "seed": self._assembled.seed,
        }

    def _recording(self) -> dict[str, Any]:
        recorder = self._assembled.recorder
        if recorder is None:
            return {"folder": None, "problem": "", "notes": 0, "lost": 0}
        problem, lost = recorder.problem, recorder.lost
        return {"folder": recorder.folder, "problem": problem, "notes": recorder.notes, "lost": lost}

    def _show(self) -> None:
        if self._keeper.health is not None:
            table = self._table() | {"health": dataclasses.asdict(self._keeper.health)}
            sys.stderr.write(f"\r\x1b[K{glance.line(table, shutil.get_terminal_size().columns - 1)}")
            sys.stderr.flush()

    def _summary(self) -> dict[str, Any]:
        return self._table() | {"seconds": round(self._box.audio_now(), 3), "hanging": self._box.glance.hanging}


def words(summary: dict[str, Any]) -> str:
    """The summary for people: what was played, what was lost, how long each stage took."""
    health = summary["health"]
    played = ", ".join(f"{part} {count}" for part, count in summary["notes"].items()) or "nothing"
    lines = [
        f"{summary['seconds']:.1f} s: {played}",
        f"xruns {health.xruns}, notes left sounding {summary['hanging']}, ladder: {health.ladder}",
        f"recorded: {summary['recording']['folder'] or 'nothing'}{' ' + summary['recording']['problem']}".rstrip(),
        f"{'stage':9} {'p50':>8} {'p99':>8} {'max':>8} {'budget':>8}  ms",
    ]
    for row in health.stages:
        cells = ("-" if v is None else f"{v:.2f}" for v in (row.p50_ms, row.p99_ms, row.max_ms, row.budget_ms))
        lines.append(f"{row.stage:9} " + " ".join(f"{cell:>8}" for cell in cells))
    return "\n".join(lines)
