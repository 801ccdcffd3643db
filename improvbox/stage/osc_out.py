"""The music as OSC packets: a sink for the band, and a witness of human, beat, plans and health."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from typing import Any

from improvbox.config import OscSettings
from improvbox.errors import DeviceError, MissingDriverError, SettingsError
from improvbox.events import Command, Health, HumanEvent, NoteOff, NoteOn, PitchBend, PlannedNote
from improvbox.stage.osc_space import OUT
from improvbox.stage.sounds import CHANNELS, volume
from improvbox.tempo import Grid

ALL_SOUND_OFF, ALL_NOTES_OFF, VOLUME = 120, 123, 7  # MIDI controllers
INT32 = 0x7FFFFFFF


def receiver(text: str) -> tuple[str, int]:
    """(host, port) of `HOST:PORT` or `[HOST]:PORT`. Raises SettingsError."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise SettingsError(f"osc.send {text!r} is not HOST:PORT with a port in 1..65535, e.g. 127.0.0.1:9001")
    return host.strip("[]"), int(port)


class OscSink:
    """Any thread may call. One packet a message to each receiver; never waits, never raises once started.

    UDP tells nobody whether it arrived. What the system itself refuses is counted in `errors`.
    """

    def __init__(self, settings: OscSettings) -> None:
        self._receivers = [receiver(text) for text in settings.send]
        self._targets: list[tuple[socket.socket, tuple[Any, ...]]] = []
        self._builder: Any = None
        self.sent = 0
        """packets"""
        self.errors = 0
        """packets that the system refused"""
        self.last_error = ""

    def start(self) -> None:
        """Looks the receivers up. One that cannot be found is left out and counted: the music does not depend on it.

        Raises MissingDriverError, DeviceError (no socket to be had).
        """
        try:
            from pythonosc.osc_message_builder import OscMessageBuilder
        except ImportError as error:
            raise MissingDriverError(f"python-osc cannot be loaded ({error}); pip install python-osc") from None
        self.close()
        self._builder = OscMessageBuilder
        for host, port in self._receivers:
            try:
                family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            except OSError as error:
                self._count(f"{host}:{port}: {error.strerror or error}")
                continue
            try:
                sender = socket.socket(family, socket.SOCK_DGRAM)
            except OSError as error:
                raise DeviceError(f"no UDP socket for {host}:{port}: {error.strerror}") from None
            sender.setblocking(False)
            self._targets.append((sender, address))

    def send(self, address: str, *values: Any) -> None:
        """One message of the table OUT; the number of values is the table's. Nothing before `start`."""
        if not self._targets:
            return
        builder = self._builder(address=address)
        for value, tag in zip(values, OUT[address].tags, strict=True):
            if value is None and tag.endswith("N"):
                builder.add_arg(None, "N")
            elif tag in ("i", "h"):
                builder.add_arg(int(value) & INT32 if tag == "i" else int(value), tag)
            else:
                builder.add_arg(str(value) if tag == "s" else float(value), tag[0])
        packet = builder.build().dgram
        for sender, to in self._targets:
            try:
                sender.sendto(packet, to)
                self.sent += 1
            except OSError as error:
                self._count(f"{to[0]}:{to[1]}: {error.strerror or error}")

    def _count(self, text: str) -> None:
        self.errors += 1
        self.last_error = text

    def note_on(self, note: PlannedNote, t: float) -> None:
        self.send("/gm/note", CHANNELS[note.part], note.pitch, note.velocity, note.duration)
        self.send("/improvbox/note", note.part, note.id, note.pitch, note.velocity)

    def note_off(self, part: str, id: int, pitch: int, t: float) -> None:
        self.send("/gm/off", CHANNELS[part], pitch)
        self.send("/improvbox/note/off", part, id)

    def bend(self, part: str, id: int, cents: float, t: float) -> None:
        self.send("/gm/bend", CHANNELS[part], cents)
        self.send("/improvbox/bend", part, id, cents)

    def program(self, part: str, program: int) -> None:
        self.send("/gm/program", CHANNELS[part], program)

    def gain(self, part: str, level: float) -> None:
        self.send("/gm/cc", CHANNELS[part], VOLUME, volume(level))

    def panic(self, t: float) -> None:
        for channel in CHANNELS.values():
            self.send("/gm/cc", channel, ALL_NOTES_OFF, 0)
            self.send("/gm/cc", channel, ALL_SOUND_OFF, 0)

    def close(self) -> None:
        for sender, _ in self._targets:
            sender.close()
        self._targets = []

    def human(self, event: HumanEvent, now: float) -> None:
        """The human's notes and bends; levels are not sent."""
        match event:
            case NoteOn():
                self.send("/improvbox/note", "human", event.id, event.pitch, event.velocity)
            case PitchBend():
                self.send("/improvbox/bend", "human", event.id, event.cents)
            case NoteOff():
                self.send("/improvbox/note/off", "human", event.id)

    def command(self, command: Command, now: float) -> None:
        self.send("/improvbox/command", command.target, command.verb, in_words(command.value))

    def beat(self, grid: Grid, bar: int, beat: int, now: float) -> None:
        self.send("/improvbox/beat", bar, beat, grid.tempo_bpm, grid.confidence)

    def plan(self, part: str, notes: Iterable[PlannedNote], now: float) -> None:
        for note in notes:
            self.send("/improvbox/plan", part, note.onset - now, note.pitch, note.velocity, note.duration)

    def state(self, state: Mapping[str, Any], now: float) -> None:
        """`state`: part -> item -> value, or item -> value of the box itself."""
        for part, items in state.items():
            if isinstance(items, Mapping):
                for name, value in items.items():
                    self.send("/improvbox/state", part, name, in_words(value))
            else:
                self.send("/improvbox/state", "box", part, in_words(items))

    def health(self, health: Health) -> None:
        """The reading, then one message a stage."""
        self.send(
            "/improvbox/health",
            health.alive,
            health.frames,
            health.xruns,
            health.hearing,
            health.ladder,
            health.cause,
        )
        for s in health.stages:
            self.send("/improvbox/health/stage", s.stage, s.p50_ms, s.p99_ms, s.max_ms, s.budget_ms, s.over_budget)


def in_words(value: object) -> str:
    """A command's value as it would be written in a cue."""
    if value is None:
        return ""
    if isinstance(value, tuple | list):
        return ",".join(str(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
