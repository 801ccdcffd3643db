"""What turns sound into notes: one protocol, and its form with the net."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from improvbox.events import HumanEvent
from improvbox.hearing.decoder import Decoder
from improvbox.hearing.level import RATE_HZ, LevelMeter
from improvbox.hearing.voices import Voices

HOP_FRAMES = 128  # what every tracker is fed; one may gather several


class Tracker(Protocol):
    """`push` is called by the hearing thread with each HOP_FRAMES samples; `level` has heard them already.

    `warm_s`: how much sound it has to hear before what it says can be trusted. `muted`: listen only.
    """

    warm_s: float

    def push(self, samples: np.ndarray, t: float, level: LevelMeter, muted: bool = False) -> list[HumanEvent]: ...
    def reset(self) -> None: ...


class ModelTracker:
    """Front end, net and decoder, every `hop_frames` (128, or 256 at half the cost)."""

    warm_s = 0.25  # the longest window (85 ms) and the net's past (165 ms)

    def __init__(self, folder: Path, hop_frames: int, threshold: float, voices: Voices) -> None:
        from improvbox.hearing.frontend import FrontEnd
        from improvbox.hearing.pitch_model import PitchModel

        self._front_end = FrontEnd(hop_frames)
        self._model = PitchModel(folder, hop_frames)
        self._threshold = threshold
        self._voices = voices
        self._hop = hop_frames
        self._gathered: list[np.ndarray] = []
        self._decoder = self._new_decoder()

    def push(self, samples: np.ndarray, t: float, level: LevelMeter, muted: bool = False) -> list[HumanEvent]:
        self._gathered.append(samples)
        if len(self._gathered) * HOP_FRAMES < self._hop:
            return []
        hop = self._gathered[0] if len(self._gathered) == 1 else np.concatenate(self._gathered)
        self._gathered.clear()
        posterior = self._model.step(self._front_end.push(hop))
        return self._decoder.step(posterior, t, level, muted)

    def reset(self) -> None:
        self._front_end.reset()
        self._model.reset()
        self._gathered.clear()
        self._decoder = self._new_decoder()

    def _new_decoder(self) -> Decoder:
        model = self._model
        hop_s = self._hop / RATE_HZ
        return Decoder(model.lowest, model.pitches, hop_s=hop_s, threshold=self._threshold, voices=self._voices)
