"""Commands over OSC: a UDP socket, a thread, and no trust in what arrives."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Self

from improvbox.clock import monotonic_s
from improvbox.config import OscSettings
from improvbox.controls import routes
from improvbox.controls.osc_packets import MAX_PACKET, pack, unpack
from improvbox.controls.osc_peers import Network, bind, may_send, networks
from improvbox.controls.quiet import QuietLog
from improvbox.errors import CommandError
from improvbox.events import Command

State = Callable[[], Iterable[tuple[str, tuple[str | float, ...]]]]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OscCounts:
    """What arrived since the start."""

    packets: int = 0
    commands: int = 0
    """passed on"""
    ignored: int = 0
    """button releases"""
    garbage: int = 0
    """packets that are not OSC"""
    refused: int = 0
    """messages that are no command"""
    strangers: int = 0
    """packets from peers that are not allowed"""
    failed: int = 0
    """commands that nobody could take"""


class OscServer:
    """Contract: `submit` and `state` are called in the server's own thread and must not block.

    Loopback is always allowed, other peers are listed in `osc.allow` (addresses or networks). Whatever a packet holds,
    the thread goes on; what is wrong is counted and logged at most every five seconds.
    """

    def __init__(
        self,
        settings: OscSettings,
        submit: Callable[[Command], None],
        now: Callable[[], float],
        state: State | None = None,
    ) -> None:
        """`now`: audio time (s). `state`: the messages that answer /improvbox/state; None: it is submitted."""
        self._settings = settings
        self._submit = submit
        self._now = now
        self._state = state
        self._allowed: tuple[Network, ...] = ()
        self._socket: socket.socket | None = None
        self._wake: tuple[socket.socket, socket.socket] | None = None
        self._thread: threading.Thread | None = None
        self._quiet = QuietLog(log)
        self.counts = OscCounts()

    @property
    def port(self) -> int:
        """The UDP port in use; what the settings say before `start`."""
        return self._settings.listen_port if self._socket is None else int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Opens the port. Raises SettingsError (osc.allow, osc.listen_host) or DeviceError (osc.listen_port)."""
        self._allowed = networks(self._settings.allow)
        self._socket = bind(self._settings)
        self._wake = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="osc-in", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Closes the port and waits for the thread. May be called twice."""
        if self._thread is None or self._wake is None or self._socket is None:
            return
        self._wake[1].send(b"x")
        self._thread.join()
        self._thread = None
        for end in (self._socket, *self._wake):
            end.close()
        self._socket = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def handle(self, packet: bytes, peer: tuple[Any, ...]) -> list[bytes]:
        """What the thread does with a packet from `peer`; returns the answers to send back. Never raises."""
        self._count(packets=1)
        if not may_send(peer, self._allowed):
            return self._wrong("strangers", "osc: a packet from %s, which is not in osc.allow, was refused", peer[0])
        try:
            messages = list(unpack(packet))
        except CommandError as error:
            return self._wrong("garbage", "osc: a packet from %s is not OSC: %s", peer[0], error)
        answers: list[bytes] = []
        for address, arguments in messages:
            try:
                answers += self._take(address, arguments)
            except CommandError as error:
                self._wrong("refused", "osc: from %s: %s", peer[0], error)
            except Exception as error:  # noqa: BLE001 - a fault behind the server must not close the door to panic
                self._wrong("failed", "osc: %s was not taken: %s", address, error)
        return answers

    def _take(self, address: str, arguments: list[object]) -> list[bytes]:
        command = routes.command(address, arguments, self._now(), hint=self._quiet.open(monotonic_s()))
        if command is None:
            self._count(ignored=1)
            return []
        self._count(commands=1)
        if command.verb == "state" and self._state is not None:
            return [pack(*reply) for reply in self._state()]
        self._submit(command)
        return []

    def _run(self) -> None:
        assert self._socket is not None
        assert self._wake is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._socket, selectors.EVENT_READ)
            selector.register(self._wake[0], selectors.EVENT_READ)
            while True:
                ready = [key.fileobj for key, _ in selector.select()]
                if self._wake[0] in ready:
                    return
                self._receive(self._socket)

    def _receive(self, port: socket.socket) -> None:
        try:
            packet, peer = port.recvfrom(MAX_PACKET + 1)
            for answer in self.handle(packet, peer):
                port.sendto(answer, peer)
        except OSError as error:  # a peer that closed its port makes the next receive fail; the port itself is fine
            self._wrong("failed", "osc: %s", error)

    def _wrong(self, kind: str, message: str, *args: object) -> list[bytes]:
        self._count(**{kind: 1})
        self._quiet.warn(monotonic_s(), message, *args)
        return []

    def _count(self, **more: int) -> None:
        self.counts = replace(self.counts, **{name: getattr(self.counts, name) + n for name, n in more.items()})
