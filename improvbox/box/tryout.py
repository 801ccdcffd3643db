"""What `improvbox try` does: a take is played into the live box over real ALSA, feet press footswitches on the way.

Without a sound card the rig's dummy server paces it all; with one, guitar and band are heard on it. Everything between
the interface and the synth is the box as it runs on stage: same threads, same code, same settings.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from improvbox.audio import finder
from improvbox.audio.rig import Recording, Rig
from improvbox.audio.source import RATE_HZ
from improvbox.box import runner
from improvbox.box.build import Assembled
from improvbox.box.notelog import NoteLog
from improvbox.clock import sleep_s
from improvbox.config import Settings
from improvbox.errors import DeviceError, ImprovBoxError, StreamError
from improvbox.events import PLAYERS, Command, PlayedNote
from improvbox.stage import midi, notes, roll
from improvbox.stage.files import replacing
from improvbox.stage.mix import blend, guitar_gain, write_wav

LEAD_IN_S = 2.0  # the box runs before the first sound: threads are up, the synth has its first blocks behind it
TAIL_S = 3.0  # the band's last answer, and its release
PIECE_FRAMES = RATE_HZ

# Feet for a take that brings none: WHEN as a share of the take. Home, make room, fight, trade, home again.
FEET = ((0.2, "fs1"), (0.35, "fs1"), (0.5, "fs2"), (0.65, "fs3"), (0.85, "fs1"))


@dataclasses.dataclass(frozen=True, slots=True)
class Tryout:
    """What came of it."""

    notes: tuple[PlayedNote, ...]
    commands: tuple[Command, ...]
    """carried out"""
    summary: dict[str, Any]
    """as of `improvbox run`"""
    files: dict[str, Path]
    heard_on: str
    """the card, or '' for none"""


def feet_for(seconds: float) -> list[str]:
    """Moves for a take of this length (s), for `play`."""
    return [f"{share * seconds:.2f}:{what}" for share, what in FEET]


def play(settings: Settings, take: np.ndarray, moves: Sequence[str], out: Path, title: str = "") -> Tryout:
    """Plays `take` (float32 at 48 kHz) and writes what came of it to the folder `out`.

    moves: feet and hands as in `controls.script`, times from the start of the take.
    Raises what the rig and the box raise: MissingDriverError, DeviceError, ModelError, StreamError.
    """
    log, seconds = NoteLog(), len(take) / RATE_HZ
    recordings: list[Recording] = []
    problems: list[ImprovBoxError] = []
    with _rig() as rig, rig.environment(), tempfile.TemporaryDirectory(prefix="improvbox-try-") as folder:
        stand_in = dataclasses.replace(
            settings,
            audio=dataclasses.replace(settings.audio, pcm=rig.capture, channel=1),
            stage=dataclasses.replace(settings.stage, pcm=rig.playback),
            controls=dataclasses.replace(settings.controls, pins="fake"),
            box=dataclasses.replace(settings.box, data=str(out / "data")),
        )

        def feed(assembled: Assembled, end: threading.Event) -> None:
            try:
                recordings.append(_feed(rig, assembled, take, Path(folder) / "recording.wav"))
            except ImprovBoxError as error:
                problems.append(error)
            finally:
                end.set()

        later = [_later(move, LEAD_IN_S) for move in moves]
        summary = runner.run(stand_in, None, later, log=log, companion=feed)
        if problems:
            raise problems[0]
        if not recordings:
            raise StreamError("the try-out was stopped before the take was over; nothing was written")
        log.finish(LEAD_IN_S + seconds + TAIL_S)
        files = _leave(out, settings, log, summary=summary, recording=recordings[0], title=title)
        heard_on = rig.card
    return Tryout(tuple(log.notes), tuple(log.commands), summary, files, heard_on)


@contextmanager
def _rig() -> Iterator[Rig]:
    """On the first card that plays; where there is none, or it refuses, on none."""
    cards = [card.id for card in finder.cards() if card.playback]
    for card in (*cards, ""):
        rig = Rig(card=card)
        try:
            rig.start()
        except DeviceError:
            if not card:
                raise
            continue
        try:
            yield rig
        finally:
            rig.stop()
        return


def _later(move: str, by_s: float) -> str:
    when, _, what = move.partition(":")
    return f"{float(when) + by_s:.3f}:{what}"


def _feed(rig: Rig, assembled: Assembled, take: np.ndarray, path: Path) -> Recording:
    """Starts the take LEAD_IN_S into the box's audio time, waits for its end, returns what the rig recorded."""
    clock = assembled.box.clock
    _wait(lambda: clock.started, 30.0, "no sound came from the rig")
    rig.record(path)
    sleep_s(LEAD_IN_S - clock.now())
    rig.play(take)
    rig.wait_played(len(take) / RATE_HZ + 30.0)
    sleep_s(TAIL_S)
    return rig.stop_recording()


def _wait(done: Callable[[], bool], patience_s: float, problem: str) -> None:
    for _ in range(round(patience_s / 0.01)):
        if done():
            return
        sleep_s(0.01)
    raise StreamError(f"{problem} within {patience_s:.0f} s")


def _leave(
    out: Path, settings: Settings, log: NoteLog, *, summary: dict[str, Any], recording: Recording, title: str
) -> dict[str, Path]:
    """Writes mix, MIDI, notes, picture and latencies."""
    names = {
        "mix": "mix.wav",
        "band": "band.mid",
        "notes": "notes.jsonl",
        "picture": "roll.png",
        "latency": "latency.json",
    }
    files = {what: out / name for what, name in names.items()}
    write_wav(files["mix"], _mixed(recording))
    programs = {part: settings.player(part).program for part in PLAYERS}
    midi.write(files["band"], [n for n in log.notes if n.part != "human"], programs, settings.band.tempo_bpm or 120.0)
    notes.write(files["notes"], log.notes)
    beats = [(t, beat == 0) for t, beat in log.beats]
    roles = {part: settings.player(part).role for part in PLAYERS}
    roll.draw(files["picture"], roll.Session(log.notes, log.commands, beats, roles, title))
    with replacing(files["latency"]) as draft:
        Path(draft).write_text(json.dumps(latencies(summary, log.notes), indent=2) + "\n")
    return files


def _mixed(recording: Recording) -> Iterator[np.ndarray]:
    sound = recording.samples()
    gain = guitar_gain(float(np.abs(sound[:, 0]).max()))
    pieces = [sound[at : at + PIECE_FRAMES] for at in range(0, len(sound), PIECE_FRAMES)]
    return blend((piece[:, 0] for piece in pieces), (piece[:, 1:] for piece in pieces), gain)


def latencies(summary: dict[str, Any], played: Sequence[PlayedNote]) -> dict[str, Any]:
    """What each stage took (ms), and how long after its own onset, as heard, a note of the human was known."""
    late = [1e3 * (note.emitted - note.onset) for note in played if note.part == "human"]
    known = {f"p{q}": round(float(np.percentile(late, q)), 2) for q in (50, 90)} if late else None
    stages = [dataclasses.asdict(stage) for stage in summary["health"].stages]
    return {
        "stages": stages,
        "onset_to_note_ms": known,
        "xruns": summary["health"].xruns,
        "hanging": summary["hanging"],
    }
