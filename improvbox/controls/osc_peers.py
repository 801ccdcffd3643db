"""Who may send commands, and the socket they arrive at: loopback only, unless the settings say otherwise."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

from improvbox.config import OscSettings
from improvbox.errors import DeviceError, SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(allow: Iterable[str]) -> tuple[Network, ...]:
    """The entries of osc.allow: addresses or networks. Raises SettingsError."""
    made = []
    for entry in allow:
        try:
            made.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            right = "e.g. '192.168.1.20' or '192.168.1.0/24'"
            raise SettingsError(f"osc.allow: {entry!r} is no address; {right}") from None
    return tuple(made)


def may_send(peer: tuple[Any, ...], allowed: Iterable[Network]) -> bool:
    """Whether a peer, as a socket names it, is this machine or is allowed."""
    try:
        address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    except (ValueError, IndexError):
        return False
    plain = getattr(address, "ipv4_mapped", None) or address  # an IPv6 socket names IPv4 peers ::ffff:a.b.c.d
    return plain.is_loopback or any(plain in network for network in allowed)


def bind(settings: OscSettings) -> socket.socket:
    """A UDP socket on osc.listen_host and osc.listen_port. Raises SettingsError or DeviceError."""
    host, port = settings.listen_host, settings.listen_port
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SettingsError(f"osc.listen_host = {host!r} is no address ({reason}); e.g. '127.0.0.1'") from None
    if not may_send(where, ()) and not settings.allow:
        right = "list in osc.allow who may send, or use '127.0.0.1'"
        raise SettingsError(f"osc.listen_host = {host!r} is open to the network: {right}")
    opened = socket.socket(family, kind, protocol)
    try:
        opened.bind(where)
    except OSError as error:
        opened.close()
        hint = "stop the other program, or set osc.listen_port to another one, 0 for any"
        raise DeviceError(f"osc.listen_port = {port} on {host}: {error.strerror or error}; {hint}") from None
    return opened
