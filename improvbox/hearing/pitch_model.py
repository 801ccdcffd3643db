"""The pitch net, hop by hop: Features in, probabilities out. It holds the past that the graph itself does not keep.

The net was trained at one frame every `frame_frames` (256, 5.3 ms). A shorter hop runs as many interleaved phases of
the same net, each with its own past: a result every hop. A hop as long as the frame is one phase, at half the cost.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from improvbox.errors import ModelError
from improvbox.hearing.frontend import CHANNELS, FIRST_ROW, LEVELS, ROWS, Features, FrontEnd
from improvbox.inference.card import load
from improvbox.inference.interpreter import Interpreter, Signature

SIGNATURE = "step"
PAST = "past_"  # + d: the input is what the output of that name was d steps of the same phase ago
HEADS = ("onset", "frame", "deviation", "release")


@dataclass(frozen=True, slots=True)
class Posterior:
    """What the net says at the end of a hop; arrays float32 [pitches], the lowest pitch first."""

    onset: np.ndarray
    """probability that the note was struck within the last 50 ms or so"""
    frame: np.ndarray
    """probability that it sounds"""
    deviation: np.ndarray
    """semitones from the key to the pitch heard near it; means nothing where nothing sounds"""
    release: float
    """probability that any string was released within the last 12 ms"""


class PitchModel:
    """`step` is called by the hearing thread, once a hop; it does not block and allocates what the runtime returns.

    `hop_frames` divides the card's `frame_frames`. Raises ModelError for a folder, card or graph that is not as said.
    """

    def __init__(self, folder: Path, hop_frames: int = 128) -> None:
        card = load(folder, "pitch")
        audio = card.audio
        told = (audio.get("rows"), audio.get("channels"), audio.get("levels"), audio.get("first_row"))
        if told != (ROWS, CHANNELS, LEVELS, FIRST_ROW):
            raise ModelError(f"{folder}: made for another front end: rows, channels, levels, first_row are {told}")
        frame_frames = int(audio.get("frame_frames", 0))
        if hop_frames < 1 or frame_frames % hop_frames:
            raise ModelError(f"{folder}: a hop of {hop_frames} frames does not divide its frame of {frame_frames}")
        self.lowest = int(audio["lowest"])
        self.pitches = int(audio["pitches"])
        self.hop_frames = hop_frames
        self._signature = Interpreter(card.model_path).start().signature(SIGNATURE)
        self._scale = {n: self._signature.scales[n] for n in HEADS}
        self._pasts = [_Past(self._signature) for _ in range(frame_frames // hop_frames)]
        self._silence = self._after_silence()
        self._turn = 0
        self.reset()

    def reset(self) -> None:
        """Back to where a long silence ends, so that nothing is heard in how a stream begins."""
        for past in self._pasts:
            past.copy(self._silence)
        self._turn = 0

    def _after_silence(self) -> _Past:
        front = FrontEnd(self.hop_frames)
        silence = front.push(np.zeros(self.hop_frames, np.float32))
        past = _Past(self._signature)
        for _ in range(past.steps):
            past.take(self._signature.run(past.inputs(silence)))
        return past

    def step(self, features: Features) -> Posterior:
        """The posterior at the end of the hop that `features` ends with."""
        past = self._pasts[self._turn]
        self._turn = (self._turn + 1) % len(self._pasts)
        out = self._signature.run(past.inputs(features))
        past.take(out)
        onset, frame, deviation, release = (self._real(n, out[n]) for n in HEADS)
        return Posterior(_sigmoid(onset), _sigmoid(frame), deviation, float(_sigmoid(release)[0]))

    def _real(self, name: str, tensor: np.ndarray) -> np.ndarray:
        scale, zero = self._scale[name]
        return (tensor.reshape(-1).astype(np.float32) - np.float32(zero)) * np.float32(scale)


class _Past:
    """What one phase remembers: the previous levels, and a ring of each dilated layer's inputs.

    A past comes out in the scale in which it goes in again: the conversion checks that.
    """

    def __init__(self, signature: Signature) -> None:
        self._rings: dict[str, np.ndarray] = {}
        for name, tensor in signature.inputs.items():
            if name.startswith(PAST):
                self._rings[name] = np.zeros((int(name[len(PAST) :]), *tensor.shape), np.int8)
        self._levels = np.zeros((1, 1, 1, 2 * LEVELS), np.int8)
        self._local = np.zeros((1, ROWS, 1, CHANNELS), np.int8)
        self._count = 0
        self.steps = sum(len(ring) for ring in self._rings.values())  # after which the beginning is forgotten

    def copy(self, other: _Past) -> None:
        """Remembers what `other` does."""
        for name, ring in self._rings.items():
            ring[:] = other._rings[name]
        self._levels[:] = other._levels
        self._count = other._count

    def inputs(self, features: Features) -> dict[str, np.ndarray]:
        """uint8 steps are int8 steps, 128 lower."""
        self._levels[..., LEVELS:] = self._levels[..., :LEVELS]
        np.subtract(features.levels, 128, out=self._levels[0, 0, 0, :LEVELS], dtype=np.int16, casting="unsafe")
        np.subtract(features.local, 128, out=self._local[0, :, 0], dtype=np.int16, casting="unsafe")
        pasts = {n: ring[self._count % len(ring)] for n, ring in self._rings.items()}
        return {"local": self._local, "levels": self._levels, **pasts}

    def take(self, outputs: dict[str, np.ndarray]) -> None:
        for name, ring in self._rings.items():
            ring[self._count % len(ring)] = outputs[name]
        self._count += 1


def _sigmoid(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logit))
