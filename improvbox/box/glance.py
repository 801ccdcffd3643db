"""What a display shows of the music: a witness that keeps the latest of everything."""

from __future__ import annotations

from collections import Counter
from typing import Any

from improvbox.box.session import Onlooker
from improvbox.events import HumanEvent, NoteOn, PlannedNote
from improvbox.tempo import Grid

WAITING_WIDTH = 48  # characters: the log has the whole of it
NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")


def note_name(pitch: float) -> str:
    """'E4', and cents off the key where they matter: 'E4+32'."""
    key = round(pitch)
    cents = round(100 * (pitch - key))
    return f"{NAMES[key % 12]}{key // 12 - 1}" + (f"{cents:+d}" if abs(cents) >= 10 else "")


class Glance(Onlooker):
    """A sink too. Written by the session's thread, read by a display's: every field is one store."""

    def __init__(self) -> None:
        self.heard: NoteOn | None = None
        """the human's last note"""
        self.begun: Counter[str] = Counter()
        """notes begun since the start, by part"""
        self.ended: Counter[str] = Counter()
        self.late_ms: float | None = None
        """how late the human's last note was known"""
        self.bar_beat: tuple[int, int] | None = None

    @property
    def hanging(self) -> int:
        """Notes of the band that sound now; after the end, notes that hang."""
        return self.begun.total() - self.begun["human"] - (self.ended.total() - self.ended["human"])

    def human(self, event: HumanEvent, now: float) -> None:
        if isinstance(event, NoteOn):
            self.heard = event
            self.begun["human"] += 1
            self.late_ms = 1e3 * (event.emitted - event.onset)

    def beat(self, grid: Grid, bar: int, beat: int, now: float) -> None:
        self.bar_beat = bar, beat

    def note_on(self, note: PlannedNote, t: float) -> None:
        self.begun[note.part] += 1

    def note_off(self, part: str, id: int, pitch: int, t: float) -> None:
        self.ended[part] += 1

    def bend(self, part: str, id: int, cents: float, t: float) -> None:
        """Not shown."""

    def program(self, part: str, program: int) -> None:
        """Not shown."""

    def gain(self, part: str, level: float) -> None:
        """Not shown."""

    def panic(self, t: float) -> None:
        """Not shown."""

    def close(self) -> None:
        """Nothing to free."""


def line(status: dict[str, Any], width: int = 120) -> str:
    """One line for a terminal, cut to `width`, from the table of the status file."""
    players = status.get("players", {})
    roles = "  ".join(
        f"{name} {told['role']}" for name, told in players.items() if name != "drums" or told["role"] != "rest"
    )
    stages = {s["stage"]: s for s in status["health"]["stages"]}
    hearing, stage = (_ms(stages.get(name)) for name in ("hearing", "stage"))
    heard = status.get("heard") or "-"
    pieces = [
        f"{heard:7}",
        roles,
        f"{status['tempo_bpm']:.0f} bpm" if status.get("tempo_bpm") else "free",
        f"{status['level_db']:.0f} dB" if status.get("level_db") is not None else "no sound",
        f"xruns {status['health']['xruns']}",
        f"hearing {hearing} stage {stage} ms p99",
        status["health"]["ladder"],
    ]
    if status.get("waiting"):
        pieces.insert(0, f"WAITING: {status['waiting'][:WAITING_WIDTH]}")
    return " | ".join(pieces)[:width]


def _ms(stage: dict[str, Any] | None) -> str:
    return "-" if stage is None or stage["p99_ms"] is None else f"{stage['p99_ms']:.1f}"
