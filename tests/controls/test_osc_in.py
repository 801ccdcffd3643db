"""Commands over OSC: right ones, wrong ones, garbage, strangers."""

from __future__ import annotations

import logging
import random
import socket
import struct
import threading
from collections.abc import Iterator

import pytest
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from improvbox.clock import Stopwatch, monotonic_s, sleep_s
from improvbox.config import BandSettings, OscSettings
from improvbox.controls import routes
from improvbox.controls.mirror import Mirror
from improvbox.controls.osc_in import OscServer
from improvbox.controls.osc_packets import pack, unpack
from improvbox.errors import CommandError, DeviceError, SettingsError
from improvbox.events import Command

HERE = ("127.0.0.1", 5000)


def message(address: str, *arguments: object) -> bytes:
    builder = OscMessageBuilder(address=address)
    for argument in arguments:
        builder.add_arg(argument)
    return builder.build().dgram


def bundle(*parts: bytes) -> bytes:
    return b"#bundle\0" + struct.pack(">Q", 1) + b"".join(struct.pack(">i", len(p)) + p for p in parts)


class Box:
    """An OscServer that was not started, and what it submitted."""

    def __init__(self, **settings: object) -> None:
        self.commands: list[Command] = []
        mirror = Mirror(BandSettings())
        self.server = OscServer(
            OscSettings(listen_port=0, **settings), self.commands.append, lambda: 7.5, mirror.messages
        )  # type: ignore[arg-type]

    def hear(self, *packets: bytes, peer: tuple[str, int] = HERE) -> list[bytes]:
        return [answer for packet in packets for answer in self.server.handle(packet, peer)]


@pytest.fixture
def box() -> Box:
    return Box()


@pytest.fixture
def live(box: Box) -> Iterator[Box]:
    with box.server:
        yield box


def eventually(true: object, timeout_s: float = 10.0) -> None:
    end = monotonic_s() + timeout_s
    while not true():  # type: ignore[operator]
        assert monotonic_s() < end, "waited in vain"
        sleep_s(0.005)


RIGHT = [
    (("/improvbox/band/bass/role", "fight"), Command("bass", "role", "fight", 7.5, "osc")),
    (("/improvbox/band/all/density", 0.8), Command("all", "density", 0.8, 7.5, "osc")),
    (("/improvbox/band/drums/level", 1), Command("drums", "level", 1.0, 7.5, "osc")),
    (("/improvbox/band/mid/for", "human", "bass"), Command("mid", "for", ("human", "bass"), 7.5, "osc")),
    (("/improvbox/band/mid/for", "human,bass"), Command("mid", "for", ("human", "bass"), 7.5, "osc")),
    (("/improvbox/band/high/sound", 73), Command("high", "sound", 73.0, 7.5, "osc")),
    (("/improvbox/band/high/sound", "flute"), Command("high", "sound", "flute", 7.5, "osc")),
    (("/improvbox/human/band", "mid"), Command("human", "band", "mid", 7.5, "osc")),
    (("/improvbox/tempo", 96.5), Command("box", "tempo", 96.5, 7.5, "osc")),
    (("/improvbox/tap",), Command("box", "tap", None, 7.5, "osc")),
    (("/improvbox/tap", 1.0), Command("box", "tap", None, 7.5, "osc")),
    (("/improvbox/time", "free"), Command("box", "time", "free", 7.5, "osc")),
    (("/improvbox/return",), Command("box", "return", None, 7.5, "osc")),
    (("/improvbox/panic", True), Command("box", "panic", None, 7.5, "osc")),
]


@pytest.mark.parametrize(("sent", "meant"), RIGHT, ids=lambda v: v[0] if isinstance(v, tuple) else "")
def test_a_right_message_is_a_command(box: Box, sent: tuple[str, object], meant: Command) -> None:
    box.hear(message(*sent))
    assert box.commands == [meant]


def test_every_address_of_the_design_is_in_the_table() -> None:
    players = ("bass", "mid", "high", "drums", "all")
    verbs = ("role", "density", "order", "variation", "texture", "level", "for", "sound")
    addresses = {f"/improvbox/band/{p}/{v}" for p in players for v in verbs}
    addresses |= {"/improvbox/human/band", *(f"/improvbox/{v}" for v in ("tempo", "tap", "time", "panic", "state"))}
    assert addresses <= routes.ROUTES.keys()


def test_the_release_of_a_button_is_ignored(box: Box) -> None:
    box.hear(message("/improvbox/panic", 0.0), message("/improvbox/tap", 0))
    assert (box.commands, box.server.counts.ignored, box.server.counts.refused) == ([], 2, 0)


WRONG = [
    (
        ("/improvbox/band/bas/role", "fight"),
        "no OSC address '/improvbox/band/bas/role'; did you mean '/improvbox/band/bass/role'",
    ),
    (("/improvbox/band/bass/role", "figth"), "'figth' is not known; did you mean 'fight'"),
    (("/improvbox/band/bass/density", 1.5), "1.5 is not a number in 0..1"),
    (("/improvbox/band/bass/density", float("nan")), "nan is not a number in 0..1"),
    (("/improvbox/band/bass/density",), r"takes one value (0..1), got 0"),
    (("/improvbox/band/bass/density", 0.1, 0.2), r"takes one value (0..1), got 2"),
    (("/improvbox/band/mid/for",), "takes one value (human,bass,mid,high,drums), got 0"),
    (("/improvbox/tempo", 1000), "1000 is not a number in 30..300"),
    (("/improvbox/tap", "now"), "this command takes no value"),
    (("/improvbox/band/bass/role", "x" * 100), "a text of 100 characters"),
    (("/improvbox/" + "y" * 100, 1), "no OSC address '/improvbox/yyyy"),
    (("/improvbox/band/bass/role", None), "NoneType is no value"),
]


@pytest.mark.parametrize(("sent", "said"), WRONG, ids=lambda v: v[0][:40] if isinstance(v, tuple) else "")
def test_a_wrong_message_is_counted_and_named(
    box: Box, caplog: pytest.LogCaptureFixture, sent: tuple[str, object], said: str
) -> None:
    with caplog.at_level(logging.WARNING):
        box.hear(message(*sent))
    assert (box.commands, box.server.counts.refused) == ([], 1)
    assert said in caplog.messages[0]


def test_the_messages_of_a_bundle_are_all_taken_whatever_its_time(box: Box) -> None:
    builder = OscBundleBuilder(2e9)  # a time far ahead
    for name in ("bass", "mid"):
        part = OscMessageBuilder(address=f"/improvbox/band/{name}/role")
        part.add_arg("room")
        builder.add_content(part.build())
    box.hear(builder.build().dgram)
    assert [c.target for c in box.commands] == ["bass", "mid"]


def test_a_bundle_with_a_broken_part_is_refused_whole(box: Box) -> None:
    box.hear(bundle(message("/improvbox/panic"), b"????"))
    assert (box.commands, box.server.counts.garbage) == ([], 1)


GARBAGE = {
    "empty": b"",
    "zeros": bytes(64),
    "a bundle without a time": b"#bundle\0",
    "an element of negative size": b"#bundle\0" + bytes(8) + struct.pack(">i", -4) + b"/a\0\0",
    "an element of no size": b"#bundle\0" + bytes(8) + struct.pack(">i", 0),
    "an element longer than the packet": b"#bundle\0" + bytes(8) + struct.pack(">i", 400) + b"/a\0\0",
    "bundles without end": bundle(bundle(bundle(bundle(bundle(message("/improvbox/panic")))))),
    "an address without an end": b"/improvbox/panic",
    "tags without a comma": b"/improvbox/tap\0\0iiii",
    "tags without arguments": b"/a\0\0,ii\0",
    "an unknown tag": b"/a\0\0,z\0\0",
    "an array without an end": b"/a\0\0,[[[",
    "a blob": message("/improvbox/tempo", b"120"),
    "text that is not UTF-8": b"/improvbox/time\0,s\0\0\xff\xfe\xfd\0",
    "an address that is not UTF-8": b"/\xff\xfe\0,\0\0\0",
    "not padded to four": b"/improvbox/tap\0",
    "longer than a command can be": message("/improvbox/time", "x" * 5000),
}


@pytest.mark.parametrize("packet", GARBAGE.values(), ids=GARBAGE.keys())
def test_what_is_not_osc_is_counted_and_nothing_else(box: Box, packet: bytes) -> None:
    box.hear(packet)
    assert (box.commands, box.server.counts.garbage) == ([], 1)


def near_miss(rng: random.Random) -> bytes:
    """A right packet with a few bytes changed, cut, repeated or wrapped in a bundle whose size is a little off."""
    packet = bytearray(message(*rng.choice(RIGHT)[0]))
    if rng.random() < 0.4:
        packet = bytearray(bundle(bytes(packet), bytes(packet)))
        packet[16 + rng.randrange(4)] ^= rng.choice((0, 1, 4, 0x80, 0xFF))
    for _ in range(rng.randrange(4)):
        packet[rng.randrange(len(packet))] = rng.randrange(256)
    if rng.random() < 0.3:
        del packet[rng.randrange(len(packet)) :]
    return bytes(packet)


def test_five_thousand_random_and_nearly_right_packets_do_no_harm(box: Box, caplog: pytest.LogCaptureFixture) -> None:
    rng = random.Random(7)
    with caplog.at_level(logging.WARNING):
        for _ in range(2500):
            box.hear(rng.randbytes(rng.randrange(200)))
            box.hear(near_miss(rng))
    box.hear(message("/improvbox/panic"))
    counts = box.server.counts
    assert box.commands[-1].verb == "panic"
    assert counts.packets == 5001
    assert counts.garbage > 2500
    assert counts.failed == 0
    assert len(caplog.messages) < 20, "the log was flooded"


def test_random_packets_that_look_like_messages_raise_nothing_but_that_they_are_not_osc() -> None:
    rng = random.Random(8)
    for _ in range(3000):
        tags = "".join(rng.choices("ifdhsTFN,[]b\xff", k=rng.randrange(8)))
        packet = b"/" + rng.randbytes(3) + b"," + tags.encode("latin-1") + rng.randbytes(rng.randrange(24))
        try:
            for _address, arguments in unpack(packet + bytes(-len(packet) % 4)):
                assert isinstance(arguments, list)
        except CommandError:
            pass


def test_a_stranger_is_refused_and_counted(box: Box) -> None:
    box.hear(message("/improvbox/panic"), peer=("192.168.1.7", 5000))
    assert (box.commands, box.server.counts.strangers) == ([], 1)


def test_a_peer_in_allow_may_send() -> None:
    box = Box(allow=["192.168.1.0/24", "10.0.0.9"])
    with box.server:
        for peer in ("192.168.1.7", "10.0.0.9", "::ffff:10.0.0.9", "10.0.0.8"):
            box.hear(message("/improvbox/panic"), peer=(peer, 5000))
    assert (len(box.commands), box.server.counts.strangers) == (3, 1)


def test_state_is_answered_with_messages_to_the_sender(box: Box) -> None:
    answers = dict(next(unpack(answer)) for answer in box.hear(message("/improvbox/state")))
    assert answers["/improvbox/band/bass/role"] == ["accompany"]
    assert answers["/improvbox/human/band"] == ["auto"]
    assert box.commands == []


def test_without_a_state_to_tell_the_question_is_passed_on() -> None:
    commands: list[Command] = []
    OscServer(OscSettings(), commands.append, lambda: 0.0).handle(message("/improvbox/state"), HERE)
    assert [c.verb for c in commands] == ["state"]


def test_a_submit_that_fails_does_not_close_the_door() -> None:
    taken: list[Command] = []

    def submit(command: Command) -> None:
        if command.verb == "tap":
            raise RuntimeError("nobody home")
        taken.append(command)

    server = OscServer(OscSettings(), submit, lambda: 0.0)
    server.handle(message("/improvbox/tap"), HERE)
    server.handle(message("/improvbox/panic"), HERE)
    assert (server.counts.failed, [c.verb for c in taken]) == (1, ["panic"])


def test_a_packet_over_udp_reaches_the_box(live: Box) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(message("/improvbox/band/bass/role", "room"), ("127.0.0.1", live.server.port))
        eventually(lambda: live.commands)
    assert live.commands[0].value == "room"


def test_state_over_udp_comes_back_to_the_sender(live: Box) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10.0)
        client.sendto(message("/improvbox/state"), ("127.0.0.1", live.server.port))
        address, _ = next(unpack(client.recv(4096)))
    assert address in routes.ROUTES


def test_a_thousand_garbage_packets_over_udp_leave_it_listening(live: Box) -> None:
    rng = random.Random(9)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        for k in range(1000):
            client.sendto(rng.randbytes(rng.randrange(1, 6000)), ("127.0.0.1", live.server.port))
            if k % 10 == 9:  # the kernel drops what its receive buffer cannot hold, which is no part of this test
                eventually(lambda sent=k: live.server.counts.packets == sent + 1)
        client.sendto(message("/improvbox/panic"), ("127.0.0.1", live.server.port))
        eventually(lambda: live.commands)
    assert [c.verb for c in live.commands] == ["panic"]


def test_a_sender_that_is_gone_before_its_answer_does_no_harm(live: Box) -> None:
    for _ in range(3):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(message("/improvbox/state"), ("127.0.0.1", live.server.port))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(message("/improvbox/panic"), ("127.0.0.1", live.server.port))
        eventually(lambda: live.commands)


def test_stopping_is_quick_and_frees_the_port(box: Box) -> None:
    box.server.start()
    port = box.server.port
    watch = Stopwatch()
    box.server.stop()
    assert watch.elapsed_s() < 1.0
    assert "osc-in" not in [thread.name for thread in threading.enumerate()]
    with OscServer(OscSettings(listen_port=port), print, lambda: 0.0) as again:
        assert again.port == port


def test_stopping_twice_is_harmless(box: Box) -> None:
    box.server.start()
    box.server.stop()
    box.server.stop()


def test_a_port_in_use_is_named(live: Box) -> None:
    port = live.server.port
    with pytest.raises(
        DeviceError, match=rf"osc\.listen_port = {port} on 127\.0\.0\.1: Address already in use; .*0 for any"
    ):
        OscServer(OscSettings(listen_port=port), print, lambda: 0.0).start()


def test_it_listens_on_loopback_only(live: Box) -> None:
    assert live.server._socket is not None
    assert live.server._socket.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(
    ("settings", "message_"),
    [
        ({"listen_host": "0.0.0.0"}, r"osc\.listen_host = '0\.0\.0\.0' is open to the network: list in osc\.allow"),
        ({"listen_host": "::"}, r"osc\.listen_host = '::' is open to the network"),
        ({"listen_host": "no such host"}, r"osc\.listen_host = 'no such host' is no address"),
        ({"allow": ["everyone"]}, r"osc\.allow: 'everyone' is no address; e\.g\."),
    ],
)
def test_settings_that_open_the_box_by_mistake_are_refused(settings: dict[str, object], message_: str) -> None:
    with pytest.raises(SettingsError, match=message_):
        Box(**settings).server.start()


def test_an_open_host_with_allow_may_listen() -> None:
    with Box(listen_host="0.0.0.0", allow=["192.168.1.20"]).server as server:
        assert server.port > 0


def test_pack_and_unpack_are_inverse() -> None:
    assert list(unpack(pack("/a/b", ("x", 0.5, 3)))) == [("/a/b", ["x", 0.5, 3])]
