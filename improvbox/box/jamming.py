"""What `improvbox jam` does: builds the parts, plays the session, writes what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from improvbox.audio.wav import WavSource
from improvbox.box import parts, takes
from improvbox.box.folders import data_folder
from improvbox.box.offline import Jam, check_cues, jam
from improvbox.config import Settings, StageSettings
from improvbox.events import PLAYERS, Command, PlayedNote
from improvbox.stage import midi, notes, roll, soundfonts
from improvbox.stage.fluid import FluidOffline
from improvbox.stage.midi import HUMAN_CHANNELS, HUMAN_PROGRAM
from improvbox.stage.mix import blend, guitar_gain, write_wav
from improvbox.stage.render import Change, NoteRenderer, Voicing, mix
from improvbox.stage.synth import Synth

BLOCK_FRAMES = 4096


@dataclass(frozen=True, slots=True)
class Played:
    """A session that was played, and what it takes to make sound of it."""

    jam: Jam
    take: Path
    band: FluidOffline


def play(
    settings: Settings,
    take: Path,
    cues: Sequence[Command],
    delay_ms: float | None = None,
    progress: Callable[[float], None] = lambda t: None,
) -> Played:
    """The session of `take` and `cues`. Raises InputFileError, UsageError, ModelError."""
    data = data_folder(settings.box)
    human: takes.Take
    if takes.is_midi(take):
        human = takes.MidiTake(take, delay_ms)
        check_cues(cues, human.duration_s)
    else:
        human = takes.WavTake(take, parts.listener(settings, data, parts.COMPUTE_S))
    sound = FluidOffline(settings.stage)
    players = parts.band(settings, data, settings.band.seed)
    done = jam(settings, human, players, parts.beat(settings), cues=cues, sinks=[sound], progress=progress)
    return Played(done, take, sound)


def write(played: Played, settings: Settings, out: Mapping[str, Path | None]) -> None:
    """Writes the files that `out` names (notes, midi, wav, roll), each whole or not at all."""
    if path := out.get("wav"):
        soundfonts.find(settings.stage.soundfont)  # before minutes of work
        write_wav(path, _mix(played, settings.stage))
    if path := out.get("notes"):
        notes.write(path, played.jam.notes)
    if path := out.get("midi"):
        programs = {part: settings.player(part).program for part in PLAYERS}
        midi.write(path, played.jam.notes, programs, settings.band.tempo_bpm or 120.0)
    if path := out.get("roll"):
        session = roll.Session(
            played.jam.notes,
            played.jam.commands,
            [(t, beat == 0) for t, beat in played.jam.beats],
            {part: settings.player(part).role for part in PLAYERS},
            played.take.name,
            played.jam.duration_s,
        )
        roll.draw(path, session)


def _mix(played: Played, stage: StageSettings) -> Iterator[np.ndarray]:
    band = played.band.blocks(played.jam.duration_s)
    if takes.is_midi(played.take):
        human = [note for note in played.jam.notes if note.part == "human"]
        yield from blend(_sung(human, stage, played.jam.duration_s), band)
    else:
        peak = max((float(np.abs(block).max()) for block in _sound(played.take)), default=0.0)
        yield from blend(_sound(played.take), band, guitar_gain(peak))


def _sound(take: Path) -> Iterator[np.ndarray]:
    source = WavSource(take, BLOCK_FRAMES)
    source.start()
    try:
        while (block := source.read()) is not None:
            yield block.samples
    finally:
        source.stop()


def _sung(human: Sequence[PlayedNote], stage: StageSettings, seconds: float) -> Iterator[np.ndarray]:
    """A symbolic human as a clean guitar, in the middle."""
    voicings = []
    for note in human:
        key = min(127, max(0, round(note.pitch)))
        off = 100.0 * (note.pitch - key)  # cents from the key
        start: Change = (0.0, "bend", off)
        bends: Iterator[Change] = ((after, "bend", off + cents) for after, cents in note.curve)
        length = max(0.02, note.offset - note.onset)
        changes = (start, *bends)
        voicings.append(
            Voicing(HUMAN_CHANNELS[0], HUMAN_PROGRAM, key, note.velocity, note.onset, length, changes=changes)
        )
    with Synth(soundfonts.find(stage.soundfont), stage.gain, stage.polyphony, on_demand=True) as synth:
        for block in mix(voicings, NoteRenderer(synth), seconds):
            yield block.mean(axis=1)
