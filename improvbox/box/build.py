"""Assembles a live box from the settings: real hardware, loaded models, sinks."""

from __future__ import annotations

import dataclasses
import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from improvbox.audio import finder
from improvbox.audio.alsa import AlsaSource
from improvbox.audio.patient import PatientSource
from improvbox.box import parts
from improvbox.box.bandstand import Thing
from improvbox.box.controls import Controls
from improvbox.box.inbox import Inbox
from improvbox.box.ladder import Ladder
from improvbox.box.live import LiveBox, Players
from improvbox.box.session import Witness
from improvbox.clock import StreamClock
from improvbox.config import Settings
from improvbox.errors import ModelError
from improvbox.events import Command
from improvbox.hearing.listener import Listener
from improvbox.stage.fluid import FluidLive
from improvbox.stage.osc_out import OscSink
from improvbox.stage.recorder import Recorder, new_folder
from improvbox.stage.sinks import Sink

log = logging.getLogger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Assembled:
    """A box that is ready to start, and what goes with it."""

    box: LiveBox
    controls: Controls
    ladder: Ladder
    recorder: Recorder | None
    """None: the settings want no record"""
    seed: int
    """of this session: with the same input it would play the same again"""


class Log(Sink, Witness, Protocol):
    """Keeps what is played and told."""


def assemble(settings: Settings, data: Path, moves: Sequence[str] = (), logs: Sequence[Log] = ()) -> Assembled:
    """Everything loaded, nothing running. logs: beside the record on disk.

    Raises what a part raises: ModelError (band), SettingsError, UsageError.

    A pitch model that is missing or not whole is no reason to stay silent: hearing then does without one, and says so.
    """
    inbox: Inbox[Thing] = Inbox()
    clock, ladder = StreamClock(), Ladder()

    def submit(command: Command) -> None:
        box.submit(command)  # made below; no command comes before it has started

    controls = Controls(settings, submit, clock.now, moves)
    source = PatientSource(lambda: AlsaSource(settings.audio))
    synth = FluidLive(settings.stage, amplifier(settings))
    osc = OscSink(settings.osc)
    seed = settings.band.seed or int.from_bytes(os.urandom(4), "big")
    listener, cause = _listener(settings, data)
    players = Players(listener, parts.band(settings, data, seed), parts.beat(settings))
    if cause:
        ladder.force("dsp hearing", cause)
    osc.start()
    recorder = Recorder(new_folder(data / "jams"), settings.band.tempo_bpm or 120.0) if settings.box.record else None
    kept: list[Log] = [*logs, *([] if recorder is None else [recorder])]
    box = LiveBox(
        settings,
        source,
        synth,
        players,
        inbox=inbox,
        clock=clock,
        sinks=[osc, *kept],
        witnesses=[osc, *kept, controls],
        publish=osc.health,
    )
    return Assembled(box, controls, ladder, recorder, seed)


def amplifier(settings: Settings) -> str:
    """The ALSA name to play on where the settings name none: the guitar's interface."""
    if settings.audio.pcm:
        return "default"
    found = finder.cards()
    card = settings.audio.card or next((c.id for c in found if c.capture and c.playback), "")
    return f"plughw:CARD={card}" if card else "default"


def _listener(settings: Settings, data: Path) -> tuple[Listener, str]:
    """(hearing, why it has no model)."""
    try:
        return parts.listener(settings, data), ""
    except ModelError as error:
        log.error("%s; hearing goes on without a model", error)
        without = dataclasses.replace(settings, hearing=dataclasses.replace(settings.hearing, model=parts.NO_MODEL))
        return parts.listener(without, data), str(error)
