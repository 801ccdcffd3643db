"""A whole session in virtual time: the same session as live, as fast as the machine can, the same notes every time."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from improvbox.box.notelog import NoteLog
from improvbox.box.session import Band, Beat, Session, Witness
from improvbox.box.takes import Heard, Take
from improvbox.config import Settings
from improvbox.errors import UsageError
from improvbox.events import Command, PlayedNote
from improvbox.stage.sinks import Sink
from improvbox.stage.weaver import Tally, Weaver

TAIL_S = 1.0  # the band plays on this long after the take: the last phrase gets its answer, and endings are heard
SHORTEST_STEP_S = 1e-3  # time goes on at least this far between two rounds in which nothing came in
_CUE, _HEARD = 0, 1  # of things known at one moment, the command is first


@dataclass(frozen=True, slots=True)
class Jam:
    """What came of it."""

    notes: tuple[PlayedNote, ...]
    """everybody's, in the order they ended"""
    commands: tuple[Command, ...]
    """carried out"""
    beats: tuple[tuple[float, int], ...]
    """(s, beat within its bar)"""
    duration_s: float
    tally: Tally
    hanging: int
    """notes of the band that never ended: 0, or something is wrong"""


def check_cues(cues: Iterable[Command], duration_s: float) -> None:
    """A cue that would never come is a mistake. Raises UsageError."""
    for cue in cues:
        if cue.t > duration_s + TAIL_S:
            raise UsageError(f"cue at {cue.t:g} s comes after the end of the take ({duration_s:.2f} s)")


def jam(
    settings: Settings,
    take: Take,
    band: Band,
    beat: Beat,
    *,
    cues: Sequence[Command] = (),
    sinks: Iterable[Sink] = (),
    witnesses: Iterable[Witness] = (),
    progress: Callable[[float], None] = lambda t: None,
) -> Jam:
    """Plays `take` with the band. Raises UsageError: a cue after the end, an unknown sound."""
    check_cues(cues, take.duration_s)
    log = NoteLog()
    weaver = Weaver([log, *sinks])
    session = Session(settings, band, beat, weaver, [log, *witnesses])
    player = _Player(session)
    session.start(0.0)
    end = take.duration_s + TAIL_S
    for known, _, thing in heapq.merge(_cues(cues), _heard(take), key=lambda row: row[:2]):
        player.until(min(known, end))
        if isinstance(thing, Command):
            if not session.command(thing, player.now):
                raise UsageError(f"cue at {thing.t:g} s: {session.last_refusal}")
            player.advance()
        elif thing.event is not None:
            session.human(thing.event, player.now)
            player.advance()
        progress(player.now)
    player.until(end)
    log.finish(end)
    session.stop(end)
    return Jam(tuple(log.notes), tuple(log.commands), tuple(log.beats), end, weaver.tally, log.hanging)


def _cues(cues: Sequence[Command]) -> Iterator[tuple[float, int, Command | Heard]]:
    for cue in sorted(cues, key=lambda c: c.t):
        yield cue.t, _CUE, cue


def _heard(take: Take) -> Iterator[tuple[float, int, Command | Heard]]:
    for heard in take.heard():
        yield heard.known, _HEARD, heard


class _Player:
    """Virtual time: every wake-up of the session at its exact moment."""

    def __init__(self, session: Session) -> None:
        self.now = 0.0
        self._session = session
        self._advanced = -1.0

    def until(self, t: float) -> None:
        """Up to `t` (s), and what is due at `t` itself."""
        while (wake := self._session.next_wake()) <= t:
            at = max(wake, self.now)
            if at <= self._advanced:  # asked for again at once: time has to go on all the same
                at = self._advanced + SHORTEST_STEP_S
            if at > t:
                break
            self.now = at
            self.advance()
        self.now = max(self.now, t)

    def advance(self) -> None:
        """What the last event or command has made due."""
        self._advanced = self.now
        self._session.advance(self.now)
