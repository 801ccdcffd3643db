"""The hearing of the box: blocks of sound in, events out. Live and offline the same code."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from types import TracebackType

import numpy as np

from improvbox.clock import CpuStopwatch, Stopwatch
from improvbox.config import HearingSettings
from improvbox.errors import UsageError, nearest
from improvbox.events import HumanEvent, NoteOff, NoteOn
from improvbox.hearing.dsp import DspTracker
from improvbox.hearing.level import RATE_HZ, LevelMeter
from improvbox.hearing.tracker import HOP_FRAMES, ModelTracker, Tracker
from improvbox.hearing.voices import Voices

# mode -> frames a hop of the net; 0: no net. In the order of their cost, dearest first.
MODES = {"model": 128, "model half rate": 256, "dsp": 0}

# MIDI numbers of settings.hearing.instrument
RANGES = {"guitar": (38, 88), "seven-string": (35, 88), "bass": (23, 67)}

GAP_S = 0.1  # a longer hole in the stream ends what sounds: nobody knows whether it was damped meanwhile


class Listener:
    """`push` blocks of any size, float32 at 48 kHz; events come back in the order in which they became known.

    One thread calls it. It does not block; the models of all modes are opened by `start`, so that `switch` costs
    nothing. `emitted` of a note is the end of the hop that made it known plus the compute of that hop, measured by a
    `watch`, or `compute_s` where that is given (the same input then gives the same events, bit for bit).
    `folder` None: no model, 'dsp' is the only mode. Raises ModelError, MissingDriverError at start.
    """

    def __init__(
        self,
        settings: HearingSettings,
        folder: Path | None,
        compute_s: float | None = None,
        watch: type[Stopwatch] | type[CpuStopwatch] = Stopwatch,
    ) -> None:
        self._watch = watch
        self._settings = settings
        self._folder = folder
        self._compute_s = compute_s
        self._voices = Voices()
        self._level = LevelMeter(RANGES[settings.instrument][0])
        self._left = np.zeros(0, np.float32)
        self._frames = 0  # heard so far, lost ones counted
        self._trackers: dict[str, Tracker] = {}
        self._mode = "dsp" if folder is None else _model_mode(settings.hop_frames)
        self._active = self._mode  # the tracker that speaks
        self._warming_s = 0.0  # s until that of self._mode takes over

    def __enter__(self) -> Listener:
        self.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.flush()

    def start(self) -> None:
        """Opens the models. The first `push` does it too, late."""
        if self._trackers:
            return
        lowest, highest = RANGES[self._settings.instrument]
        trackers: dict[str, Tracker] = {"dsp": DspTracker(lowest, highest, self._voices)}
        if self._folder is not None:
            for mode, hop_frames in MODES.items():
                if hop_frames:
                    trackers[mode] = ModelTracker(self._folder, hop_frames, self._settings.threshold, self._voices)
        self._trackers = trackers

    @property
    def t(self) -> float:
        """s of audio heard, up to the last whole hop."""
        return self._frames / RATE_HZ

    @property
    def mode(self) -> str:
        """The mode asked for; 'dsp' speaks for it until its net has heard enough."""
        return self._mode

    def switch(self, mode: str) -> None:
        """Another tracker takes over; notes that sound go on, ids are not repeated.

        Without a net at once. With one, when it has heard enough to be trusted: until then the present tracker goes
        on if it is the cheaper one, else the one without a model. Raises UsageError for an unknown mode, or a net
        where there is none.
        """
        if mode not in MODES:
            raise UsageError(f"hearing mode {mode!r}; {nearest(mode, MODES)}")
        if MODES[mode] and self._folder is None:
            raise UsageError(f"hearing mode {mode!r} needs a pitch model and none is given; allowed: dsp")
        if mode == self._mode:
            return
        self.start()
        costs = list(MODES)
        if costs.index(mode) > costs.index(self._active):
            self._activate("dsp")
        self._mode = mode
        self._warming_s = self._trackers[mode].warm_s
        if mode != self._active:
            self._trackers[mode].reset()

    def push(self, samples: np.ndarray) -> list[HumanEvent]:
        """Float [n], any n, -1..1; what is not a number counts as silence, what is louder as full scale."""
        if samples.ndim != 1:
            raise ValueError(f"samples of shape {samples.shape}; must be one channel, (n,)")
        self.start()
        sound = np.concatenate((self._left, _clean(samples)))
        events: list[HumanEvent] = []
        whole = len(sound) - len(sound) % HOP_FRAMES
        for at in range(0, whole, HOP_FRAMES):
            events.extend(self._hop(sound[at : at + HOP_FRAMES]))
        self._left = sound[whole:]
        return events

    def skip(self, frames: int) -> list[HumanEvent]:
        """`frames` were lost before the next block. A hole longer than GAP_S ends what sounds."""
        self._left = np.zeros(0, np.float32)
        self._frames += max(0, frames)
        self._level.t = self.t
        return list(self._voices.end_all(self.t)) if frames > GAP_S * RATE_HZ else []

    def flush(self) -> list[NoteOff]:
        """Ends all that sounds, at the end of what was heard."""
        return self._voices.end_all(self.t)

    def _hop(self, samples: np.ndarray) -> list[HumanEvent]:
        watch = self._watch()
        self._frames += HOP_FRAMES
        events: list[HumanEvent] = list(self._level.push(samples))
        if self._active != self._mode:
            self._trackers[self._mode].push(samples, self.t, self._level, muted=True)
            self._warming_s -= HOP_FRAMES / RATE_HZ
        events.extend(self._trackers[self._active].push(samples, self.t, self._level))
        if self._active != self._mode and self._warming_s <= 0:
            self._activate(self._mode)
        compute_s = watch.elapsed_s() if self._compute_s is None else self._compute_s
        return [_emitted(e, compute_s) if isinstance(e, NoteOn) else e for e in events]

    def _activate(self, mode: str) -> None:
        if mode == self._active:
            return
        if not MODES[mode]:
            self._trackers[mode].reset()
        for voice in self._voices.sounding.values():
            voice.unheard_s = 0.0  # the new tracker judges for itself
        self._active = mode


def _model_mode(hop_frames: int) -> str:
    return next(mode for mode, frames in MODES.items() if frames == hop_frames)


def _emitted(note: NoteOn, compute_s: float) -> NoteOn:
    return dataclasses.replace(note, emitted=note.emitted + max(0.0, compute_s))


def _clean(samples: np.ndarray) -> np.ndarray:
    sound = samples.astype(np.float32, copy=False)
    if not np.isfinite(sound).all():
        sound = np.nan_to_num(sound, nan=0.0, posinf=1.0, neginf=-1.0)
    return np.clip(sound, -1.0, 1.0)
