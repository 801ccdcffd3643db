"""A real-time run of the whole box on the rig: real ALSA in and out, a take of real guitar notes, feet on fake pins.

    python benchmarks/live_rig.py                      # 60 s
    python benchmarks/live_rig.py --seconds 12 --json

Starts the rig (a dummy sound server behind ALSA), an OSC receiver in a process of its own, and `improvbox run`; plays
the take into the fake interface; then compares what the receiver got with what the box recorded. Exit code 1 when a
demand is not met: 0 xruns, 0 notes left sounding, every band plays, OSC equals the record note for note, footswitches
change roles.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from improvbox.audio.rig import Rig
from improvbox.audio.source import RATE_HZ
from improvbox.audio.wav import load
from improvbox.stage import score, soundfonts
from improvbox.stage.guitar import RecordedGuitar, SampledGuitar
from improvbox.stage.take import DEMO, play

ROOT = Path(__file__).parent.parent
GUITAR = "estrat"  # a Stratocaster, every fret recorded


def shared() -> Path | None:
    """The folder with the real guitar notes, where it is."""
    named = os.environ.get("IMPROVBOX_SHARED")
    places = [Path(named)] if named else [ROOT.parent / "shared"]
    return next((p for p in places if (p / "data" / "guitar_notes" / GUITAR).is_dir()), None)


def take(seconds: float) -> np.ndarray:
    """float32 at 48 kHz: the written demo on recorded guitar notes, or on a SoundFont's guitar where there are none."""
    source = shared()
    recorded = None if source is None else RecordedGuitar(source / "data" / "guitar_notes" / GUITAR)
    with recorded or SampledGuitar(soundfonts.find()) as guitar:
        samples = play(score.load(DEMO), guitar).samples
    wanted = round(seconds * RATE_HZ)
    return np.resize(samples, wanted) if len(samples) < wanted else samples[:wanted]


SETTINGS = """\
[audio]
pcm = "iface"
[stage]
pcm = "synth"
[osc]
listen_port = {listen}
send = ["127.0.0.1:{port}"]
[controls]
pins = "fake"
[box]
data = "{data}"
"""

READY_S = 60.0  # a loaded machine imports slowly
BANDS = ("bass", "mid", "high")


@dataclass(slots=True)
class Running:
    """A live box in a process of its own, started and READY."""

    process: subprocess.Popen[str]
    folder: Path
    notify: socket.socket
    messages: Path
    """what the OSC receiver got, JSON lines [monotonic s, address, arguments]"""
    ready_s: float
    """from the start of the process to READY"""

    def notes(self) -> list[dict[str, Any]]:
        """The recorded notes, all sessions of the data folder."""
        rows = []
        for path in sorted(self.folder.glob("data/jams/*/notes.jsonl")):
            rows += [json.loads(line) for line in path.read_text().splitlines() if line.strip()]
        return rows

    def received(self) -> list[tuple[float, str, list[Any]]]:
        """The messages so far."""
        return [tuple(json.loads(line)) for line in self.messages.read_text().splitlines()]

    def watchdog(self, seconds: float) -> int:
        """How many WATCHDOG=1 come within `seconds`."""
        self.notify.setblocking(False)
        while True:  # what came before
            try:
                self.notify.recv(4096)
            except BlockingIOError:
                break
        end, count = time.monotonic() + seconds, 0
        while (left := end - time.monotonic()) > 0:
            self.notify.settimeout(left)
            try:
                count += self.notify.recv(4096) == b"WATCHDOG=1"
            except TimeoutError:
                break
        return count


@contextmanager
def box(
    rig: Rig, folder: Path, arguments: Sequence[str] = (), *, port: int = 0, preexec: Callable[[], None] | None = None
) -> Iterator[Running]:
    """`improvbox run` on the rig, with an OSC receiver and a stand-in for systemd's socket. Killed on the way out.

    port: where it listens for OSC; 0: anywhere. preexec: called in its process before it starts.
    """
    (folder / "data").mkdir(exist_ok=True)
    messages = folder / "osc.jsonl"
    command = [sys.executable, __file__, "--receive", str(messages)]
    receiver = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(rig))
    assert receiver.stdout is not None
    to = int(receiver.stdout.readline())
    settings = folder / "settings.toml"
    settings.write_text(SETTINGS.format(port=to, listen=port, data=folder / "data"))
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.bind(str(folder / "notify"))
    env = environment(rig) | {"NOTIFY_SOCKET": str(folder / "notify"), "WATCHDOG_USEC": "1000000"}
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "improvbox", "run", "--json", "--config", str(settings), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=env,
        preexec_fn=preexec,  # noqa: PLW1509  # set before any thread of ours is started
    )
    try:
        wait_ready(process, notify)
        yield Running(process, folder, notify, messages, time.monotonic() - started)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        time.sleep(0.3)  # the receiver has what was on its way
        receiver.send_signal(signal.SIGTERM)
        receiver.wait()
        notify.close()
        (folder / "notify").unlink()


def environment(rig: Rig) -> dict[str, str]:
    return {**os.environ, **rig.env, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}


def wait_ready(process: subprocess.Popen[str], notify: socket.socket) -> None:
    """Raises RuntimeError with the box's own words where it ends or does not get ready."""
    notify.settimeout(0.2)
    end = time.monotonic() + READY_S
    while time.monotonic() < end and process.poll() is None:
        try:
            if notify.recv(4096).startswith(b"READY=1"):
                return
        except TimeoutError:
            continue
    process.kill()
    raise RuntimeError(f"the box did not get ready: {process.communicate()[1].strip()}")


def receive(port: int, out: str) -> None:
    """The independent receiver: plain sockets, its own reading of OSC, one JSON line a message, until SIGTERM."""
    box = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    box.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    box.bind(("127.0.0.1", port))
    with open(out, "w", encoding="utf-8", buffering=1) as file:
        print(box.getsockname()[1], flush=True)
        while True:
            packet = box.recv(65536)
            for address, arguments in messages(packet):
                file.write(json.dumps([time.monotonic(), address, arguments]) + "\n")


def messages(packet: bytes) -> list[tuple[str, list[Any]]]:
    """Address and arguments of each message; OSC 1.0: strings, int32, float32, bundles."""
    if packet.startswith(b"#bundle\0"):
        found, at = [], 16
        while at < len(packet):
            (size,) = struct.unpack_from(">i", packet, at)
            found += messages(packet[at + 4 : at + 4 + size])
            at += 4 + size
        return found
    address, at = _text(packet, 0)
    tags, at = _text(packet, at)
    arguments: list[Any] = []
    for tag in tags[1:]:
        if tag in "if":
            arguments.append(struct.unpack_from(">" + tag, packet, at)[0])
            at += 4
        elif tag in "hd":
            arguments.append(struct.unpack_from(">" + {"h": "q", "d": "d"}[tag], packet, at)[0])
            at += 8
        elif tag == "s":
            text, at = _text(packet, at)
            arguments.append(text)
        else:
            arguments.append({"T": True, "F": False}.get(tag))
    return [(address, arguments)]


def _text(packet: bytes, at: int) -> tuple[str, int]:
    end = packet.index(b"\0", at)
    return packet[at:end].decode(), end + 4 - end % 4


def evening(seconds: float, folder: Path, guitar: np.ndarray, moves: Sequence[str]) -> dict[str, Any]:
    """Plays the take through a live box and reports what came of it."""
    with Rig(folder=folder / "rig") as rig:
        arguments = ["--for", f"{seconds + 1:g}", *(a for move in moves for a in ("--move", move))]
        with box(rig, folder, arguments) as running:
            rig.record(folder / "recording.wav")
            rig.play(guitar)
            out, err = running.process.communicate(timeout=seconds + 60)
            recording = rig.stop_recording()
        if running.process.returncode != 0:
            raise RuntimeError(f"the box ended with {running.process.returncode}: {err.strip()}")
        report = judge(running, json.loads(out), moves)
    sound = np.abs(recording.samples()[:, 1:])
    report["synth_peak"] = float(sound.max())
    report["ready_s"] = running.ready_s
    report["log"] = err.strip().splitlines()
    return report


def judge(running: Running, summary: dict[str, Any], moves: Sequence[str]) -> dict[str, Any]:
    """The demands, one by one."""
    received = running.received()
    notes = running.notes()
    differences = compare(notes, [(address, args) for _, address, args in received])
    told = [args for _, address, args in received if address == "/improvbox/command"]
    roles = [args[2] for args in told if args[1] == "role"]
    played = {part: sum(n["part"] == part for n in notes) for part in ("human", *BANDS)}
    demands = {
        "0 xruns": summary["health"]["xruns"] == 0,
        "0 notes left sounding": summary["hanging"] == 0 and not differences["never_ended"],
        "every band plays": all(played[band] > 0 for band in BANDS),
        "OSC equals the record": not any(differences.values()),
        "footswitches change roles": not moves or len(set(roles)) > 1,
    }
    return {
        "demands": demands,
        "ok": all(demands.values()),
        "notes": played,
        "messages": len(received),
        "guitar": "recorded notes" if shared() is not None else "SoundFont",
        "differences": differences,
        "roles_told": roles,
        "health": summary["health"],
        "late": summary["tally"],
    }


def compare(notes: list[dict[str, Any]], messages: list[tuple[str, list[Any]]]) -> dict[str, list[Any]]:
    """What the record and the receiver do not have in common, note by note: part, id, key and velocity."""
    on = {(a[0], a[1]): (round(a[2]), a[3]) for address, a in messages if address == "/improvbox/note"}
    off = {(a[0], a[1]) for address, a in messages if address == "/improvbox/note/off"}
    kept = {(n["part"], n["id"]): (round(n["pitch"]), n["velocity"]) for n in notes}
    return {
        "recorded_only": sorted(set(kept) - set(on)),
        "received_only": sorted(set(on) - set(kept)),
        "not_alike": sorted(k for k in set(kept) & set(on) if kept[k] != on[k]),
        "never_ended": sorted(set(on) - off),
        "received_twice": [] if len(on) == sum(a == "/improvbox/note" for a, _ in messages) else ["notes"],
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--take", help="a sound file instead of the written demo on real guitar notes")
    parser.add_argument("--keep", help="folder for the recording, the notes and the messages")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--receive", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.receive:
        receive(0, args.receive)
        return 0
    guitar = load(args.take) if args.take else take(args.seconds)
    third = args.seconds / 3
    moves = [f"{third:.1f}:fs2", f"{2 * third:.1f}:fs1", f"{2.5 * third:.1f}:fs3"]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(args.keep or scratch)
        folder.mkdir(parents=True, exist_ok=True)
        report = evening(args.seconds, folder, guitar, moves)
    print(json.dumps(report, indent=2) if args.json else words(report))
    return 0 if report["ok"] else 1


def words(report: dict[str, Any]) -> str:
    lines = [f"{'ok  ' if ok else 'FAIL'} {demand}" for demand, ok in report["demands"].items()]
    lines.append("notes: " + ", ".join(f"{part} {n}" for part, n in report["notes"].items()))
    lines.append(
        f"xruns {report['health']['xruns']}, late notes {report['late']['thinned'] + report['late']['skipped']}"
    )
    lines.append(f"roles told on the way: {', '.join(report['roles_told'])}; ready after {report['ready_s']:.1f} s")
    for stage in report["health"]["stages"]:
        if stage["p50_ms"] is not None:
            times = f"p50 {stage['p50_ms']:.2f}  p99 {stage['p99_ms']:.2f}  max {stage['max_ms']:.2f}"
            lines.append(f"{stage['stage']:9} {times}  budget {stage['budget_ms']:.2f} ms")
    return "\n".join(lines + report["log"])


if __name__ == "__main__":
    sys.exit(main())
