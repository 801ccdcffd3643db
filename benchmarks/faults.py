"""Faults, made on purpose while the box plays on the rig, and what came of them: a table, and JSON for a machine.

    python benchmarks/faults.py
    python benchmarks/faults.py --only "SIGTERM" --json

Each fault is a real run: real ALSA, real models, real signals. Exit code 1 when a fault left notes hanging, lost data
that should have been kept, or was not survived as it should be.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from live_rig import Running, box, take

from improvbox.audio.rig import Rig
from improvbox.inference.store import SHIPPED

TAKE_S = 40.0
PATIENCE_S = 20.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row of the table."""

    fault: str
    ok: bool
    happened: str
    hanging: int
    """notes begun and never ended, as the OSC receiver saw it"""
    lost: int
    """notes that the receiver got and the record does not have"""
    noticed_s: float | None
    """until the box said so; None: it had nothing to notice"""
    recovered_s: float | None
    """until it was as before; None: it ended, or had nothing to recover from"""
    told: str
    """what the player or a support person could read"""


class Stage:
    """A rig that plays the take, and a box on it."""

    def __init__(self, folder: Path, guitar: np.ndarray) -> None:
        self.folder, self.guitar = folder, guitar

    @contextmanager
    def playing(self, **how: Any) -> Iterator[tuple[Rig, Running]]:
        """The box is READY and the band has begun to play."""
        with Rig(folder=self.folder / "rig") as rig, box(rig, self.folder, **how) as running:
            rig.play(self.guitar)
            wait(lambda: count(running, "/improvbox/note", "bass", "mid", "high") >= 3, PATIENCE_S)
            yield rig, running


def wait(done: Callable[[], bool], patience_s: float) -> float | None:
    """Seconds until it was so; None: it never was."""
    start = time.monotonic()
    while time.monotonic() - start < patience_s:
        if done():
            return time.monotonic() - start
        time.sleep(0.05)
    return None


def count(running: Running, address: str, *parts: str) -> int:
    return sum(a == address and (not parts or args[0] in parts) for _, a, args in running.received())


def ends(running: Running) -> tuple[int, int]:
    """(hanging, lost) as of now."""
    time.sleep(0.3)
    received = running.received()
    on = {(a[0], a[1]) for _, address, a in received if address == "/improvbox/note"}
    off = {(a[0], a[1]) for _, address, a in received if address == "/improvbox/note/off"}
    kept = {(n["part"], n["id"]) for n in running.notes()}
    return len(on - off), len(on - kept)


def terminate(running: Running) -> tuple[int, float, str]:
    """(exit code, seconds it took, what it said)."""
    start = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    _, said = running.process.communicate(timeout=30)
    return running.process.returncode, time.monotonic() - start, said


def status(running: Running) -> dict[str, Any]:
    """The status file, {} while there is none."""
    try:
        table: dict[str, Any] = json.loads((running.folder / "data" / "status.json").read_text())
    except (OSError, ValueError):
        return {}
    return table


def last_line(said: str, *words: str) -> str:
    found = [line for line in said.strip().splitlines() if not words or any(word in line for word in words)]
    return found[-1] if found else ""


# -- the faults ------------------------------------------------------------------------------------------------------


def stopped(stage: Stage) -> Outcome:
    """kill -STOP: the whole process stands still, as in a kernel or driver hang."""
    with stage.playing() as (_, running):
        before = running.watchdog(2.0)
        running.process.send_signal(signal.SIGSTOP)
        time.sleep(0.2)
        during = running.watchdog(3.0)
        running.process.send_signal(signal.SIGCONT)
        start = time.monotonic()
        recovered = wait(lambda: running.watchdog(0.5) > 0, PATIENCE_S)
        after = count(running, "/improvbox/note", "bass", "mid", "high")
        played_on = wait(lambda: count(running, "/improvbox/note", "bass", "mid", "high") > after, PATIENCE_S)
        code, _, said = terminate(running)
        hanging, lost = ends(running)
    ok = before > 0 and during == 0 and recovered is not None and played_on is not None and code == 0
    happened = (
        f"WATCHDOG=1 {before} times in 2 s before, {during} in 3 s while stopped: systemd restarts it after WatchdogSec"
    )
    return Outcome(
        "kill -STOP",
        ok and hanging == lost == 0,
        happened,
        hanging,
        lost,
        None,
        None if recovered is None else time.monotonic() - start if played_on is None else recovered,
        last_line(said, "ladder", "alive") or "the watchdog socket is quiet",
    )


def terminated(stage: Stage) -> Outcome:
    """SIGTERM in the middle of the take, with notes sounding."""
    with stage.playing() as (_, running):
        code, took, said = terminate(running)
        hanging, lost = ends(running)
    complete = (running.folder / "data").exists() and any(running.folder.glob("data/jams/*/session.mid"))
    ok = code == 0 and hanging == lost == 0 and complete
    return Outcome(
        "SIGTERM",
        ok,
        f"exit {code} after {took:.2f} s, notes and MIDI complete: {complete}",
        hanging,
        lost,
        took,
        None,
        last_line(said),
    )


def pitch_model(stage: Stage) -> Outcome:
    """One bit of the pitch model is wrong."""
    corrupt(stage.folder / "data", "pitch-v1")
    with stage.playing() as (_, running):
        table = wait_status(running)
        code, _, said = terminate(running)
        hanging, lost = ends(running)
    hearing = table.get("health", {}).get("hearing", "?")
    ok = hearing == "dsp" and code == 0 and hanging == lost == 0
    told = last_line(said, "sha256")
    return Outcome("corrupt pitch model", ok, f"plays on, hearing: {hearing}", hanging, lost, 0.0, None, told)


def band_model(stage: Stage) -> Outcome:
    """One bit of the band's model is wrong: there is no band without it."""
    corrupt(stage.folder / "data", "band-v1")
    try:
        with stage.playing():
            return Outcome("corrupt band model", False, "started all the same", 0, 0, None, None, "")
    except RuntimeError as error:
        said = str(error)
    ok = "sha256" in said and "Traceback" not in said
    return Outcome("corrupt band model", ok, "refuses to start, exit 1", 0, 0, 0.0, None, last_line(said, "sha256"))


def unplugged(stage: Stage) -> Outcome:
    """The interface, which is the amplifier too, is pulled out for three seconds."""
    with stage.playing() as (rig, running):
        rig.vanish()
        noticed = wait(lambda: bool(status(running).get("waiting")), PATIENCE_S)
        told = str(status(running).get("waiting", ""))
        fed = running.watchdog(2.0)
        frames = status(running).get("health", {}).get("frames", 0)
        rig.reappear()
        rig.play(stage.guitar)
        recovered = wait(lambda: healthy(running, frames), 2 * PATIENCE_S)
        heard = count(running, "/improvbox/note", "human")
        again = wait(lambda: count(running, "/improvbox/note", "human") > heard + 3, PATIENCE_S)
        code, _, _ = terminate(running)
        hanging, lost = ends(running)
    ok = None not in (noticed, recovered, again) and fed > 0 and code == 0 and hanging == lost == 0
    happened = f"waits, the watchdog stays fed ({fed} in 2 s), hears again: {again is not None}"
    return Outcome("interface unplugged", ok, happened, hanging, lost, noticed, recovered, told)


def absent(stage: Stage) -> Outcome:
    """No interface at power-on; it is plugged in three seconds later."""
    with Rig(folder=stage.folder / "rig") as rig:
        rig.vanish()
        with box(rig, stage.folder) as running:
            noticed = wait(lambda: bool(status(running).get("waiting")), PATIENCE_S)
            told = str(status(running).get("waiting", ""))
            fed = running.watchdog(2.0)
            rig.reappear()
            recovered = wait(lambda: healthy(running, 0), 2 * PATIENCE_S)
            rig.play(stage.guitar)
            again = wait(lambda: count(running, "/improvbox/note", "bass", "mid", "high") > 0, 2 * PATIENCE_S)
            code, _, _ = terminate(running)
            hanging, lost = ends(running)
    ok = None not in (noticed, recovered, again) and fed > 0 and code == 0 and hanging == lost == 0
    happened = f"READY all the same, waits, then plays: {again is not None}"
    return Outcome("no interface at power-on", ok, happened, hanging, lost, noticed, recovered, told)


def full_disk(stage: Stage) -> Outcome:
    """The data folder's disk is full after some notes."""
    with tiny_disk(stage.folder / "data") as (what, limit), stage.playing(preexec=limit) as (_, running):
        full = wait(lambda: count(running, "/improvbox/note/off") > len(running.notes()) + 5, 2 * PATIENCE_S)
        before = count(running, "/improvbox/note", "bass", "mid", "high")
        played_on = wait(lambda: count(running, "/improvbox/note", "bass", "mid", "high") > before + 5, PATIENCE_S)
        fed = running.watchdog(2.0)
        code, _, said = terminate(running)
        hanging, _ = ends(running)
        kept = len(running.notes())  # raises where a line is torn
    ok = None not in (full, played_on) and fed > 0 and code == 0 and hanging == 0 and "recording stopped" in said
    happened = f"{what}: plays on; {kept} notes kept, each whole; later ones are not recorded, and it says so"
    return Outcome("full disk", ok, happened, hanging, 0, full, None, last_line(said, "recording stopped"))


@contextmanager
def tiny_disk(folder: Path) -> Iterator[tuple[str, Callable[[], None] | None]]:
    """A file system of 24 KiB where we may mount one, else a limit on the size of the process's files."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        try:
            yield "a disk of 24 KiB", None
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)
        return

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))

    yield "4 KiB a file and no more", limit


def garbage(stage: Stage) -> Outcome:
    """1,000 packets of noise, torn OSC and wrong values, then one good command."""
    port = free_port()
    rng = random.Random(1)
    with stage.playing(port=port) as (_, running), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for number in range(1000):
            sender.sendto(packet(rng, number), ("127.0.0.1", port))
            if number % 50 == 0:
                time.sleep(0.01)
        sender.sendto(b"/improvbox/band/high/role\0\0\0,s\0\0fight\0\0\0", ("127.0.0.1", port))
        obeyed = wait(
            lambda: ["high", "role", "fight"] in [a for _, at, a in running.received() if at == "/improvbox/command"],
            PATIENCE_S,
        )
        before = count(running, "/improvbox/note", "bass", "mid", "high")
        played_on = wait(lambda: count(running, "/improvbox/note", "bass", "mid", "high") > before, PATIENCE_S)
        table = wait_status(running)
        code, _, said = terminate(running)
        hanging, lost = ends(running)
    counts = table.get("osc", {})
    bad = sum(counts.get(name, 0) for name in ("garbage", "refused", "ignored"))
    ok = obeyed is not None and played_on is not None and code == 0 and hanging == lost == 0
    happened = f"{bad} of 1000 counted as bad, the good command after them obeyed: {obeyed is not None}"
    return Outcome("1,000 garbage OSC packets", ok, happened, hanging, lost, None, None, last_line(said, "osc"))


def packet(rng: random.Random, number: int) -> bytes:
    """Noise, noise behind a good beginning, a bundle that lies about its size, or a value that nobody may set."""
    kinds = (
        lambda: rng.randbytes(rng.randint(0, 200)),
        lambda: b"/improvbox/band/all/density\0,f\0\0"[: rng.randint(1, 32)] + rng.randbytes(rng.randint(0, 7)),
        lambda: b"#bundle\0" + bytes(8) + rng.randint(0, 2**32 - 1).to_bytes(4, "big") + rng.randbytes(20),
        lambda: b"/improvbox/tempo\0\0\0\0,f\0\0\x7f\xc0\x00\x00",
    )
    return kinds[number % len(kinds)]()


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def corrupt(data: Path, name: str) -> None:
    """An installed model of that name, one bit of it flipped."""
    folder = data / "models" / name
    folder.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(SHIPPED / name, folder)
    content = bytearray((folder / "model.tflite").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.tflite").write_bytes(content)


def healthy(running: Running, frames: int) -> bool:
    table = status(running)
    return bool(table) and not table["waiting"] and table["health"]["frames"] > frames


def wait_status(running: Running) -> dict[str, Any]:
    wait(lambda: bool(status(running).get("health")), PATIENCE_S)
    time.sleep(1.2)  # one more reading, of now
    return status(running)


FAULTS: MappingProxyType[str, Callable[[Stage], Outcome]] = MappingProxyType(
    {
        "kill -STOP": stopped,
        "SIGTERM": terminated,
        "corrupt pitch model": pitch_model,
        "corrupt band model": band_model,
        "interface unplugged": unplugged,
        "no interface at power-on": absent,
        "full disk": full_disk,
        "1,000 garbage OSC packets": garbage,
    }
)


def run(names: list[str], guitar: np.ndarray) -> list[Outcome]:
    rows = []
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name} ...", file=sys.stderr, flush=True)
            try:
                rows.append(FAULTS[name](Stage(Path(folder), guitar)))
            except (RuntimeError, subprocess.TimeoutExpired, OSError) as error:
                rows.append(Outcome(name, False, f"{type(error).__name__}: {error}"[:300], -1, -1, None, None, ""))
    return rows


def table(rows: list[Outcome]) -> str:
    lines = [
        "| fault | ok | what happened | hanging | lost | noticed s | recovered s | told |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        times = ("-" if t is None else f"{t:.1f}" for t in (row.noticed_s, row.recovered_s))
        cells = (row.fault, "yes" if row.ok else "NO", row.happened, row.hanging, row.lost, *times, row.told)
        lines.append("| " + " | ".join(str(c).replace("|", "/") for c in cells) + " |")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(FAULTS), help="one fault; may be given more than once")
    parser.add_argument("--json", metavar="FILE", help="write the rows here as well")
    args = parser.parse_args()
    rows = run(args.only or list(FAULTS), take(TAKE_S))
    print(table(rows))
    if args.json:
        Path(args.json).write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")
    return 0 if all(row.ok for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
