"""OSC out, decoded by an independent client; and the documentation of the space."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pythonosc.osc_message import OscMessage

from improvbox.clock import Stopwatch
from improvbox.config import OscSettings
from improvbox.controls.routes import ROUTES
from improvbox.errors import SettingsError
from improvbox.events import (
    PLAYERS,
    Command,
    Health,
    Level,
    NoteOff,
    NoteOn,
    PitchBend,
    PlannedNote,
    StageStats,
)
from improvbox.stage import osc_space
from improvbox.stage.osc_out import OscSink, receiver
from improvbox.tempo import Grid

DOCS = Path(__file__).parents[2] / "docs" / "osc.md"
NOTE = PlannedNote("mid", 12, 1.0, 0.5, 60, 90)


class Client:
    """A receiver of its own, with a decoder that is not the sender's."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(2.0)
        self.name = f"127.0.0.1:{self.socket.getsockname()[1]}"

    def receive(self, count: int) -> list[tuple[Any, ...]]:
        messages = [OscMessage(self.socket.recv(4096)) for _ in range(count)]
        self.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            self.socket.recv(4096)
        self.socket.settimeout(2.0)
        return [(m.address, *m.params) for m in messages]


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    made.socket.close()


@pytest.fixture
def sink(client: Client) -> Iterator[OscSink]:
    made = OscSink(OscSettings(send=[client.name]))
    made.start()
    yield made
    made.close()


def test_a_note_of_the_band_is_sent_as_general_midi_and_as_music(sink: OscSink, client: Client) -> None:
    sink.note_on(NOTE, 1.0)
    sink.note_off("mid", 12, 60, 1.5)
    assert client.receive(4) == [
        ("/gm/note", 1, 60, 90, 0.5),
        ("/improvbox/note", "mid", 12, 60.0, 90),
        ("/gm/off", 1, 60),
        ("/improvbox/note/off", "mid", 12),
    ]


def test_the_humans_notes_are_sent_as_music_only(sink: OscSink, client: Client) -> None:
    sink.human(NoteOn(3, 64.5, 80, 1.0, 1.02), 1.02)
    sink.human(PitchBend(3, 25.0, 1.1), 1.1)
    sink.human(Level(1.2, -20.0), 1.2)
    sink.human(NoteOff(3, 1.5), 1.5)
    assert client.receive(3) == [
        ("/improvbox/note", "human", 3, 64.5, 80),
        ("/improvbox/bend", "human", 3, 25.0),
        ("/improvbox/note/off", "human", 3),
    ]


def test_sounds_levels_and_bends_are_sent(sink: OscSink, client: Client) -> None:
    sink.program("bass", 38)
    sink.gain("high", 1.0)
    sink.bend("drums", 4, -50.0, 1.0)
    assert client.receive(4) == [
        ("/gm/program", 0, 38),
        ("/gm/cc", 2, 7, 127),
        ("/gm/bend", 9, -50.0),
        ("/improvbox/bend", "drums", 4, -50.0),
    ]


def test_panic_silences_every_channel(sink: OscSink, client: Client) -> None:
    sink.panic(1.0)
    assert {m[:3] for m in client.receive(8)} == {("/gm/cc", c, n) for c in (0, 1, 2, 9) for n in (120, 123)}


def test_plan_beat_command_and_state_are_sent(sink: OscSink, client: Client) -> None:
    sink.plan("mid", (NOTE,), 0.75)
    sink.beat(Grid(120.0, confidence=0.5), 3, 2, 1.0)
    sink.command(Command("bass", "role", "fight", 1.0), 1.0)
    sink.state({"bass": {"for": ("human", "mid"), "density": 0.5}, "human": "auto"}, 1.0)
    assert client.receive(6) == [
        ("/improvbox/plan", "mid", 0.25, 60, 90, 0.5),
        ("/improvbox/beat", 3, 2, 120.0, 0.5),
        ("/improvbox/command", "bass", "role", "fight"),
        ("/improvbox/state", "bass", "for", "human,mid"),
        ("/improvbox/state", "bass", "density", "0.5"),
        ("/improvbox/state", "box", "human", "auto"),
    ]


def test_what_was_not_measured_is_nil_in_health(sink: OscSink, client: Client) -> None:
    stage = StageStats("synth", None, None, 2.5, 4.0, 0)
    sink.health(Health(1.0, 5_000_000_000, 2, "dsp", "dsp hearing", "slow", (stage,), True))
    assert client.receive(2) == [
        ("/improvbox/health", 1, 5_000_000_000, 2, "dsp", "dsp hearing", "slow"),
        ("/improvbox/health/stage", "synth", None, None, 2.5, 4.0, 0),
    ]


def test_every_receiver_gets_every_message(client: Client) -> None:
    second = Client()
    sink = OscSink(OscSettings(send=[client.name, second.name]))
    sink.start()
    sink.program("bass", 1)
    assert client.receive(1) == second.receive(1)
    sink.close()
    second.socket.close()


def test_a_peer_that_has_gone_neither_blocks_nor_raises(sink: OscSink, client: Client) -> None:
    client.socket.close()
    watch = Stopwatch()
    for _ in range(200):
        sink.note_on(NOTE, 1.0)
    assert watch.elapsed_s() < 2.0
    assert sink.sent + sink.errors == 400


def test_a_peer_that_never_reads_neither_blocks_nor_raises(sink: OscSink, client: Client) -> None:
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    for _ in range(500):
        sink.note_on(NOTE, 1.0)
    assert sink.sent + sink.errors == 1000


def test_what_the_system_refuses_is_counted(sink: OscSink) -> None:
    for sender, _ in sink._targets:
        sender.close()
    sink.program("bass", 1)
    assert sink.errors == 1
    assert sink.last_error.startswith("127.0.0.1:")


def test_a_receiver_that_cannot_be_found_is_counted_and_left_out(client: Client) -> None:
    sink = OscSink(OscSettings(send=["no-such-host.invalid:9", client.name]))
    sink.start()
    assert sink.errors == 1
    assert "no-such-host.invalid:9" in sink.last_error
    sink.program("bass", 1)
    assert client.receive(1) == [("/gm/program", 0, 1)]
    sink.close()


def test_nothing_is_sent_before_start_or_after_close(sink: OscSink, client: Client) -> None:
    sink.close()
    sink.note_on(NOTE, 1.0)
    OscSink(OscSettings(send=[client.name])).note_on(NOTE, 1.0)
    assert client.receive(0) == []


@pytest.mark.parametrize("text", ["localhost", "localhost:", ":9001", "localhost:0", "localhost:65536", "a:b"])
def test_a_receiver_that_is_no_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="HOST:PORT"):
        receiver(text)


def test_the_documentation_is_what_the_tables_say() -> None:
    assert DOCS.read_text(encoding="utf-8") == osc_space.document() + "\n"


def test_every_address_that_the_box_hears_is_documented() -> None:
    documented = set()
    for pattern in osc_space.incoming():
        for player in (*PLAYERS, "all"):
            documented.add(pattern.replace("PLAYER", player))
    assert documented == set(ROUTES)
