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
import socket
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from improvbox.audio.rig import Rig
from improvbox.audio.source import RATE_HZ
from improvbox.audio.wav import load

ROOT = Path(__file__).parent.parent
GUITAR = "estrat"
PHRASES = (  # MIDI numbers on a grid of eighths, None: a rest. A minor, then a change to E minor
    (57, 60, 64, 67, 64, 60, 57, None, 62, 64, 65, 64, 62, 60, 59, None),
    (57, None, 64, 62, 60, None, 59, 57, 55, 57, 59, 60, 57, None, None, None),
    (69, 67, 64, 62, 60, 62, 64, 67, 69, None, 67, 69, 72, None, None, None),
    (64, 66, 67, 71, 67, 66, 64, None, 59, 62, 64, 66, 64, None, None, None),
)
TEMPO_BPM = 100.0
LEAD_IN_S = 1.0


def shared() -> Path | None:
    """The folder with the real guitar notes, where it is."""
    named = os.environ.get("IMPROVBOX_SHARED")
    places = [Path(named)] if named else [ROOT.parent / "shared"]
    return next((p for p in places if (p / "data" / "guitar_notes" / GUITAR).is_dir()), None)


def real_note(folder: Path, midi: int) -> np.ndarray:
    """One plucked note of a Stratocaster that has every fret."""
    return load(sorted(folder.glob(f"{GUITAR}_m{midi:03d}_*.flac"))[0])


def take(seconds: float, folder: Path) -> np.ndarray:
    """float32 at 48 kHz: phrases of real notes, each damped by the next, with rests between."""
    notes = {midi: real_note(folder, midi) for line in PHRASES for midi in line if midi is not None}
    step = 30.0 / TEMPO_BPM
    sound = np.zeros(round(seconds * RATE_HZ), np.float32)
    at, phrase = LEAD_IN_S, 0
    while at < seconds - 1.0:
        line = PHRASES[phrase % len(PHRASES)]
        for i, midi in enumerate(line):
            if midi is None or at + i * step > seconds - 1.0:
                continue
            length = round(step * RATE_HZ * (2 if i + 1 < len(line) and line[i + 1] is None else 1))
            note = notes[midi][:length].copy()
            fade = min(len(note), 480)
            note[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
            first = round((at + i * step) * RATE_HZ)
            sound[first : first + len(note)] += note[: max(0, len(sound) - first)]
        at += len(line) * step
        phrase += 1
    return 0.5 * sound / max(1e-6, float(np.abs(sound).max()))


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
