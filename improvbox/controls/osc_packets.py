"""UDP packets to OSC messages and back, with no trust in what arrives."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from improvbox.errors import CommandError

MAX_PACKET = 4096  # bytes; a command has under 100
MAX_DEPTH = 4  # bundles within bundles
TYPES = frozenset("ifdhsTFN")  # what a value may be; python-osc warns in the log about every tag that it does not know

_BUNDLE = b"#bundle\0"
_BUNDLE_HEAD = 16  # that and a time tag, which is not kept: a command counts when it arrives


def unpack(packet: bytes, depth: int = 0) -> Iterator[tuple[str, list[object]]]:
    """The (address, arguments) of every message of a packet, bundles opened. Raises CommandError: it is not OSC.

    Bundles are walked here and not by python-osc (1.10): an element of negative size sends it round for ever.
    """
    if len(packet) > MAX_PACKET:
        raise CommandError(f"longer than {MAX_PACKET} bytes")
    if not packet.startswith(_BUNDLE):
        yield _message(packet)
        return
    if depth >= MAX_DEPTH:
        raise CommandError(f"bundles more than {MAX_DEPTH} deep")
    at = _BUNDLE_HEAD
    if len(packet) < at:
        raise CommandError("a bundle without a time tag")
    while at < len(packet):
        if at + 4 > len(packet):
            raise CommandError("a bundle cut off in a size")
        (size,) = struct.unpack_from(">i", packet, at)
        at += 4
        if size <= 0 or size % 4 or at + size > len(packet):
            raise CommandError(f"an element of {size} bytes in a bundle that has {len(packet) - at} left")
        yield from unpack(packet[at : at + size], depth + 1)
        at += size


def _message(packet: bytes) -> tuple[str, list[object]]:
    from pythonosc.osc_message import OscMessage, ParseError

    if not packet.startswith(b"/") or len(packet) % 4:
        raise CommandError("neither a message nor a bundle")
    tags_at = (packet.find(b"\0") // 4 + 1) * 4
    tags = packet[tags_at + 1 : packet.find(b"\0", tags_at)].decode("ascii", "replace")
    if tags_at < len(packet) and (packet[tags_at : tags_at + 1] != b"," or not TYPES.issuperset(tags)):
        raise CommandError(f"type tags {tags[:16]!r}; values are of {''.join(sorted(TYPES))}")
    try:
        message = OscMessage(packet)
    except (ParseError, ValueError) as error:  # ValueError: text that is not UTF-8
        raise CommandError(str(error)[:80]) from None
    return message.address, message.params


def pack(address: str, arguments: Sequence[str | float]) -> bytes:
    """One message."""
    from pythonosc.osc_message_builder import OscMessageBuilder

    builder = OscMessageBuilder(address=address)
    for argument in arguments:
        builder.add_arg(argument)
    packet: bytes = builder.build().dgram
    return packet
