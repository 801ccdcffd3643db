"""Weaver, OSC, recorder and sound together: all of them are told the same notes."""

from __future__ import annotations

import random
import socket
from pathlib import Path

from pythonosc.osc_message import OscMessage

from improvbox.config import OscSettings, StageSettings
from improvbox.events import PLAYERS, PlannedNote, Release
from improvbox.stage import notes
from improvbox.stage.fluid import FluidOffline
from improvbox.stage.osc_out import OscSink
from improvbox.stage.recorder import NOTES, Recorder
from improvbox.stage.weaver import Weaver


def test_what_an_osc_client_hears_is_what_is_on_record(tmp_path: Path) -> None:
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.bind(("127.0.0.1", 0))
    client.setblocking(False)
    osc = OscSink(OscSettings(send=[f"127.0.0.1:{client.getsockname()[1]}"]))
    recorder, sound = Recorder(tmp_path / "jam"), FluidOffline(StageSettings())
    osc.start()
    recorder.start()
    weaver = Weaver([osc, recorder, sound])
    rng = random.Random(5)
    heard: list[tuple[str, ...]] = []
    begun: dict[tuple[str, int], tuple[float, int]] = {}
    now, number = 0.0, 0
    while now < 20.0 or weaver.next_due() < 1e9:
        if now < 20.0 and rng.random() < 0.3:
            number += 1
            onset = now + rng.uniform(-0.12, 0.06)  # some come too late
            part = rng.choice(PLAYERS)
            weaver.take(PlannedNote(part, number, onset, rng.uniform(0.01, 1.5), rng.randrange(36, 80), 90))
            if rng.random() < 0.2:
                weaver.take(Release(part, rng.randrange(1, number + 1), now + rng.uniform(0, 0.5)))
        now = min(now + 0.02, max(now, weaver.next_due()))
        weaver.advance(now)
        while (message := received(client)) is not None:
            match message.address, *message.params:
                case "/improvbox/note", part, id_, pitch, velocity:
                    begun[part, id_] = (pitch, velocity)
                case "/improvbox/note/off", part, id_:
                    heard.append((part, id_, *begun.pop((part, id_))))
    weaver.close(now)
    client.close()

    kept = [(n.part, n.id, n.pitch, n.velocity) for n in notes.read(recorder.folder / NOTES)]
    assert begun == {}
    assert len(kept) == weaver.tally.played > 100
    assert sorted(kept) == sorted(heard)
    assert weaver.fan.faults == 0


def received(client: socket.socket) -> OscMessage | None:
    try:
        return OscMessage(client.recv(4096))
    except BlockingIOError:
        return None
