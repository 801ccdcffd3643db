"""Scores a converted model as the live box runs it: int8, hop by hop, with the product's own decoder.

The takes are new clips from the notes and timbres held back from training. They say which of two models is better;
the absolute numbers are of made-up performances with noise, drive and detuning, harder than a clean recording.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import mir_eval
import numpy as np
import soxr

from improvbox.config import HearingSettings
from improvbox.events import NoteOn
from improvbox.hearing.frontend import RATE_HZ
from improvbox.hearing.listener import Listener
from models.training.pitch.mix import RATE, Mixer, Sounding

ONSET_S, PITCH_CENTS = 0.05, 50.0
COMPUTE_S = 0.001  # a hop's, assumed, so that scores do not depend on the machine
SINGLE = ("line", "tremolo")  # kinds of playing with one note at a time
BLOCK = 128


@dataclass(slots=True)
class Tally:
    """Counts of one group of clips."""

    true: int = 0
    named: int = 0
    right: int = 0
    seconds: float = 0.0
    delays_ms: list[float] = field(default_factory=list)

    def line(self) -> dict[str, float]:
        """F1, precision, recall in percent, delay in ms of the right notes, false notes a minute."""
        precision, recall = self.right / max(1, self.named), self.right / max(1, self.true)
        delays = np.array(self.delays_ms or [np.nan])
        return {
            "f1": round(200 * precision * recall / max(1e-9, precision + recall), 1),
            "precision": round(100 * precision, 1),
            "recall": round(100 * recall, 1),
            "delay_median_ms": round(float(np.median(delays)), 1),
            "delay_p90_ms": round(float(np.quantile(delays, 0.9)), 1),
            "within_30_ms": round(100 * float((delays < 30).sum()) / max(1, self.true), 1),
            "false_a_minute": round(60 * (self.named - self.right) / max(1e-9, self.seconds), 1),
        }


def score(folder: Path, mixer: Mixer, clips: int, mode: str = "model", threshold: float | None = None) -> dict:
    """{'single' | 'chords' | 'nothing': Tally.line()} over `clips` clips of `mixer`."""
    settings = HearingSettings() if threshold is None else HearingSettings(threshold=threshold)
    tallies: dict[str, Tally] = {}
    for _ in range(clips):
        signal, soundings, kind = mixer.clip()
        sound = soxr.resample(signal, RATE, RATE_HZ).astype(np.float32)
        group = "nothing" if kind == "none" else "single" if kind in SINGLE else "chords"
        count(tallies.setdefault(group, Tally()), soundings, hear(folder, sound, settings, mode), len(sound) / RATE_HZ)
    return {group: tally.line() for group, tally in sorted(tallies.items())}


def hear(folder: Path, sound: np.ndarray, settings: HearingSettings, mode: str = "model") -> list[NoteOn]:
    """What the live box would say of `sound`, float32 at 48 kHz."""
    listener = Listener(settings, folder, compute_s=COMPUTE_S)
    listener.start()
    if mode != listener.mode:
        listener.switch(mode)
    notes = []
    for start in range(0, len(sound), BLOCK):
        notes += [e for e in listener.push(sound[start : start + BLOCK]) if isinstance(e, NoteOn)]
    return notes


def count(tally: Tally, soundings: list[Sounding], notes: list[NoteOn], seconds: float) -> None:
    """Adds one clip. Right: onset within ONSET_S, pitch at the attack within PITCH_CENTS, one to one."""
    true = sorted(t for s in soundings for t in _onsets(s))
    tally.true += len(true)
    tally.named += len(notes)
    tally.seconds += seconds
    if not true or not notes:
        return
    pairs = mir_eval.transcription.match_notes(
        np.array([[t, t + 0.1] for t, _ in true]), _hz([m for _, m in true]),
        np.array([[n.onset, n.onset + 0.1] for n in notes]), _hz([n.pitch for n in notes]),
        onset_tolerance=ONSET_S, pitch_tolerance=PITCH_CENTS, offset_ratio=None,
    )  # fmt: skip
    tally.right += len(pairs)
    tally.delays_ms += [1000 * (notes[j].emitted - true[i][0]) for i, j in pairs]


def _onsets(sounding: Sounding) -> list[tuple[float, float]]:
    """(s, MIDI) of the pluck and of every new note without one."""
    last = len(sounding.midi) - 1
    steps = [(sounding.start, 0)] + [(s, s - sounding.start + RATE // 100) for s in sounding.steps if s < sounding.end]
    return [(at / RATE, float(sounding.midi[min(last, i)])) for at, i in steps]


def _hz(midis: list[float]) -> np.ndarray:
    return 440 * 2 ** ((np.array(midis) - 69) / 12)
