"""The band's thread thinks: it owns session, band and beat tracker. What it decides is played by the stage's thread."""

from __future__ import annotations

from collections.abc import Callable

from improvbox.box.budget import Budget
from improvbox.box.inbox import Inbox
from improvbox.box.session import Session
from improvbox.clock import Clock, Stopwatch
from improvbox.events import Command, HumanEvent

LONGEST_WAIT_S = 0.05  # how often it looks round when nothing is due, and shows that it is alive
SHORTEST_WAIT_S = 0.001

Thing = HumanEvent | Command | Callable[[Session, float], None]
"""what the band's thread takes: an event, a command, or something to do with the session"""


class Bandstand:
    """Its round waits until something is due or comes in, on absolute time. All of it in the band's thread."""

    def __init__(self, session: Session, inbox: Inbox[Thing], clock: Clock, budget: Budget) -> None:
        self.session = session
        self._inbox = inbox
        self._clock = clock
        self._budget = budget
        self._now = 0.0
        self._woken_for = -1.0  # s, the wake-up time of the last round

    def now(self) -> float:
        """Audio time (s) as the session sees it: it never runs backwards."""
        self._now = max(self._now, self._clock.now())
        return self._now

    def round(self) -> None:
        """Waits, takes what came, makes happen what is due."""
        wake = self.session.next_wake()
        wait = max(0.0, wake - self.now())
        if wake == self._woken_for:  # asked for the same moment again: that must not spin a core
            wait = max(wait, SHORTEST_WAIT_S)
        self._woken_for = wake
        for given in self._inbox.take(min(LONGEST_WAIT_S, wait)):
            self._handle(given.thing)
        now = self.now()
        watch = Stopwatch()
        self.session.advance(now)
        if wake <= now:
            self._budget.note("band", watch.elapsed_s())

    def finish(self) -> None:
        """What still waits is taken, then every note ends."""
        for given in self._inbox.take(0.0):
            self._handle(given.thing)
        self.session.stop(self.now())

    def _handle(self, thing: Thing) -> None:
        if isinstance(thing, Command):
            now = self.now()
            self.session.command(thing, now)
            self._budget.note("command", self.now() - min(now, thing.t))
        elif callable(thing):
            thing(self.session, self.now())
        else:
            watch = Stopwatch()
            self.session.human(thing, self.now())
            self._budget.note("band", watch.elapsed_s())
