"""Notes to samples, offline: each note is rendered alone and laid down at its exact sample.

FluidSynth alone would start a note at the next block of 64 frames. Rendering note by note also makes a note's sound
independent of what was rendered before it: same notes, same samples, whatever their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from improvbox.stage.sounds import volume
from improvbox.stage.synth import BLOCK_FRAMES, RATE_HZ, Synth

LONGEST_TAIL_S = 6.0  # a release still sounding then is faded: no General MIDI sound but a bell rings longer
TAIL_FRAMES = 32 * BLOCK_FRAMES  # how often a release is asked whether it still sounds
FADE_FRAMES = 240  # 5 ms, the end of a tail that was cut: no click
CHUNK_FRAMES = 10 * RATE_HZ
RINSE_CHANNEL, RINSE_KEYS = 15, range(40, 56)  # sixteen voices: no General MIDI note takes more than four

Change = tuple[float, str, float]
"""s after the onset (before its end), "bend" or "level", cents or 0..1"""


@dataclass(frozen=True, slots=True)
class Voicing:
    """One note and how it is to sound."""

    channel: int
    program: int
    key: int
    velocity: int
    onset: float
    """s, 0 or more"""
    duration: float
    """s"""
    level: float = 1.0
    """0..1 at its onset"""
    changes: tuple[Change, ...] = field(default=())
    """in time order; a change at 0 is heard from the attack on"""
    cut: float | None = None
    """s after the onset when it stops dead, its release too"""


class NoteRenderer:
    """Renders single notes with one synth that it does not own. The synth must not run a driver."""

    def __init__(self, synth: Synth) -> None:
        self._synth = synth
        self._programs: dict[int, int] = {RINSE_CHANNEL: synth.program(RINSE_CHANNEL, 0)}

    def render(self, note: Voicing) -> np.ndarray:
        """float32[n, 2]: the note from its onset to the end of its release."""
        synth, channel = self._synth, note.channel
        self._rinse()
        if self._programs.get(channel) != note.program:
            synth.program(channel, note.program)
            self._programs[channel] = note.program
        synth.bend(channel, 0.0)
        synth.control(channel, 7, volume(note.level))
        parts: list[np.ndarray] = []
        at = 0

        def until(seconds: float) -> None:
            nonlocal at
            frames = max(0, round(seconds * RATE_HZ / BLOCK_FRAMES) * BLOCK_FRAMES - at)
            parts.append(synth.render(frames))
            at += frames

        struck = False
        for after, what, value in (*note.changes, (note.duration, "end", 0.0)):
            if after > 0 and not struck:
                synth.note_on(channel, note.key, note.velocity)
                struck = True
            until(min(after, note.duration))
            if what == "bend":
                synth.bend(channel, value)
            elif what == "level":
                synth.control(channel, 7, volume(value))
        synth.note_off(channel, note.key)
        limit = note.duration + LONGEST_TAIL_S if note.cut is None else note.cut
        while synth.voices and at < limit * RATE_HZ:
            parts.append(synth.render(TAIL_FRAMES))
            at += TAIL_FRAMES
        return self._finish(np.concatenate(parts), note.cut)

    def _rinse(self) -> None:
        """Gives every voice the same past: its first block keeps a trace (76 dB down) of what it played before."""
        for key in RINSE_KEYS:
            self._synth.note_on(RINSE_CHANNEL, key, 1)
        self._synth.render(4 * BLOCK_FRAMES)
        self._silence()

    def _silence(self) -> None:
        self._synth.all_off()
        while self._synth.voices:
            self._synth.render(BLOCK_FRAMES)

    def _finish(self, sound: np.ndarray, cut: float | None) -> np.ndarray:
        rings = self._synth.voices > 0
        if rings:
            self._silence()
        if cut is not None:
            sound = sound[: max(FADE_FRAMES, round(cut * RATE_HZ))]
        if rings or cut is not None:
            fade = min(FADE_FRAMES, len(sound))
            sound[len(sound) - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)[:, None]
        return sound


def mix(notes: Iterable[Voicing], renderer: NoteRenderer, seconds: float | None = None) -> Iterator[np.ndarray]:
    """float32[<= CHUNK_FRAMES, 2] pieces of all notes together, in order; memory is bounded by one piece and a tail.

    `seconds`: the exact length; None: until the last release has ended.
    """
    carry = np.zeros((0, 2), np.float32)  # sound from frame `start` on
    start = 0
    for note in sorted(notes, key=lambda n: (n.onset, n.channel, n.key)):
        first = round(note.onset * RATE_HZ)
        while first >= start + CHUNK_FRAMES:
            yield _head(carry)
            carry = carry[CHUNK_FRAMES:]
            start += CHUNK_FRAMES
        sound = renderer.render(note)
        end = first - start + len(sound)
        if end > len(carry):
            carry = np.concatenate([carry, np.zeros((end - len(carry), 2), np.float32)])
        carry[first - start : end] += sound
    total = start + len(carry) if seconds is None else round(seconds * RATE_HZ)
    while start < total:
        yield _head(carry)[: total - start]
        carry = carry[CHUNK_FRAMES:]
        start += CHUNK_FRAMES


def _head(carry: np.ndarray) -> np.ndarray:
    """The first CHUNK_FRAMES of `carry`, silence added where it is shorter."""
    head = carry[:CHUNK_FRAMES]
    return np.concatenate([head, np.zeros((CHUNK_FRAMES - len(head), 2), np.float32)])
