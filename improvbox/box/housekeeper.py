"""Looks after the box while it plays: health, ladder, watchdog, status file, LEDs. The main thread's work.

Nothing here is in the path of a note: it reads what the playing threads have left, and asks them for changes.
"""

from __future__ import annotations

import logging
from typing import Protocol

from improvbox.box import ladder as ladders
from improvbox.box.budget import Budget
from improvbox.box.ladder import Ladder
from improvbox.box.watchdog import Notifier, Signs, Watch
from improvbox.events import Health

LOOK_S = 0.25
LADDER_S = 0.5
TELL_S = 1.0

log = logging.getLogger(__name__)


class Boxed(Protocol):
    """What the housekeeper may ask of the box; `live.LiveBox` is the real one."""

    def signs(self) -> Signs: ...
    def frames(self) -> int: ...
    def audio_now(self) -> float: ...
    def xruns(self) -> int: ...
    def troubles(self) -> dict[str, int]: ...
    def hearing_mode(self) -> str: ...
    def apply(self, steps: tuple[str, ...]) -> None: ...
    def tell(self, health: Health) -> None: ...


class Housekeeper:
    """`look` every LOOK_S or so; it decides itself what is due."""

    def __init__(self, box: Boxed, budget: Budget, ladder: Ladder, watch: Watch, notifier: Notifier) -> None:
        self.verdict = ""
        """'' while the box is alive, else what is wrong"""
        self.health: Health | None = None
        """the last reading"""
        self._box = box
        self._budget = budget
        self._ladder = ladder
        self._watch = watch
        self._notifier = notifier
        self._ladder_at = self._tell_at = float("-inf")
        self._troubles: dict[str, int] = {}
        self._said = ""

    def look(self, now: float) -> None:
        """`now`: s of CLOCK_MONOTONIC."""
        signs = self._box.signs()
        self.verdict = self._watch.verdict(now, signs)
        if not self.verdict:
            self._notifier.alive(now)
        self._say(f"not alive: {self.verdict}" if self.verdict else signs.waiting)
        if now >= self._ladder_at:
            self._ladder_at = now + LADDER_S
            self._climb(now)
        if now >= self._tell_at:
            self._tell_at = now + TELL_S
            self._tell(signs)

    def _climb(self, now: float) -> None:
        loads = self._budget.loads()
        for stage, count in self._box.troubles().items():
            if count > self._troubles.get(stage, count):  # it lost something: whatever the mean, it did not keep up
                loads[stage] = max(loads.get(stage) or 0.0, 2.0)
            self._troubles[stage] = count
        changes = self._ladder.update(now, loads)
        for change in changes:
            log.warning("%s %r: %s", "ladder: down to" if change.entered else "ladder: left", change.step, change.cause)
        if changes:
            self._box.apply(self._ladder.active)

    def _tell(self, signs: Signs) -> None:
        self.read()
        self._notifier.status(self.verdict or signs.waiting or f"playing, {self.summary()}")

    def read(self) -> Health:
        """A fresh reading, told to the box as well."""
        self.health = Health(
            t=self._box.audio_now(),
            frames=self._box.frames(),
            xruns=self._box.xruns(),
            hearing=self._box.hearing_mode(),
            ladder=self._ladder.name,
            cause=self._ladder.cause,
            stages=self._budget.stats(),
            alive=not self.verdict,
        )
        self._box.tell(self.health)
        return self.health

    def summary(self) -> str:
        """A few words for systemd and the log."""
        health = self.health
        if health is None:
            return "starting"
        step = "" if health.ladder == ladders.TOP else f", {health.ladder} ({health.cause})"
        return f"{health.xruns} xruns, hearing: {health.hearing}{step}"

    def _say(self, words: str) -> None:
        """Logs what is out of order once, and when it is over."""
        if words != self._said:
            if words:
                log.warning("%s", words)
            else:
                log.info("all is well again")
            self._said = words
