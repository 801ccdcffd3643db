"""Builds the parts of a box from the settings: the same ones live and offline."""

from __future__ import annotations

from pathlib import Path

from improvbox.band.band import Band
from improvbox.band.event_model import EventModel
from improvbox.config import Settings
from improvbox.hearing.beat import BeatTracker
from improvbox.hearing.listener import Listener
from improvbox.inference import store
from improvbox.memory.context import Memory

NO_MODEL = "dsp"  # hearing.model of a box that shall hear without one

COMPUTE_S = 0.001
"""what hearing a hop is taken to cost where a session has to come out the same on every machine: a quarter of a hop
on the slowest board"""


def listener(settings: Settings, data: Path, compute_s: float | None = None) -> Listener:
    """Hearing as the settings ask for it, started. Raises ModelError, MissingDriverError."""
    name = settings.hearing.model
    folder = None if name == NO_MODEL else store.find(name, "pitch", data)
    made = Listener(settings.hearing, folder, compute_s)
    made.start()
    return made


def band(settings: Settings, data: Path, seed: int) -> Band:
    """The band with its model loaded. Raises ModelError, MissingDriverError."""
    model = EventModel(store.find(settings.band.model, "band", data)).start()
    return Band(model, Memory(settings.band.memory_s), settings.band, seed)


def beat(settings: Settings) -> BeatTracker:
    """The beat tracker."""
    return BeatTracker(settings.band.tempo_bpm, settings.band.time)
