"""`improvbox transcribe`: a sound file, heard exactly as the live box would hear it."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from improvbox.cli import common
from improvbox.clock import CpuStopwatch, Stopwatch, monotonic_s, sleep_s
from improvbox.config import OscSettings, Settings
from improvbox.errors import ImprovBoxError, SettingsError, StreamError, UsageError
from improvbox.events import Level, PlayedNote

if TYPE_CHECKING:  # numpy and the drivers only after the arguments are known to be right
    from improvbox.hearing.listener import Listener
    from improvbox.stage.osc_out import OscSink

EXAMPLE = """\
improvbox transcribe take.wav --notes take.jsonl --midi take.mid
  improvbox transcribe takes/*.flac --notes notes/ --model dsp
  improvbox transcribe take.wav --osc 127.0.0.1:9001"""

NO_MODEL = "dsp"
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def add_parser(subparsers: Any) -> None:
    parser = common.add_command(subparsers, "transcribe", "hear a sound file exactly as the live box would", EXAMPLE)
    parser.add_argument("takes", nargs="+", metavar="TAKE", help="a WAV, FLAC or OGG file, any rate and channels")
    parser.add_argument("--notes", metavar="FILE.jsonl", help="the notes, JSON lines; a folder for several takes")
    parser.add_argument(
        "--midi", metavar="FILE.mid", help="the notes, a channel a voice, bend range 12; a folder for several takes"
    )
    parser.add_argument("--osc", metavar="HOST:PORT", help="send the notes too, at the pace at which they were played")
    parser.add_argument("--channel", type=int, help="which channel to hear, from 1 (default: all, mixed)")
    parser.add_argument("--model", help="name or folder of a pitch model, or 'dsp' for none (default: the settings')")
    parser.add_argument("--json", action="store_true", help="print takes and notes for a machine")
    common.add_config(parser)


@dataclasses.dataclass(frozen=True, slots=True)
class Heard:
    """What one take came to."""

    take: str
    duration_s: float
    hearing_s: float
    """s that it took"""
    mode: str
    notes: list[PlayedNote]
    written: dict[str, str]


def run(args: argparse.Namespace) -> int:
    settings = _settings(args)
    targets = [{kind: common.writable(_target(args, kind, take)) for kind in ("notes", "midi")} for take in args.takes]
    for take in args.takes:
        _check(take, args.channel)
    sink = _sink(args.osc)
    heard = []
    try:
        for take, files in zip(args.takes, targets, strict=True):
            heard.append(_hear(Path(take), files, settings, args.channel, sink))
            if not args.json:
                _print(heard[-1])
    finally:
        if sink is not None:
            sink.close()
    if args.json:
        common.print_json(heard)
    return 0


def _settings(args: argparse.Namespace) -> Settings:
    settings = common.settings(args)
    if args.model is None:
        return settings
    return dataclasses.replace(settings, hearing=dataclasses.replace(settings.hearing, model=args.model))


def _target(args: argparse.Namespace, kind: str, take: str) -> str | None:
    """Where the notes of `take` go: the file named, or a file of the take's name in the folder named."""
    path = getattr(args, kind)
    if path is None:
        return None
    if Path(path).is_dir():
        return str(Path(path, Path(take).stem + {"notes": ".jsonl", "midi": ".mid"}[kind]))
    if len(args.takes) > 1:
        raise UsageError(f"--{kind} {path}: {len(args.takes)} takes need a folder that exists, not one file")
    return str(path)


def _check(take: str, channel: int | None) -> None:
    """A take that cannot be heard is found before the work on any other begins."""
    from improvbox.audio.wav import WavSource

    source = WavSource(take, channel=channel)
    source.start()
    source.stop()


def _sink(where: str | None) -> OscSink | None:
    if where is None:
        return None
    from improvbox.stage.osc_out import OscSink

    try:
        sink = OscSink(OscSettings(send=[where]))
    except SettingsError:
        raise UsageError(f"--osc {where!r} is not HOST:PORT with a port in 1..65535, e.g. 127.0.0.1:9001") from None
    sink.start()
    if sink.errors:
        raise UsageError(f"--osc {sink.last_error}; give a host that can be found, e.g. 127.0.0.1:9001")
    return sink


def _listener(settings: Settings) -> Listener:
    from improvbox.box.folders import data_folder
    from improvbox.hearing.listener import Listener
    from improvbox.inference import store

    name = settings.hearing.model
    folder = None if name == NO_MODEL else store.find(name, "pitch", data_folder(settings.box))
    # CPU time, so that whatever else runs on this machine does not make the guitar late.
    return Listener(settings.hearing, folder, watch=CpuStopwatch)


def _hear(
    take: Path, files: dict[str, Path | None], settings: Settings, channel: int | None, sink: OscSink | None
) -> Heard:
    from improvbox.audio.wav import WavSource
    from improvbox.stage.notes import in_order

    source = WavSource(take, settings.audio.period_frames, channel)
    source.start()
    watch = Stopwatch()
    try:
        listener = _listener(settings)
        listener.start()
        progress = common.Progress(f"{take.name}: heard", source.duration_s)
        notes = in_order(_notes(source, listener, sink, progress))
        progress.end()
    finally:
        source.stop()
    written = {kind: str(path) for kind, path in files.items() if path is not None}
    _write(notes, files)
    return Heard(str(take), listener.t, watch.elapsed_s(), listener.mode, notes, written)


def _notes(source: Any, listener: Listener, sink: OscSink | None, progress: common.Progress) -> Iterator[PlayedNote]:
    """Every note once it has ended. With a sink, no faster than it was played."""
    from improvbox.stage.notes import HumanNotes

    gathered = HumanNotes()
    began = monotonic_s()
    while True:
        block = source.read()
        events = listener.flush() if block is None else listener.push(block.samples)
        for event in events:
            note = gathered.take(event)
            if note is not None:
                yield note
            if sink is not None and not isinstance(event, Level):
                sink.human(event, listener.t)
        if block is None:
            return
        progress.at(listener.t)
        if sink is not None:
            sleep_s(began + listener.t - monotonic_s())


def _write(notes: list[PlayedNote], files: dict[str, Path | None]) -> None:
    from improvbox.stage import midi
    from improvbox.stage import notes as note_files

    for kind, writer in (("notes", note_files.write), ("midi", midi.write)):
        path = files[kind]
        if path is None:
            continue
        try:
            writer(path, notes)
        except ImprovBoxError:
            raise
        except OSError as error:
            raise StreamError(f"{path}: {error.strerror or error}; nothing was written") from None


def _print(heard: Heard) -> None:
    if not heard.written:
        for note in heard.notes:
            cents = round(100 * (note.pitch - round(note.pitch)))
            name = f"{NAMES[round(note.pitch) % 12]}{round(note.pitch) // 12 - 1}"
            bends = f"  {len(note.curve)} bend points" if note.curve else ""
            print(
                f"{note.onset:9.3f} s  {note.offset - note.onset:6.3f} s  {name:3} {cents:+3d} cents"
                f"  velocity {note.velocity:3}{bends}"
            )
    where = "".join(f"; {path}" for path in heard.written.values())
    print(
        f"{heard.take}: {len(heard.notes)} notes in {heard.duration_s:.1f} s, heard in {heard.hearing_s:.1f} s{where}"
    )
