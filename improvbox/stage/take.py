"""From a written score to a played take: sound, and the exact truth of what was played.

`python -m improvbox.stage.take TAKE.wav [--score SCORE.toml] [--truth NOTES.jsonl] [--guitar FOLDER]`
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import improvbox
from improvbox.errors import ImprovBoxError
from improvbox.events import PlayedNote
from improvbox.stage import notes, score, soundfonts
from improvbox.stage.guitar import CURVE_STEP_S, Guitar, Pluck, RecordedGuitar, SampledGuitar
from improvbox.stage.mix import write_wav
from improvbox.stage.score import Score, ScoreNote
from improvbox.stage.synth import RATE_HZ

DEMO = Path(improvbox.__file__).parent / "data" / "scores" / "demo.toml"
TAIL_S = 1.5
PEAK = 0.5  # -6 dB: what a guitarist's input gain should be set to
NOISE = 10 ** (-80 / 20)  # RMS of the hiss of a quiet interface: silence in life is not made of zeros

# A practised hand, in seconds, semitones and velocity steps.
TIMING_S, STRUM_S, VELOCITY, DETUNE = 0.006, 0.028, 5.0, 0.03
HOLD = 0.97  # of its written length a note is held, before the hand moves on
BEND_AFTER_S, BEND_S = 0.07, 0.16
VIBRATO_AFTER_S, VIBRATO_HZ, VIBRATO_CENTS = 0.22, 5.4, 18.0


@dataclass(frozen=True, slots=True)
class Take:
    """A played take."""

    samples: np.ndarray
    """float32 mono, 48 kHz"""
    truth: tuple[PlayedNote, ...]
    """onset: the string is released; offset: the note is damped; curve: as bent; `emitted` is the onset"""

    @property
    def seconds(self) -> float:
        return len(self.samples) / RATE_HZ


def play(written: Score, guitar: Guitar, seed: int | None = None) -> Take:
    """`written` on `guitar`, with the small irregularities of a hand by `seed` (None: the score's). The same arguments
    give the same samples."""
    rng = np.random.default_rng(written.seed if seed is None else seed)
    ends = max(n.onset + n.beats for n in written.notes)
    samples = np.zeros(round((written.time(ends) + TAIL_S) * RATE_HZ), np.float64)
    truth = []
    with guitar:
        for number, (note, onset, detune) in enumerate(_by_hand(written, rng), start=1):
            seconds = max(0.03, note.beats * 60 / written.tempo_bpm * HOLD - (onset - written.time(note.onset)))
            cents = _curve(note, seconds) + detune
            velocity = int(np.clip(round(note.velocity + rng.normal(0, VELOCITY)), 1, 127))
            pluck = Pluck(note.key, velocity, seconds, cents, note.muted)
            sound, lead = guitar.pluck(pluck)
            first = round(onset * RATE_HZ)
            _add(samples, sound, first - lead)
            truth.append(_told(number, note, first, pluck))
    peak = float(np.abs(samples).max())
    noise = rng.normal(0, NOISE, len(samples))
    return Take((samples * (PEAK / peak if peak > 0 else 1.0) + noise).astype(np.float32), tuple(truth))


def _by_hand(written: Score, rng: np.random.Generator) -> Iterator[tuple[ScoreNote, float, float]]:
    """(note, when it is really played in s, detuning in cents). The notes of a chord share one hesitation."""
    last, late = -1.0, 0.0
    for note in written.notes:
        if note.onset != last:
            last, late = note.onset, float(np.clip(rng.normal(0, TIMING_S), -2 * TIMING_S, 2 * TIMING_S))
        onset = max(0.0, written.time(note.onset) + late + note.strum * STRUM_S)
        yield note, onset, float(np.clip(rng.normal(0, DETUNE), -2 * DETUNE, 2 * DETUNE)) * 100


def _curve(note: ScoreNote, seconds: float) -> np.ndarray:
    """float64[n], cents against the key, a point every CURVE_STEP_S of the note and a little longer."""
    t = np.arange(int(seconds / CURVE_STEP_S) + 20) * CURVE_STEP_S
    way = min(BEND_S, 0.3 * seconds)
    start = min(BEND_AFTER_S, 0.15 * seconds)
    up = _smooth((t - start) / way)
    back = _smooth((t - 0.6 * seconds) / way)
    bent = {"": 0.0, "up": up, "up and back": up - back, "from above": 1 - _smooth((t - 0.3 * seconds) / way)}
    curve = 100 * note.bend * bent[note.shape] + np.zeros_like(t)
    if note.vibrato:  # a string can only be pushed sharp
        deep = _smooth((t - VIBRATO_AFTER_S) / 0.25)
        curve += deep * VIBRATO_CENTS * (1 - np.cos(2 * np.pi * VIBRATO_HZ * np.maximum(0, t - VIBRATO_AFTER_S)))
    return curve


def _smooth(x: np.ndarray) -> np.ndarray:
    """0 before 0, 1 after 1, without a corner."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def _add(samples: np.ndarray, sound: np.ndarray, first: int) -> None:
    skip = max(0, -first)
    room = samples[first + skip : first + len(sound)]
    room += sound[skip : skip + len(room)]


def _told(number: int, note: ScoreNote, first: int, played: Pluck) -> PlayedNote:
    """`played` as it goes on record; its string is released at frame `first`."""
    onset, cents = first / RATE_HZ, played.cents
    curve: list[tuple[float, float]] = []
    for place, value in enumerate(cents - cents[0]):
        after = place * CURVE_STEP_S
        if after < played.seconds and abs(value - (curve[-1][1] if curve else 0.0)) >= 1.0:
            curve.append((after, float(value)))
    pitch = note.key + float(cents[0]) / 100
    return PlayedNote("human", number, onset, onset + played.seconds, pitch, played.velocity, onset, tuple(curve))


def write(take: Take, path: str | Path, truth: str | Path | None = None) -> None:
    """The take as a mono WAV, its truth as notes. Raises InputFileError, StreamError."""
    write_wav(path, [take.samples], RATE_HZ, channels=1)
    if truth is not None:
        notes.write(truth, take.truth)


def render(
    path: str | Path,
    written: str | Path = DEMO,
    *,
    truth: str | Path | None = None,
    guitar: str | Path | None = None,
    soundfont: str = "",
    seed: int | None = None,
) -> Take:
    """Plays a score and writes it. `guitar`: a folder of recorded notes; None: the SoundFont's guitar.

    Raises InputFileError (score, folder, SoundFont, place to write), MissingDriverError (FluidSynth).
    """
    read = score.load(written)
    player: Guitar
    if guitar is not None:
        player = RecordedGuitar(Path(guitar))
    else:
        player = SampledGuitar(soundfonts.find(soundfont), read.program, read.muted_program)
    take = play(read, player, seed)
    write(take, path, truth)
    return take


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m improvbox.stage.take", description="Plays a score to a WAV.")
    parser.add_argument("wav", help="where the take goes: mono, 48 kHz, 24 bit")
    parser.add_argument("--score", default=DEMO, help="a score (TOML); default: the demo")
    parser.add_argument("--truth", help="where the notes that were played go (JSON lines)")
    parser.add_argument("--guitar", help="a folder of recorded single notes instead of a SoundFont's guitar")
    parser.add_argument("--soundfont", default="", help="a SoundFont; default: what is installed")
    parser.add_argument("--seed", type=int, help="of the hand's irregularities; default: the score's")
    given = parser.parse_args(arguments)
    try:
        take = render(
            given.wav,
            given.score,
            truth=given.truth,
            guitar=given.guitar,
            soundfont=given.soundfont,
            seed=given.seed,
        )
    except ImprovBoxError as error:
        print(f"improvbox: {error}", file=sys.stderr)
        return error.exit_code
    print(f"{given.wav}: {take.seconds:.1f} s, {len(take.truth)} notes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
