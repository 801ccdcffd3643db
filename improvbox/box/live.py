"""The live box: threads around one session.

capture  FIFO 70   period -> feed              (never waits but for the interface)
hearing  FIFO 66   feed -> events              (the net)
band     FIFO 58   events, commands -> notes   (owns session, weaver, sinks)
synth    FIFO 62   FluidSynth's own
panel, osc-in, recorder, log: ordinary
main               housekeeping: health, ladder, watchdog, status, display
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from improvbox.audio.source import Block
from improvbox.box import glance, realtime
from improvbox.box.bandstand import Bandstand, Thing
from improvbox.box.budget import Budget, limits
from improvbox.box.ears import Capture, Ears
from improvbox.box.feed import Feed
from improvbox.box.glance import Glance
from improvbox.box.inbox import Inbox
from improvbox.box.session import Band, Beat, Session, Witness
from improvbox.box.stagehand import Curtain, Stagehand
from improvbox.box.watchdog import Heartbeats, Signs
from improvbox.box.worker import Worker
from improvbox.clock import StreamClock, monotonic_s
from improvbox.config import Settings
from improvbox.errors import DeviceError, ImprovBoxError
from improvbox.events import Command, Health, HumanEvent
from improvbox.hearing.listener import Listener
from improvbox.stage.sinks import Sink
from improvbox.stage.weaver import Weaver

SYNTH_RETRY_S = 2.0
SYNTH_PATIENCE_S = 20.0
"""a synth whose device is gone for longer, while the guitar's interface is there, is a case for a restart"""

log = logging.getLogger(__name__)


class LiveSource(Protocol):
    """The guitar; `audio.patient.PatientSource` is the real one."""

    problem: str

    @property
    def xruns(self) -> int: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def read(self) -> Block | None: ...


class LiveSynth(Sink, Protocol):
    """The synth; `stage.fluid.FluidLive` is the real one."""

    def start(self) -> None: ...
    def restart(self) -> None: ...
    def alive(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Players:
    """What plays: built before the box, so that it starts with everything loaded."""

    listener: Listener
    band: Band
    beat: Beat


class LiveBox:
    """`start`, then `look` from the housekeeper, `stop` in the end: every note off, sinks closed."""

    def __init__(
        self,
        settings: Settings,
        source: LiveSource,
        synth: LiveSynth,
        players: Players,
        *,
        inbox: Inbox[Thing],
        clock: StreamClock,
        sinks: Iterable[Sink] = (),
        witnesses: Iterable[Witness] = (),
        publish: Callable[[Health], None] = lambda health: None,
    ) -> None:
        """inbox and clock are shared with whoever gives commands; sinks beside the synth; publish: where each health
        reading goes, called on the main thread."""
        self.settings = settings
        self._publish = publish
        self.inbox, self.clock = inbox, clock
        self.glance = Glance()
        self.beats = Heartbeats()
        hop = settings.hearing.hop_frames
        self.budget = Budget(limits(48000, settings.audio.period_frames, hop))
        self.notices: list[str] = []
        """rights that the box asked for and did not get, in plain words"""
        self.synth_problem = ""
        self._source, self._synth = source, synth
        self._listener = players.listener
        self._full_mode = players.listener.mode
        seers = [*witnesses, self.glance]
        self.stagehand = Stagehand(Weaver([synth, *sinks, self.glance]), seers, clock, self.budget)
        curtain = Curtain(self.stagehand, seers)
        session = Session(settings, players.band, players.beat, curtain, [curtain])
        self.bandstand = Bandstand(session, inbox, clock, self.budget)
        self._feed = Feed(settings.audio.period_frames)
        self._capture = Capture(source, self.clock, self._feed, self.budget)
        self._ears = Ears(players.listener, hop, self._feed, self.budget, self._heard)
        self._workers = (
            Worker("capture", self._capture.round, self.beats, realtime.CAPTURE_PRIORITY if self._fifo else None),
            Worker("hearing", self._ears.round, self.beats, realtime.HEARING_PRIORITY if self._fifo else None),
            Worker("stage", self.stagehand.round, self.beats, realtime.STAGE_PRIORITY if self._fifo else None),
            Worker("band", self.bandstand.round, self.beats, realtime.BAND_PRIORITY if self._fifo else None),
        )
        self._state: dict[str, Any] = {}
        self._synth_down_s: float | None = None
        self._reviving: threading.Thread | None = None

    @property
    def _fifo(self) -> bool:
        return self.settings.box.realtime

    def start(self) -> None:
        """Everything runs when this returns, but for an interface that is not there yet. Raises what a part raises."""
        try:
            self._synth.start()
        except DeviceError as error:  # it may come later: it is looked for while the box runs
            self.synth_problem = str(error)
        self.bandstand.session.start(0.0)
        for worker in reversed(self._workers):  # whoever takes is there before whoever gives
            worker.start()

    def submit(self, command: Command) -> None:
        """A command from any thread. Panic does not wait for the band to finish a thought."""
        if command.verb == "panic":
            self.stagehand.inbox.give(self.stagehand.weaver.panic)
        self.inbox.give(command)

    def _heard(self, event: HumanEvent) -> None:
        """From the hearing thread, to those who pass it on and to those who think about it."""
        self.stagehand.inbox.give(event)
        self.inbox.give(event)

    def stop(self) -> bool:
        """Every note ends, every sink is closed. False: a thread did not end; the notes were ended all the same."""
        capture, hearing, stage, band = self._workers
        self._capture.ends = True
        self._source.stop()
        ended = [capture.stop(), hearing.stop()]
        if ended[1]:
            self._ears.finish()
        ended.append(band.stop())
        if ended[2]:
            self.bandstand.finish()
        ended.append(stage.stop())
        if ended[3]:
            self.stagehand.finish()
        else:  # it hangs in a sink: the synth must fall silent without it
            self._synth.panic(self.clock.now())
            self._synth.close()
        return all(ended)

    @property
    def failure(self) -> str:
        """The error that ended a thread; '' while all run."""
        return next((w.failure for w in self._workers if w.failure), "")

    # -- for the housekeeper ---------------------------------------------------------------------------------------

    def signs(self) -> Signs:
        now = monotonic_s()
        self._look_at_synth(now)
        waiting, synth = self._source.problem, ""
        if self.synth_problem:
            down = now - (self._synth_down_s if self._synth_down_s is not None else now)
            if waiting or down < SYNTH_PATIENCE_S:
                waiting = waiting or self.synth_problem
            else:
                synth = self.synth_problem
        return Signs(self._capture.frames, waiting, synth)

    def frames(self) -> int:
        return self._capture.frames

    def audio_now(self) -> float:
        return self.clock.now()

    def xruns(self) -> int:
        return self._source.xruns

    def troubles(self) -> dict[str, int]:
        """Counts, by stage, of what was lost because it came too late."""
        tally = self.stagehand.weaver.tally
        return {"hearing": self._feed.dropped, "band": tally.skipped + tally.thinned + self.inbox.dropped}

    def hearing_mode(self) -> str:
        return self._ears.mode

    def apply(self, steps: tuple[str, ...]) -> None:
        """Puts the steps of the ladder in force, and no others."""
        mode = self._full_mode
        if "half rate" in steps and mode == "model":
            mode = "model half rate"
        if "dsp hearing" in steps:
            mode = "dsp"
        self._ears.wanted_mode = mode
        thrifty, holding = "fewer plans" in steps, "hold" in steps

        def change(session: Session, now: float) -> None:
            session.thrifty, session.holding = thrifty, holding

        self.inbox.give(change)

    def tell(self, health: Health) -> None:
        """Publishes the reading, and asks the band's thread for the players' state: it is there at the next one."""
        self._publish(health)

        def look(session: Session, now: float) -> None:
            grid = session.grid
            self._state = {
                **session.band.state(),
                "tempo_bpm": round(grid.tempo_bpm, 1) if grid is not None else None,
                "commands_refused": session.commands_refused,
                "last_refusal": session.last_refusal,
                "sink_faults": session.stage.fan.faults,
                "last_sink_fault": session.stage.fan.last_fault,
            }

        self.inbox.give(look)

    def status(self, health: Health) -> dict[str, Any]:
        """The table of the status file."""
        heard, level = self.glance.heard, self._ears.level
        tally = self.stagehand.weaver.tally
        return {
            **self._state,
            "health": health,
            "waiting": self._source.problem or self.synth_problem,
            "heard": glance.note_name(heard.pitch) if heard is not None else None,
            "heard_late_ms": self.glance.late_ms,
            "level_db": level.dbfs if level is not None else None,
            "clipped": level.clipped if level is not None else None,
            "notes": dict(self.glance.begun),
            "tally": {name: getattr(tally, name) for name in ("played", "thinned", "skipped", "refused", "cancelled")},
            "notices": [*self.notices, *(w.refused for w in self._workers if w.refused)],
        }

    def _look_at_synth(self, now: float) -> None:
        if self._synth.alive():
            self._synth_down_s, self.synth_problem = None, ""
            return
        if self._synth_down_s is None:
            self._synth_down_s = now
            self.synth_problem = "the synth's device takes no sound"
        if self._reviving is None or not self._reviving.is_alive():
            self._reviving = threading.Thread(target=self._revive, name="revive", daemon=True)
            self._reviving.start()

    def _revive(self) -> None:
        """In a thread of its own: opening a device may take seconds. One attempt, then a pause."""
        try:
            self._synth.restart()
            log.info("the synth plays again")
        except ImprovBoxError as error:
            self.synth_problem = str(error)
            threading.Event().wait(SYNTH_RETRY_S)
