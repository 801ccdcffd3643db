"""The band: hears events and commands, keeps every player's plan fresh, and commits notes shortly before they sound.

Time is a parameter. What happens between two calls happens at its own due time, so how often `advance` is called
changes nothing; the same events, commands and seed give the same notes, bit for bit.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from improvbox import commands
from improvbox.band.ear import CLASHES, Ear
from improvbox.band.form import Form, Stage, last_note
from improvbox.band.planner import Planner, touch
from improvbox.band.player import Player
from improvbox.band.scene import Scene
from improvbox.band.steering import Steering
from improvbox.band.types import Ended, Played, Predictor
from improvbox.config import BandSettings
from improvbox.events import BANDS, PLAYERS, BandEvent, Command, HumanEvent, NoteOff, NoteOn, PlannedNote, Release
from improvbox.memory.context import Memory
from improvbox.tempo import Grid

STRUM_S, SETTLE_S = 0.03, 0.01  # a note this soon after another is of the same strum: one new plan when it is over
LATE_S = 0.02  # a wake-up later than this plans from the real present, not from when it was due
HOLDS_S = 0.25  # a note that began within this is not let go but resolved by the next
NEARLY_OVER_S = 0.15  # a clash that ends by itself within this is left alone
SPARSE = 0.3  # a player of no higher density rests after giving way, another comes in again
PASSING_S = 0.2  # a human who plays faster than this passes through clashes
GESTURE_BEATS = 2.0  # a player that spoke while the human rested ends its gesture within this
REENTRY_BEATS = 0.5  # after giving way a player comes in on the next line of this


class Band:
    """Three players who play and a drummer who only knows its role yet: drums belong to the rhythm issue.

    One thread. `hear` and `command` replan at once; `advance` gives what was committed since.
    """

    def __init__(self, model: Predictor, memory: Memory, settings: BandSettings, seed: int = 0) -> None:
        self._model = model
        self._memory = memory
        self._commit_s = settings.commit_ms / 1000.0
        self._grid: Grid | None = None
        self._out: list[BandEvent] = []
        self._now = 0.0
        self._ids = 0
        self._heard = -math.inf  # s, when the human's last note was known
        self._settles = math.inf  # s, when plans are made anew after the later notes of a strum
        self.ear = Ear(memory, settings.human)
        self.form = Form()
        self.players = {
            name: Player(name, Steering.of(name, getattr(settings, name)), np.random.default_rng([seed, i]))
            for i, name in enumerate(PLAYERS)
        }
        self._planner = Planner(model, memory)

    # -- input ---------------------------------------------------------------------------------------------------

    def hear(self, event: HumanEvent, now: float) -> None:
        """Takes an event of the human; every plan that is not committed is made anew."""
        self._run(now)
        if isinstance(event, NoteOn):
            self._memory.hear(event)
            self._human_note(event, now)
        elif isinstance(event, NoteOff):
            note = self._memory.note("human", event.id)
            self._memory.hear(event)
            if note is not None:
                self._model.feed(Ended("human", note.key, event.t), self._grid)
                self.ear.changed("human")
                self._replan(now, [p for p in self._bands() if p.told.row.gaps])
        else:
            self._memory.hear(event)

    def command(self, command: Command, now: float) -> None:
        """Takes an instruction; it is heard from the next uncommitted note on. Others' commands are ignored."""
        self._run(now)
        if command.verb == "band":
            self.ear.band_setting = str(command.value)
        elif command.verb == "panic":
            for player in self.players.values():
                player.listen()
                self._let_go(player, now, now)
            self.form.stage = Stage.OVER
        elif command.verb == "return":
            for player in self._answering():
                player.insists = True
                self._planner.answer(player, self._scene(player, now))
        elif command.target in (*PLAYERS, "all"):
            for name in commands.players(command.target):
                self._instruct(self.players[name], command, now)

    def set_grid(self, grid: Grid | None, now: float) -> None:
        """The beat tracker's view of time; plans follow at the next event, unless time changed its nature."""
        if grid == self._grid:
            return
        self._run(now)
        changed = (grid is None) != (self._grid is None)
        self._grid = grid
        if changed:
            self._replan(now, self._bands())

    # -- output --------------------------------------------------------------------------------------------------

    def advance(self, now: float) -> list[BandEvent]:
        """What was committed up to `now` (s) and not handed out yet."""
        self._run(now)
        made, self._out = self._out, []
        return made

    def next_wake(self) -> float:
        """When `advance` next has something to do, s; inf where nothing waits."""
        return self._now if self._out else self._next()[0]

    @property
    def plans(self) -> dict[str, tuple[PlannedNote, ...]]:
        """What each player means to play; none of it is committed."""
        return {name: tuple(player.plan) for name, player in self.players.items()}

    def state(self) -> dict[str, object]:
        """Roles, controls, the human's band, where the piece stands."""
        return {
            "players": {name: player.told.state() for name, player in self.players.items()},
            "human": {"band": self.ear.band, "setting": self.ear.band_setting},
            "stage": self._stage().value,
            "metered": self._grid is not None,
        }

    # -- time ----------------------------------------------------------------------------------------------------

    def _next(self) -> tuple[float, int]:
        """(due time in s, who): 0..2 a player, 3 the end of a phrase, 4 the close, 5 new plans."""
        due = [
            *((player.due(self._commit_s), i) for i, player in enumerate(self._bands())),
            (self._memory.phrases.due(), 3),
            (self.form.due(self._led()), 4),
            (self._settles, 5),
        ]
        return min(due)

    def _run(self, now: float) -> None:
        """Makes happen all that is due up to `now` (s)."""
        while True:
            due, who = self._next()
            if due > now:
                break
            at = max(self._now, due if now - due <= LATE_S else now)
            self._now = at
            if who == 5:
                self._settles = math.inf
                self._replan(at, self._bands())
            elif who == 4:
                self._close(at)
            elif who == 3:
                self._phrase_end(at)
            elif self._bands()[who].plan:
                self._commit(self._bands()[who], at)
            else:
                self._replan(at, [self._bands()[who]])
        self._now = max(self._now, now)

    def _phrase_end(self, at: float) -> None:
        self._memory.advance(at)
        phrase = self._memory.phrases.advance(at)
        if phrase is None:
            return
        self.form.phrase_ended(phrase.end)
        for player in self._answering():
            if player.turn == 0:
                self._planner.answer(player, self._scene(player, at))

    def _close(self, at: float) -> None:
        """The final chord, then silence until the human plays again."""
        self.form.stage = Stage.CLOSING
        for player in self._bands():
            playing = player.told.plays and player.told.row.closes and player.sounding(at - 4.0)
            player.drop()
            if playing and player.last is not None:
                scene = self._scene(player, at)
                note = last_note(scene, player.last, touch(scene, player.told, scene.first, 70))
                player.plan, player.stands = [note], True

    # -- playing -------------------------------------------------------------------------------------------------

    def _human_note(self, event: NoteOn, now: float) -> None:
        note = self._memory.latest("human")
        assert note is not None
        self._memory.advance(now)
        self.ear.human_note(note.key, event.velocity, event.onset, self._grid)
        self.form.human_note(len(self._memory.line), self._grid is not None)
        self._model.feed(Played("human", note.key, event.onset, event.velocity), self._grid)
        for player in self._bands():
            player.finish_by(now + GESTURE_BEATS * self._scene(player, now).pulse_s)
            self._meet(player, note.key, now)
        strum = now - self._heard < STRUM_S
        self._heard = now
        if strum:
            self._settles = now + SETTLE_S
        else:
            self._settles = math.inf
            self._replan(now, self._bands())

    def _meet(self, player: Player, key: int, now: float) -> None:
        """The human's note clashes with what a player holds: it continues, moves or lets go."""
        held = player.sounding(now)
        if held is None or not player.told.row.yields or "human" not in player.told.listens_to:
            return
        scene = self._scene(player, now)
        if (held.pitch - key) % 12 not in CLASHES or scene.view("human").ioi < PASSING_S:
            return
        if held.pitch % 12 in self.ear.chord(now):  # it is a member of the human's chord
            return
        if held.offset - now < NEARLY_OVER_S:
            return
        moves_on = player.told.density > SPARSE and not player.stands
        if moves_on:
            player.owes = scene.next_line(scene.first, REENTRY_BEATS)
        if held.onset < now - HOLDS_S or not moves_on:  # a note just begun resolves: let go, it would be a click
            self._let_go(player, now, max(now, held.onset + HOLDS_S))

    def _let_go(self, player: Player, now: float, t: float) -> None:
        """What the player sounds, or is about to, ends at `t` (s)."""
        held = player.sounding(now)
        if held is None or held.offset <= t:
            return
        self._out.append(Release(player.name, held.id, t))
        self._memory.note_off(player.name, held.id, t)
        self._model.feed(Ended(player.name, held.pitch, t), self._grid)
        player.cut(t)
        self.ear.changed(player.name)

    def _commit(self, player: Player, at: float) -> None:
        self._ids += 1
        note = replace(player.plan.pop(0), id=self._ids)
        self._out.append(note)
        self._memory.play(note, at)
        self._memory.advance(at)
        self._model.feed(Played(note.part, note.pitch, note.onset, note.velocity, note.duration), self._grid)
        self.ear.changed(note.part)
        player.took(note)
        if player.stands and not player.plan:
            player.stands = False
        if not self.form.on:
            return
        if player.turn and not player.plan and not player.free_notes:
            player.insists = False
            if self._memory.phrases.going_on:
                player.listen()
            else:
                self._planner.answer(player, self._scene(player, at))
        self._replan(at, self._bands())

    def _replan(self, now: float, players: list[Player]) -> None:
        """New plans for those whose plan does not stand."""
        for player in players:
            if not self.form.on or not player.told.plays:
                player.drop()
            elif not player.stands:
                self._planner.plan(player, self._scene(player, now))

    def _instruct(self, player: Player, command: Command, now: float) -> None:
        if not player.told.take(player.name, command):
            return
        player.listen()
        if not player.told.plays:
            self._let_go(player, now, now)
        if player.name in BANDS:
            self._replan(now, [player])
            if player in self._answering() and self.form.wake(self.ear.heard):
                player.insists = self._memory.phrases.going_on
                self._planner.answer(player, self._scene(player, now))

    # -- who -----------------------------------------------------------------------------------------------------

    def _bands(self) -> list[Player]:
        return [self.players[name] for name in BANDS]

    def _answering(self) -> list[Player]:
        return [p for p in self._bands() if p.told.plays and p.told.row.answers]

    def _stage(self) -> Stage:
        """Where the piece stands; the close is over when its last note is."""
        closing = self.form.stage is Stage.CLOSING
        still = any(player.plan or player.sounding(self._now) for player in self._bands())
        return Stage.OVER if closing and not still else self.form.stage

    def _led(self) -> bool:
        """A player carries on for the human."""
        return any(player.turn for player in self._answering())

    def _scene(self, player: Player, now: float) -> Scene:
        ending = self.form.ending(now, self._led())
        return Scene(player.name, now, now + self._commit_s, self._grid, self.ear, player.told.listens_to, ending)
