"""Builds the parts of a box from the settings: the same ones live and offline."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from improvbox.band.band import Band
from improvbox.band.event_model import EventModel
from improvbox.band.types import Controls, Limits, Played
from improvbox.config import Settings
from improvbox.events import BANDS
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
    _warm_up(model)
    return Band(model, Memory(settings.band.memory_s), settings.band, seed)


def _warm_up(model: EventModel) -> None:
    """Weights are in memory and code paths known before the first note: it would wait for them else."""
    model.feed(Played("human", 60, 0.0, 80), None)
    for part in BANDS:
        model.query(part, Controls(), Limits.of(part), np.random.default_rng(0), now=0.1, grid=None)
    model.reset()


def beat(settings: Settings) -> BeatTracker:
    """The beat tracker."""
    return BeatTracker(settings.band.tempo_bpm, settings.band.time)
