"""Clips: a performance played on a voice, through a chain, as features and labels; shards of clips on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from improvbox.hearing.frontend import INNER_RATE_HZ as RATE
from improvbox.hearing.frontend import frames
from models.training.pitch import notes as notes_
from models.training.pitch.playing import CURVE_RATE_HZ, HIGHEST, LOWEST, Player, Stroke
from models.training.pitch.sounds import add_noises, through_chain
from models.training.pitch.strings import ModalVoice, RecordedVoice

PITCHES = HIGHEST - LOWEST + 1
HOP = 128  # samples at 24 kHz: 5.33 ms. At run time two interleaved phases give a result every 2.67 ms.
CLIP_S = 8.0
CLIPS_A_SHARD = 40
AGE_STEP = 32  # samples at 24 kHz: 1.33 ms
AGE_MOST, SILENT = 254, 255
DEVIATION_STEPS, NO_DEVIATION = 80, 127  # steps a semitone
AGAIN, LEGATO = 1, 2  # flags: the pitch still rang when it was struck again; a note without a pluck
PLAYING = {
    "line": 0.4,
    "strums": 0.2,
    "double stops": 0.08,
    "arpeggio": 0.12,
    "bass and melody": 0.04,
    "tremolo": 0.05,
    "none": 0.11,
}
VOICES = {"guitar": 0.46, "bass": 0.08, "plucked": 0.16, "modal": 0.30}


@dataclass(frozen=True, slots=True)
class Sounding:
    """One note as it went into the mix. Samples at 24 kHz."""

    start: int
    end: int
    midi: np.ndarray
    """float32 pitch of each sample from `start` on"""
    steps: tuple[int, ...]
    """samples where a new note begins without a pluck"""


class Mixer:
    """Random clips, for ever, from one seed."""

    def __init__(self, bank: dict, muted: list[np.ndarray], seed: int | list[int]) -> None:
        self._bank, self._muted = bank, muted
        self._rng = np.random.default_rng(seed)

    def clip(self) -> tuple[np.ndarray, list[Sounding], str]:
        """(float32 signal of CLIP_S at 24 kHz, what sounds, kind of playing)."""
        rng = self._rng
        kind = str(rng.choice(list(PLAYING), p=list(PLAYING.values())))
        n = round(CLIP_S * RATE)
        sound, soundings = np.zeros(n + RATE, np.float32), []
        if kind != "none":
            voice = self._voice()
            tail_s = rng.uniform(0.03, 0.3) if rng.random() < 0.25 else 0.0  # the old note rings into the new one
            for stroke in Player(rng, CLIP_S).play(kind):
                soundings.append(self._sound(voice, stroke, tail_s, sound))
        sound = sound[:n]
        if kind == "none":
            add_noises(rng, sound, int(rng.integers(0, 30)), 0.0, self._muted)
        elif rng.random() < 0.3:
            add_noises(rng, sound, int(rng.integers(1, 6)), -6.0, [])
        return through_chain(rng, sound), soundings, kind

    def _voice(self) -> RecordedVoice | ModalVoice:
        rng = self._rng
        kinds = [k for k in VOICES if k == "modal" or self._bank.get(k)]
        share = np.array([VOICES[k] for k in kinds])
        kind = str(rng.choice(kinds, p=share / share.sum()))
        if kind == "modal":
            return ModalVoice(rng)
        names = list(self._bank[kind])
        return RecordedVoice(self._bank[kind][names[rng.integers(len(names))]], rng, lift=kind == "bass")

    def _sound(self, voice: RecordedVoice | ModalVoice, stroke: Stroke, tail_s: float, out: np.ndarray) -> Sounding:
        """Adds one stroke to `out`."""
        rng, lead = self._rng, notes_.LEAD
        start, held = round(stroke.t * RATE), int(stroke.duration * RATE)
        n = held + int(tail_s * RATE)
        at = (np.arange(n + lead) - lead) / RATE
        curve = np.interp(at, np.arange(len(stroke.curve)) / CURVE_RATE_HZ, stroke.curve)
        wave = voice.sound(stroke.midi, curve) * np.float32(10 ** (stroke.gain_db / 20))
        if stroke.decay_s is not None:
            wave[lead:] *= np.exp(-at[lead:] / stroke.decay_s)
        if tail_s:
            wave[lead + held :] *= np.exp(-np.arange(n - held) / RATE / (tail_s / 3))
        fade = min(int(rng.uniform(0.002, 0.012) * RATE), n // 3)
        wave[-fade:] *= np.linspace(1, 0, fade)
        skip = max(0, lead - start)
        place = start - lead + skip
        wave_in = wave[skip:][: len(out) - place]
        out[place : place + len(wave_in)] += wave_in
        # A note sounds until it has fallen 40 dB under its own peak.
        size = np.abs(wave[lead:])
        blocks = size[: len(size) // 480 * 480].reshape(-1, 480).max(1) if len(size) >= 480 else size[None].max(1)
        quiet = np.flatnonzero(blocks < 0.01 * size.max())
        end = start + min(held, quiet[0] * 480 if len(quiet) else held)
        steps = tuple(start + round(s * RATE) for s in stroke.steps)
        return Sounding(start, end, (stroke.midi + curve[lead:]).astype(np.float32), steps)


def labels(soundings: list[Sounding], count: int, hop: int = HOP) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(age uint8, deviation int8, flags uint8), each [count, PITCHES]; frame i has heard (i + 1) * hop samples.

    age: since the release in AGE_STEP samples, SILENT where nothing sounds. deviation: of the sounding pitch from this
    one, DEVIATION_STEPS a semitone, also for both neighbours of a sounding one; NO_DEVIATION elsewhere.
    """
    age = np.full((count, PITCHES), SILENT, np.uint8)
    deviation = np.full((count, PITCHES), NO_DEVIATION, np.int8)
    flags = np.zeros((count, PITCHES), np.uint8)
    for s in sorted(soundings, key=lambda s: s.start):
        first, last = s.start // hop, min(count, s.end // hop)
        if last <= first:
            continue
        rows = np.arange(first, last)
        ends = (rows + 1) * hop
        midi = s.midi[np.clip(ends - s.start, 0, len(s.midi) - 1)]
        begun = np.full(len(ends), s.start)
        for step in s.steps:
            begun[ends > step] = step
        ages = np.clip((ends - begun) // AGE_STEP, 0, AGE_MOST).astype(np.uint8)
        nearest = np.rint(midi).astype(int) - LOWEST
        began_at = int(np.clip(nearest[0], 0, PITCHES - 1))
        again = AGAIN if first > 8 and (age[first - 8 : first, began_at] != SILENT).any() else 0
        for off in (-1, 1, 0):
            column = nearest + off
            ok = (column >= 0) & (column < PITCHES)
            r, c, value = rows[ok], column[ok], np.rint((midi[ok] - LOWEST - column[ok]) * DEVIATION_STEPS)
            if off == 0:
                age[r, c], deviation[r, c] = ages[ok], value
                flags[r, c] = again | np.where(begun[ok] > s.start, LEGATO, 0)
            else:
                free = deviation[r, c] == NO_DEVIATION
                deviation[r[free], c[free]] = value[free]
    return age, deviation, flags


def write_shards(mixer: Mixer, folder: Path, name: str, first: int, count: int) -> None:
    """`count` shards of CLIPS_A_SHARD clips, numbered from `first`: NAME-000-local.npy, then the rest, NAME-000.npz."""
    folder.mkdir(parents=True, exist_ok=True)
    for shard in range(first, first + count):
        rows: dict[str, list] = {k: [] for k in ("local", "levels", "age", "deviation", "flags", "kind")}
        for _ in range(CLIPS_A_SHARD):
            signal, soundings, kind = mixer.clip()
            local, levels = frames(signal, HOP)
            made = (local, levels, *labels(soundings, len(local)), list(PLAYING).index(kind))
            for key, value in zip(rows, made, strict=True):
                rows[key].append(value)
        stem = folder / f"{name}-{shard:03d}"
        np.save(f"{stem}-local.npy", np.stack(rows.pop("local")))
        # A reader takes a shard in when it sees the .npz: it must be whole by then.
        np.savez(f"{stem}.part.npz", **{k: np.stack(v) for k, v in rows.items()})
        Path(f"{stem}.part.npz").rename(f"{stem}.npz")
