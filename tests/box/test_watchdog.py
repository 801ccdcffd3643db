from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from improvbox.box.watchdog import STALE_S, Heartbeats, Notifier, Signs, Watch

OK = Signs(frames=0, waiting="", synth="")


def frames(n: int) -> Signs:
    return Signs(n, "", "")


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.setblocking(False)
        yield sock


def received(sock: socket.socket) -> list[str]:
    found = []
    while True:
        try:
            found.append(sock.recv(4096).decode())
        except BlockingIOError:
            return found


def notifier(tmp_path: Path, **env: str) -> Notifier:
    made = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify"), **env})
    made.start()
    return made


def test_a_box_whose_frames_advance_is_alive() -> None:
    watch = Watch(Heartbeats())
    assert [watch.verdict(t * 0.5, frames(t)) for t in range(20)] == [""] * 20


def test_frames_that_stand_still_are_noticed() -> None:
    watch = Watch(Heartbeats())
    watch.verdict(0.0, frames(100))
    assert watch.verdict(STALE_S + 0.1, frames(100)) == "no frames arrive"


def test_a_missing_interface_that_is_looked_for_is_no_death() -> None:
    watch = Watch(Heartbeats())
    gone = Signs(100, "no card", "")
    assert [watch.verdict(t, gone) for t in range(60)] == [""] * 60
    assert watch.verdict(60.0 + STALE_S + 0.1, frames(100)) == "no frames arrive"


def test_a_thread_that_stopped_answering_is_named() -> None:
    beats = Heartbeats()
    beats.beat("hearing", 0.0)
    beats.beat("band", 3.0)
    assert Watch(beats).verdict(3.0, frames(1)) == "hearing does not answer"


def test_a_dead_synth_is_named() -> None:
    assert Watch(Heartbeats()).verdict(0.0, Signs(1, "", "the synth has gone")) == "the synth has gone"


def test_ready_and_status_reach_systemd(tmp_path: Path, receiver: socket.socket) -> None:
    made = notifier(tmp_path)
    made.ready("playing")
    made.status("ladder: full")
    made.stopping()
    assert received(receiver) == ["READY=1\nSTATUS=playing", "STATUS=ladder: full", "STOPPING=1"]


def test_the_watchdog_is_fed_at_half_of_what_systemd_allows(tmp_path: Path, receiver: socket.socket) -> None:
    made = notifier(tmp_path, WATCHDOG_USEC="1000000")
    for step in range(20):
        made.alive(step * 0.1)
    assert received(receiver) == ["WATCHDOG=1"] * 4


@pytest.mark.parametrize(
    "env", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "x"}, {"WATCHDOG_USEC": "1000", "WATCHDOG_PID": "1"}]
)
def test_without_a_watchdog_nothing_is_fed(tmp_path: Path, receiver: socket.socket, env: dict[str, str]) -> None:
    made = notifier(tmp_path, **env)
    made.alive(1.0)
    assert received(receiver) == []


def test_a_receiver_that_never_drains_blocks_nothing(tmp_path: Path, receiver: socket.socket) -> None:
    made = notifier(tmp_path, WATCHDOG_USEC="2", WATCHDOG_PID=str(os.getpid()))
    for step in range(5000):
        made.alive(float(step))
    assert made.lost > 0
    assert len(received(receiver)) + made.lost == 5000


def test_without_systemd_nothing_is_sent() -> None:
    made = Notifier({})
    made.start()
    made.ready("playing")
    made.close()
    assert made.lost == 0
