"""Single notes to build performances from, at 24 kHz, each with its release at a known sample and a measured pitch.

Real guitars come from a folder of `<instrument>/*.flac` with `f0.tsv`; plucked programs of a SoundFont are further
timbres. Whole instruments are left out by not naming them; within the named ones every fifth semitone is held back
for development scores (`split="dev"`).
"""

from __future__ import annotations

import csv
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import mido
import numpy as np
import soundfile as sf
import soxr
from scipy.ndimage import spline_filter1d

from improvbox.hearing.frontend import INNER_RATE_HZ as RATE

LEAD = round(0.012 * RATE)  # samples kept before the release: pick contact
GUITARS = ("egreen", "aarchtop", "earchtop")
BASSES = ("ebass6", "bgrowly")
# Programs of the SoundFont's that are plucked and no guitar: General MIDI numbers from 0.
PLUCKED_TRAIN = (6, 7, 15, 32, 33, 34, 36, 45, 46, 107, 108)
PLUCKED_DEV = (104, 105, 106)
DEV_EVERY, DEV_REST = 5, 3


@dataclass(frozen=True, slots=True)
class Note:
    """One recorded note."""

    spline: np.ndarray
    """float32 cubic-spline coefficients of the waveform, peak of the attack 1; release at sample LEAD"""
    midi: float
    """measured"""


def load(folder: Path, soundfont: Path | None, split: str) -> dict[str, dict[str, list[Note]]]:
    """{kind: {instrument: notes}}, kinds 'guitar', 'bass', 'plucked'; split 'train' or 'dev'."""
    bank = {
        "guitar": {name: recorded(folder / name, split) for name in GUITARS},
        "bass": {name: recorded(folder / name, split) for name in BASSES},
        "plucked": {},
    }
    if soundfont is not None:
        programs = PLUCKED_TRAIN if split == "train" else PLUCKED_DEV
        bank["plucked"] = {f"program {p}": sampled(soundfont, p) for p in programs}
    return {kind: {n: notes for n, notes in group.items() if notes} for kind, group in bank.items()}


def recorded(folder: Path, split: str) -> list[Note]:
    """The open, pitched notes of one instrument; muted and hammered ones have no clean release."""
    with open(folder / "f0.tsv", encoding="utf-8") as table:
        rows = list(csv.DictReader(table, delimiter="\t"))
    notes = []
    for row in rows:
        name, measured = row["file"], row["midi_measured"]
        if "_stac" in name or "_hammer" in name or not measured or measured == "nan":
            continue
        if (int(row["midi_label"]) % DEV_EVERY == DEV_REST) != (split == "dev"):
            continue
        note = _cut(read(folder / name), float(measured))
        if note is not None:
            notes.append(note)
    return notes


def muted(folder: Path) -> list[np.ndarray]:
    """Short muted plucks without a sure pitch: onsets that are no notes. Peak 1."""
    sounds = [read(path) for path in sorted(folder.glob("*_stac.flac"))]
    return [s / np.abs(s).max() for s in sounds]


def read(path: Path) -> np.ndarray:
    """A sound file as float32 mono at 24 kHz."""
    samples, rate = sf.read(path, dtype="float32", always_2d=True)
    return soxr.resample(samples[:, 0], rate, RATE).astype(np.float32)


def _cut(samples: np.ndarray, midi: float) -> Note | None:
    """Release: the first sample over -20 dB of the peak of the attack's 80 ms. None where nothing of use remains."""
    samples = np.pad(samples, (LEAD, 0))
    size = np.abs(samples)
    if size.max() < 1e-4:
        return None
    rough = int(np.argmax(size > 0.04 * size.max()))
    peak = size[rough : rough + round(0.08 * RATE)].max()
    start = max(0, rough - round(0.02 * RATE))
    release = start + int(np.argmax(size[start:] > 0.1 * peak))
    kept = samples[max(0, release - LEAD) : release + round(2.4 * RATE)].copy()
    if release < LEAD or len(kept) < 0.25 * RATE:
        return None
    kept[: LEAD // 2] *= np.linspace(0, 1, LEAD // 2)
    return Note(spline_filter1d(kept / peak, 3).astype(np.float32), midi)


def sampled(soundfont: Path, program: int, lowest: int = 37, highest: int = 88) -> list[Note]:
    """Every second semitone of a SoundFont program at two velocities, rendered by the `fluidsynth` command."""
    step_s, held_s = 1.8, 1.4
    plan = [(m, v) for m in range(lowest, highest + 1, 2) for v in (60, 112)]
    file = mido.MidiFile(ticks_per_beat=480)
    track = mido.MidiTrack([mido.Message("program_change", program=program)])
    file.tracks.append(track)
    for i, (midi, velocity) in enumerate(plan):
        rest = 0.2 if i == 0 else step_s - held_s
        track.append(mido.Message("note_on", note=midi, velocity=velocity, time=round(rest * 960)))
        track.append(mido.Message("note_off", note=midi, velocity=0, time=round(held_s * 960)))
    with tempfile.TemporaryDirectory() as scratch:
        midi_path, wav_path = Path(scratch, "a.mid"), Path(scratch, "a.wav")
        file.save(midi_path)
        command = [
            "fluidsynth",
            "-ni",
            "-q",
            "-r",
            "48000",
            "-R",
            "0",
            "-C",
            "0",
            "-g",
            "0.5",
            "-O",
            "float",
            "-T",
            "wav",
        ]
        subprocess.run([*command, "-F", wav_path, soundfont, midi_path], check=True, capture_output=True)
        sound = read(wav_path)
    notes = []
    for i, (midi, _) in enumerate(plan):
        start = round((0.19 + i * step_s) * RATE)
        piece = sound[start : start + round(held_s * RATE)]
        measured = _measured(piece[round(0.1 * RATE) : round(0.5 * RATE)], midi)
        note = _cut(piece, measured) if abs(measured - midi) < 0.35 else None
        if note is not None:
            notes.append(note)
    return notes


def _measured(piece: np.ndarray, midi: float) -> float:
    """Pitch from the first three partials near `midi`, weighted by size; far off where there is nothing."""
    if len(piece) < 0.3 * RATE or np.abs(piece).max() < 0.005:
        return -100.0
    spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 1 << 17))
    freqs = np.fft.rfftfreq(1 << 17, 1 / RATE)
    sizes, pitches = [], []
    for partial in (1, 2, 3):
        centre = partial * 440 * 2 ** ((midi - 69) / 12)
        near = np.flatnonzero((freqs > centre * 0.955) & (freqs < centre * 1.047))
        best = near[np.argmax(spectrum[near])]
        sizes.append(spectrum[best])
        pitches.append(69 + 12 * np.log2(freqs[best] / partial / 440))
    return float(np.average(pitches, weights=sizes))
