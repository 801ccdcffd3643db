"""MIDI files of a session, format 1: a conductor track and one track a part.

The band has its General MIDI channels. The human is polyphonic and bends: one channel a voice, each with a bend range
of 12 semitones, so that a curve moves its own note only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import mido

from improvbox.errors import InputFileError
from improvbox.events import PARTS, PlayedNote
from improvbox.stage.files import replace_file
from improvbox.stage.sounds import BEND_RANGE, CHANNELS, PROGRAMS, bend_value

TICKS_PER_BEAT = 1920  # 0.26 ms at 120 bpm, and a multiple of all note values down to 128th triplets
HUMAN_CHANNELS = tuple(c for c in range(16) if c not in CHANNELS.values())
HUMAN_PROGRAM = 27  # clean electric guitar

# Order of events that fall on one tick: ends first, then what shapes the coming note, then the note.
_OFF, _SHAPE, _ON = range(3)
_Event = tuple[int, int, mido.Message]


def write(
    path: str | Path,
    notes: Iterable[PlayedNote],
    programs: Mapping[str, int] | None = None,
    tempo_bpm: float = 120.0,
) -> None:
    """All parts that play in `notes`. `programs`: part -> program, where it is not the usual one.

    Raises InputFileError where `path` cannot be written, OSError when the disk is full.
    """
    file = build(notes, programs, tempo_bpm)
    replace_file(path, lambda stream: file.save(file=stream))


def build(
    notes: Iterable[PlayedNote], programs: Mapping[str, int] | None = None, tempo_bpm: float = 120.0
) -> mido.MidiFile:
    """The file as a value; see `write`."""
    programs = {"human": HUMAN_PROGRAM, **PROGRAMS, **(programs or {})}
    file = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    conductor = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(tempo_bpm), time=0)])
    file.tracks.append(conductor)
    ticks_per_s = TICKS_PER_BEAT * tempo_bpm / 60
    by_part: dict[str, list[PlayedNote]] = {part: [] for part in PARTS}
    for note in notes:
        by_part[note.part].append(note)
    for part, played in by_part.items():
        if not played:
            continue
        played.sort(key=lambda n: (n.onset, n.pitch))
        events = _human(played, ticks_per_s) if part == "human" else _band(part, played, ticks_per_s)
        channels = sorted({message.channel for _, _, message in events})
        track = mido.MidiTrack([mido.MetaMessage("track_name", name=part, time=0)])
        for channel in channels:
            track.extend(_setup(channel, programs[part], bends=part == "human"))
        track.extend(_timed(events))
        file.tracks.append(track)
    return file


def _setup(channel: int, program: int, bends: bool) -> list[mido.Message]:
    messages = [mido.Message("program_change", channel=channel, program=program, time=0)]
    if bends:  # RPN 0: the bend range, then RPN null so that no later data entry changes it
        for control, value in ((101, 0), (100, 0), (6, BEND_RANGE), (38, 0), (101, 127), (100, 127)):
            messages.append(mido.Message("control_change", channel=channel, control=control, value=value, time=0))
    return messages


def _timed(events: list[_Event]) -> list[mido.Message]:
    """Absolute ticks to the differences that a track holds."""
    last, messages = 0, []
    for tick, _, message in sorted(events, key=lambda e: (e[0], e[1])):
        messages.append(message.copy(time=tick - last))
        last = tick
    return messages


def _span(note: PlayedNote, ticks_per_s: float) -> tuple[int, int]:
    """First and last tick; a note is one tick long at least."""
    on = max(0, round(note.onset * ticks_per_s))
    return on, max(on + 1, round(note.offset * ticks_per_s))


def _key(pitch: float) -> int:
    return min(127, max(0, round(pitch)))


def _band(part: str, notes: list[PlayedNote], ticks_per_s: float) -> list[_Event]:
    """Where one key is struck again before it ended (drums), the earlier note ends there."""
    channel, events = CHANNELS[part], []
    spans = [(*_span(note, ticks_per_s), _key(note.pitch), note.velocity) for note in notes]
    next_on: dict[int, int] = {}
    for on, off, key, velocity in reversed(spans):
        end = max(on + 1, min(off, next_on.get(key, off)))
        next_on[key] = on
        events.append((on, _ON, mido.Message("note_on", channel=channel, note=key, velocity=velocity)))
        events.append((end, _OFF, mido.Message("note_off", channel=channel, note=key, velocity=0)))
    return events


def _human(notes: list[PlayedNote], ticks_per_s: float) -> list[_Event]:
    """Voices take the channel that has been silent longest, so that a new bend spares the last note's release.
    More voices than channels: the note that began first ends early."""
    events: list[_Event] = []
    free_at = dict.fromkeys(HUMAN_CHANNELS, -1)
    for note in notes:
        on, off = _span(note, ticks_per_s)
        channel = min(free_at, key=lambda c: (free_at[c], c))
        if free_at[channel] > on:
            events = [_cut(event, channel, on, free_at[channel]) for event in events]
            events = [e for e in events if not (e[1] == _SHAPE and e[2].channel == channel and e[0] > on)]
        free_at[channel] = off
        key = _key(note.pitch)
        bends = [(on, (note.pitch - key) * 100)]
        for after, cents in note.curve:
            tick = max(on, round((note.onset + after) * ticks_per_s))
            if tick < off:
                bends.append((tick, (note.pitch - key) * 100 + cents))
        value = None
        for tick, cents in bends:
            if bend_value(cents) != value:
                value = bend_value(cents)
                events.append((tick, _SHAPE, mido.Message("pitchwheel", channel=channel, pitch=value - 8192)))
        events.append((on, _ON, mido.Message("note_on", channel=channel, note=key, velocity=note.velocity)))
        events.append((off, _OFF, mido.Message("note_off", channel=channel, note=key, velocity=0)))
    return events


def _cut(event: _Event, channel: int, tick: int, end: int) -> _Event:
    """`event`, moved to `tick` if it is the end (at `end`) of what sounds on `channel`."""
    if event[1] == _OFF and event[2].channel == channel and event[0] == end:
        return (tick, _OFF, event[2])
    return event


def read(path: str | Path, part: str = "human") -> list[PlayedNote]:
    """The notes of a MIDI file as played by one part, bends as curves, percussion left out; `emitted` is the onset.

    Raises InputFileError: missing, not MIDI, or no notes in it.
    """
    try:
        file = mido.MidiFile(path)
    except OSError as error:
        reason = error.strerror or "not a MIDI file"
        raise InputFileError(f"{path}: {reason}; give a standard MIDI file") from None
    except (EOFError, ValueError, KeyError, IndexError, TypeError) as error:
        raise InputFileError(f"{path}: not MIDI ({error or 'it ends too soon'}); give a standard MIDI file") from None
    notes = _Reader(part).read(file)
    if not notes:
        raise InputFileError(f"{path}: no notes in it (percussion does not count); give a MIDI file with a melody")
    return notes


class _Reader:
    """Follows the channels of a file. Bend range by RPN 0, 2 semitones where the file sets none."""

    def __init__(self, part: str) -> None:
        self._part = part
        self._range = dict.fromkeys(range(16), 2.0)
        self._rpn: dict[int, tuple[int, int]] = {}
        self._bend = dict.fromkeys(range(16), 0.0)  # cents
        self._sounding: dict[tuple[int, int], tuple[float, float, int, list[tuple[float, float]]]] = {}
        self._notes: list[tuple[float, float, float, int, list[tuple[float, float]]]] = []

    def read(self, file: mido.MidiFile) -> list[PlayedNote]:
        t = 0.0
        for message in file:  # merged tracks; message.time is in seconds here
            t += message.time
            if not message.is_meta and getattr(message, "channel", 9) != 9:
                self._take(message, t)
        for voice in list(self._sounding):
            self._end(voice, t)
        rows = sorted(self._notes, key=lambda n: (n[0], n[2]))
        return [
            PlayedNote(self._part, number, on, off, pitch, velocity, on, tuple(curve))
            for number, (on, off, pitch, velocity, curve) in enumerate(rows, start=1)
        ]

    def _take(self, message: mido.Message, t: float) -> None:
        channel = message.channel
        match message.type:
            case "note_on" if message.velocity > 0:
                self._end((channel, message.note), t)
                pitch = message.note + self._bend[channel] / 100
                self._sounding[channel, message.note] = (t, pitch, message.velocity, [])
            case "note_on" | "note_off":
                self._end((channel, message.note), t)
            case "pitchwheel":
                self._bend[channel] = message.pitch / 8192 * 100 * self._range[channel]
                for (where, key), (on, pitch, _, curve) in self._sounding.items():
                    if where == channel:
                        curve.append((t - on, (key - pitch) * 100 + self._bend[channel]))
            case "control_change":
                self._control(channel, message.control, message.value)

    def _control(self, channel: int, control: int, value: int) -> None:
        high, low = self._rpn.get(channel, (127, 127))
        if control == 101:
            self._rpn[channel] = (value, low)
        elif control == 100:
            self._rpn[channel] = (high, value)
        elif control == 6 and (high, low) == (0, 0):
            self._range[channel] = float(value)

    def _end(self, voice: tuple[int, int], t: float) -> None:
        if voice in self._sounding:
            on, pitch, velocity, curve = self._sounding.pop(voice)
            self._notes.append((on, t, pitch, velocity, curve))
