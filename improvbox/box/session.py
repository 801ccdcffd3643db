"""One session of playing: what the human does and says goes in, notes come out. No threads; time is a parameter.

`offline` drives it in virtual time, `live` from the band thread. All calls come from one thread, with `now` (s of
audio time) never running backwards. Between calls, nothing happens: the driver calls `advance` at `next_wake`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from improvbox.commands import players
from improvbox.config import Settings
from improvbox.errors import CommandError
from improvbox.events import PLAYERS, BandEvent, Command, HumanEvent, Level, NoteOn, PlannedNote, Release
from improvbox.stage import sounds
from improvbox.stage.weaver import Tally
from improvbox.tempo import Grid

CHORD_S = 0.08  # under load, notes of the human closer than this are one for the band
PLAN_EVERY_S = 0.1  # plans are shown to those who watch at most this often: a display needs no more


class Band(Protocol):
    """What the session asks of the band; `band.Band` is the real one."""

    @property
    def plans(self) -> Mapping[str, tuple[PlannedNote, ...]]: ...
    def hear(self, event: HumanEvent, now: float) -> None: ...
    def command(self, command: Command, now: float) -> None: ...
    def set_grid(self, grid: Grid | None, now: float) -> None: ...
    def advance(self, now: float) -> list[BandEvent]: ...
    def next_wake(self) -> float: ...
    def state(self) -> dict[str, Any]: ...


class Beat(Protocol):
    """What the session asks of the beat tracker; `hearing.beat.BeatTracker` is the real one."""

    def hear(self, event: HumanEvent) -> None: ...
    def command(self, command: Command) -> None: ...
    def grid(self, now: float) -> Grid | None: ...


class Fan(Protocol):
    """The part of the stage that the session turns by itself."""

    @property
    def faults(self) -> int: ...
    @property
    def last_fault(self) -> str: ...
    def program(self, part: str, program: int) -> None: ...
    def gain(self, part: str, level: float) -> None: ...


class Stage(Protocol):
    """What the session asks of the stage: `stage.weaver.Weaver` itself, or live the curtain in front of its thread."""

    @property
    def fan(self) -> Fan: ...
    @property
    def tally(self) -> Tally: ...
    def take(self, event: BandEvent) -> None: ...
    def advance(self, now: float) -> None: ...
    def next_due(self) -> float: ...
    def panic(self, now: float) -> None: ...
    def close(self, now: float) -> None: ...


class Witness(Protocol):
    """Sees what is no note of the band. Called on the thread that owns the stage, and must not wait."""

    def human(self, event: HumanEvent, now: float) -> None:
        """The human did something."""

    def command(self, command: Command, now: float) -> None:
        """A command was carried out."""

    def beat(self, grid: Grid, bar: int, beat: int, now: float) -> None:
        """A beat falls now; bar and beat count from 0."""

    def plan(self, part: str, notes: tuple[PlannedNote, ...], now: float) -> None:
        """A player's plan, as far as it goes; it may be replaced."""

    def state(self, state: Mapping[str, Any], now: float) -> None:
        """Somebody asked for the state: part -> item -> value, or item -> value of the box."""


class Onlooker:
    """A witness that does nothing: the base of those who look at one thing only."""

    def human(self, event: HumanEvent, now: float) -> None:
        """Not looked at."""

    def command(self, command: Command, now: float) -> None:
        """Not looked at."""

    def beat(self, grid: Grid, bar: int, beat: int, now: float) -> None:
        """Not looked at."""

    def plan(self, part: str, notes: tuple[PlannedNote, ...], now: float) -> None:
        """Not looked at."""

    def state(self, state: Mapping[str, Any], now: float) -> None:
        """Not looked at."""


class Session:
    """Wires band, beat tracker and stage. `start` first, `stop` last."""

    def __init__(
        self, settings: Settings, band: Band, beat: Beat, stage: Stage, witnesses: Iterable[Witness] = ()
    ) -> None:
        self.band = band
        self.stage = stage
        self.grid: Grid | None = None
        """metered time, or None: free"""
        self.commands_refused = 0
        self.last_refusal = ""
        self.thrifty = False
        """the band hears one note of a chord only: a strum makes one plan, not six. The first step of the ladder"""
        self.holding = False
        """what sounds is finished, nothing new begins. The last step of the ladder"""
        self._settings = settings
        self._beat = beat
        self._planned_for = -math.inf  # s, the human's note that the band heard last
        self._witnesses = tuple(witnesses)
        self._next_beat = math.inf  # s
        self._number = -1  # of the beat told last
        self._shown: dict[str, tuple[PlannedNote, ...]] = {}
        self._show_at = -math.inf
        self._stopped = False

    def start(self, now: float) -> None:
        """Sounds and levels of the settings; the first grid."""
        for part in PLAYERS:
            player = self._settings.player(part)
            self.stage.fan.program(part, player.program)
            self.stage.fan.gain(part, player.level)
        self._look_at_beat(now)

    def human(self, event: HumanEvent, now: float) -> None:
        """The human did something, and the box knows it at `now`."""
        for witness in self._witnesses:  # first: a note event leaves the box before anybody thinks about it
            witness.human(event, now)
        if not isinstance(event, Level):
            self._beat.hear(event)
            self._look_at_beat(now)
        if not self._spared(event):
            self.band.hear(event, now)

    def _spared(self, event: HumanEvent) -> bool:
        if not isinstance(event, NoteOn):
            return False
        if self.thrifty and event.onset - self._planned_for < CHORD_S:
            return True
        self._planned_for = event.onset
        return False

    def command(self, command: Command, now: float) -> bool:
        """Carries out a command at once. False: it was refused, `last_refusal` says why, and nothing changed."""
        try:
            self._carry_out(command, now)
        except CommandError as error:
            self.commands_refused += 1
            self.last_refusal = str(error)
            return False
        for witness in self._witnesses:
            witness.command(command, now)
        return True

    def _carry_out(self, command: Command, now: float) -> None:
        match command.verb:
            case "sound":
                self._sound(command)
            case "level":
                for part in players(command.target):
                    self.stage.fan.gain(part, float(command.value))  # type: ignore[arg-type]  # checked by commands
            case "panic":
                self.stage.panic(now)
            case "state":
                state = self.band.state()
                for witness in self._witnesses:
                    witness.state(
                        {**state.get("players", {}), **{k: v for k, v in state.items() if k != "players"}}, now
                    )
                return
        self._beat.command(command)
        self._look_at_beat(now)
        self.band.command(command, now)

    def _sound(self, command: Command) -> None:
        """All players or none: a sound that one of them does not have is refused before anything changes."""
        value = command.value
        assert isinstance(value, str | float)
        found, problems = {}, []
        for part in players(command.target):
            try:
                found[part] = sounds.program(part, value)
            except CommandError as error:
                problems.append(str(error))
        if problems and (command.target != "all" or not found):
            raise CommandError(problems[0])
        for part, program in found.items():
            self.stage.fan.program(part, program)

    def advance(self, now: float) -> None:
        """Makes happen what is due at `now`."""
        self._look_at_beat(now)
        for event in self.band.advance(now):
            if not self.holding or isinstance(event, Release):
                self.stage.take(event)
        self.stage.advance(now)
        if now >= self._next_beat:
            self._tell_beat(now)
        if self._witnesses and now >= self._show_at:
            self._show_plans(now)

    def next_wake(self) -> float:
        """When `advance` next has something to do, s; inf where only an event can change anything."""
        return min(self.band.next_wake(), self.stage.next_due(), self._next_beat)

    def stop(self, now: float) -> None:
        """Every note ends, sinks are closed. May be called twice."""
        if not self._stopped:
            self._stopped = True
            self.stage.close(now)

    def _look_at_beat(self, now: float) -> None:
        grid = self._beat.grid(now)
        if grid != self.grid:
            self.grid = grid
            self.band.set_grid(grid, now)
            self._await_beat(now)

    def _await_beat(self, now: float) -> None:
        """The next beat that was not told yet: a grid that moves by a hair tells no beat twice."""
        if self.grid is None:
            self._next_beat = math.inf
            return
        number = math.ceil(self.grid.beat(now) - 1e-6)
        if number == self._number:
            number += 1
        self._next_beat = self.grid.time(number)

    def _tell_beat(self, now: float) -> None:
        assert self.grid is not None
        self._number = round(self.grid.beat(self._next_beat))
        bar, beat = divmod(self._number, self.grid.beats_per_bar)
        for witness in self._witnesses:
            witness.beat(self.grid, bar, beat, now)
        self._await_beat(now)

    def _show_plans(self, now: float) -> None:
        self._show_at = now + PLAN_EVERY_S
        for part, notes in self.band.plans.items():
            if notes != self._shown.get(part):
                self._shown[part] = notes
                for witness in self._witnesses:
                    witness.plan(part, notes, now)
