"""A session as a picture: who played what and when, bends as curves, roles and commands at their times."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from improvbox.commands import players
from improvbox.errors import MissingDriverError
from improvbox.events import BANDS, PLAYERS, Command, PlayedNote
from improvbox.stage.files import replacing

WIDTH_PX, DPI = 1600, 100
ROW_S = 32.0  # seconds in a row, about: a sixteenth at 140 bpm is then 5 pixels
MOST_ROWS = 6
BENT_CENTS = 30.0  # a note that moved less is drawn without the line of its pitch
TICK_S, MOST_TICKS = (1, 2, 5, 10, 30, 60, 300, 600), 12
LANE = 3.4  # semitones that a player's lane of roles is high

COLOURS = {"human": "#d1495b", "bass": "#00798c", "mid": "#6a994e", "high": "#7d5ba6", "drums": "#6c757d"}
NAMES = {"human": "guitar (human)", "bass": "bass", "mid": "mid", "high": "high", "drums": "drums"}
INK, FAINT, GRID = "#22252b", "#8a8f98", "#e9ebee"
WEIGHT = {"room": 0.45, "accompany": 0.75, "takeover": 0.9, "fight": 1.0}
"""how solid a role's lane is: the more a player asks for room of its own, the more"""
START_ROLES = {**dict.fromkeys(BANDS, "accompany"), "drums": "rest"}
_STEPS = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


@dataclass(frozen=True, slots=True)
class Session:
    """What is drawn."""

    notes: Sequence[PlayedNote]
    commands: Sequence[Command] = ()
    """those that were carried out"""
    beats: Sequence[tuple[float, bool]] = ()
    """(s, whether it begins a bar) of each beat"""
    roles: Mapping[str, str] = field(default_factory=lambda: dict(START_ROLES))
    """of the players at the beginning"""
    title: str = ""
    seconds: float | None = None
    """length; None: until the last note has ended"""


def draw(path: str | Path, session: Session) -> None:
    """A PNG, 1600 pixels wide. Raises MissingDriverError (matplotlib), InputFileError (place to write)."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingDriverError(f"matplotlib cannot be loaded ({error}); pip install 'improvbox[plots]'") from None
    seconds = session.seconds or max((n.offset for n in session.notes), default=10.0) + 0.5
    rows = min(MOST_ROWS, max(1, round(seconds / ROW_S)))
    low, high = _range(session.notes)
    lanes = [part for part in reversed(PLAYERS) if part != "drums" or _has_drums(session)]
    per_row = 0.34 + 0.066 * (high - low + LANE * len(lanes))
    figure = Figure(figsize=(WIDTH_PX / DPI, 0.75 + rows * per_row), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    top = 1 - 0.62 / figure.get_figheight()
    axes = figure.subplots(rows, 1, squeeze=False)[:, 0]
    figure.subplots_adjust(left=0.042, right=0.992, top=top, bottom=0.42 / figure.get_figheight(), hspace=0.09)
    for row, ax in enumerate(axes):
        span = (seconds * row / rows, seconds * (row + 1) / rows)
        _Row(ax, session, span, (low, high), lanes).draw()
    caption = (
        "seconds      |      bars follow the bend, louder is denser      |      dashed: a footswitch or another command"
    )
    axes[-1].set_xlabel(caption, color=FAINT, fontsize=10)
    _head(figure, session, lanes)
    with replacing(path) as draft:
        figure.savefig(draft, format="png", dpi=DPI)


def _range(notes: Iterable[PlayedNote]) -> tuple[float, float]:
    """Lowest and highest pitch to show, drums aside; two octaves at least."""
    pitches = [n.pitch + cents / 100 for n in notes if n.part != "drums" for _, cents in ((0.0, 0.0), *n.curve)]
    low, high = min(pitches, default=40.0), max(pitches, default=76.0)
    return min(low, 48.0) - 1.5, max(high, 72.0) + 1.5


def _has_drums(session: Session) -> bool:
    return any(n.part == "drums" for n in session.notes)


def _head(figure: Any, session: Session, lanes: Sequence[str]) -> None:
    from matplotlib.patches import Patch

    y = 1 - 0.3 / figure.get_figheight()
    figure.text(0.042, y, session.title, fontsize=15, color=INK, fontweight="bold", va="center")
    parts = ["human", *reversed(lanes)]
    figure.legend(
        handles=[Patch(facecolor=COLOURS[part], label=NAMES[part]) for part in parts],
        loc="center right",
        bbox_to_anchor=(0.992, y),
        ncols=len(parts),
        frameon=False,
        fontsize=11,
        handlelength=1.4,
        columnspacing=1.6,
    )


class _Row:
    """One row of the picture: lanes of roles above, notes below, over one span of time."""

    def __init__(
        self, ax: Any, session: Session, span: tuple[float, float], pitches: tuple[float, float], lanes: Sequence[str]
    ) -> None:
        self._ax, self._session, self._span = ax, session, span
        self._low, self._high = pitches
        self._lanes = {part: self._high + LANE * (place + 0.35) for place, part in enumerate(reversed(lanes))}
        self._top = self._high + LANE * (len(lanes) + 0.5)

    def draw(self) -> None:
        self._frame()
        self._beats()
        for part in (*PLAYERS, "human"):
            self._notes(part)
        for part in self._lanes:
            self._roles(part)
        self._commands()

    def _frame(self) -> None:
        ax = self._ax
        ax.set_xlim(*self._span)
        ax.set_ylim(self._low, self._top)
        keys = [key for key in range(int(self._low) + 1, int(self._high) + 1) if key % 12 in (0, 7)]
        ax.set_yticks([*keys, *self._lanes.values()])
        ax.set_yticklabels([*(f"{_STEPS[k % 12]}{k // 12 - 1}" for k in keys), *self._lanes], fontsize=9)
        for label, part in zip(ax.get_yticklabels()[len(keys) :], self._lanes, strict=True):
            label.set_color(COLOURS[part])
            label.set_fontweight("bold")
        ax.tick_params(length=0, colors=INK, labelsize=9)
        for key in keys:
            ax.axhline(key, color=GRID, linewidth=0.8 if key % 12 else 1.4, zorder=0)
        ax.axhline(self._high, color=FAINT, linewidth=0.8, zorder=1)
        for side in ax.spines.values():
            side.set_visible(False)
        begin, end = self._span
        step = next((s for s in TICK_S if (end - begin) / s <= MOST_TICKS), TICK_S[-1])
        ax.set_xticks(range(math.ceil(begin / step) * step, int(end) + 1, step))

    def _shown(self, begin: float, end: float) -> bool:
        return begin < self._span[1] and end > self._span[0]

    def _beats(self) -> None:
        for t, first in self._session.beats:
            if self._shown(t, t + 1e-6):
                line = {"color": "#c9cdd4" if first else GRID, "linewidth": 0.9 if first else 0.6}
                self._ax.vlines(t, self._low, self._high, zorder=0, **line)

    def _notes(self, part: str) -> None:
        """Louder is denser. The human's bars follow the bend."""
        from matplotlib.collections import LineCollection, PolyCollection
        from matplotlib.colors import to_rgba

        notes = [n for n in self._session.notes if n.part == part and self._shown(n.onset, n.offset)]
        if part == "drums":
            self._strokes(notes)
            return
        half, least = (0.40, 0.45) if part == "human" else (0.46, 0.20)
        shapes, colours, lines = [], [], []
        for note in notes:
            points = _course(note)
            upper = [(t, pitch + half) for t, pitch in points]
            lower = [(t, pitch - half) for t, pitch in reversed(points)]
            shapes.append(upper + lower)
            colours.append(to_rgba(COLOURS[part], least + (1 - least) * (note.velocity / 127) ** 1.5))
            if max((abs(cents) for _, cents in note.curve), default=0.0) >= BENT_CENTS:
                lines.append(points)
        above = 4 if part == "human" else 3
        edge = COLOURS[part]
        bars = PolyCollection(shapes, facecolors=colours, edgecolors=edge, linewidths=0.6, zorder=above)
        self._ax.add_collection(bars)
        self._ax.add_collection(LineCollection(lines, colors=INK, linewidths=0.8, zorder=above + 1))

    def _strokes(self, notes: Sequence[PlayedNote]) -> None:
        if "drums" in self._lanes:
            y = self._lanes["drums"]
            for note in notes:
                place = y + LANE * 0.3 * (1 if note.pitch >= 42 else -1 if note.pitch <= 36 else 0)
                self._ax.plot(note.onset, place, "|", color=COLOURS["drums"], markersize=5, alpha=note.velocity / 127)

    def _roles(self, part: str) -> None:
        from matplotlib.patches import Rectangle

        end = self._span[1]
        changes = [(0.0, self._session.roles.get(part, "rest"))]
        for command in sorted(self._session.commands, key=lambda c: c.t):
            if command.verb == "role" and part in players(command.target) and str(command.value) != changes[-1][1]:
                changes.append((command.t, str(command.value)))
        for (t, role), (until, _) in zip(changes, [*changes[1:], (end, "")], strict=True):
            begin, stop = max(t, self._span[0]), min(until, end)
            if stop <= begin:
                continue
            y, rest = self._lanes[part], role == "rest"
            box = Rectangle(
                (begin, y - LANE * 0.43), stop - begin, LANE * 0.86, facecolor=GRID if rest else COLOURS[part],
                alpha=WEIGHT.get(role, 1.0), linewidth=0, zorder=2,
            )  # fmt: skip
            self._ax.add_patch(box)
            if stop - begin > 0.045 * (end - self._span[0]):
                colour = FAINT if rest else INK if role == "room" else "white"
                words = {"color": colour, "fontsize": 10, "va": "center_baseline"}
                self._ax.text(begin + 0.15, y, role, zorder=3, **words)

    def _commands(self) -> None:
        """A line where anything was commanded; in words where it is no role, which the lanes show."""
        for command in self._session.commands:
            if not self._shown(command.t, command.t + 1e-6):
                continue
            self._ax.axvline(command.t, color=INK, linewidth=0.9, linestyle=(0, (4, 3)), zorder=2.5)
            if command.verb != "role":
                target = "" if command.target == "box" else f"{command.target} "
                value = "" if command.value is None else f" {_in_words(command.value)}"
                words = {"rotation": 90, "fontsize": 8.5, "color": INK, "va": "top", "ha": "right"}
                x = command.t - 0.002 * (self._span[1] - self._span[0])
                self._ax.text(x, self._high - 0.4, f"{target}{command.verb}{value}", zorder=6, **words)


def _course(note: PlayedNote) -> list[tuple[float, float]]:
    """(s, pitch) points from onset to offset, along the curve."""
    points = [(note.onset, note.pitch)]
    for after, cents in note.curve:
        t = note.onset + after
        if points[-1][0] < t < note.offset:
            points.append((t, note.pitch + cents / 100))
    return [*points, (note.offset, points[-1][1])]


def _in_words(value: object) -> str:
    if isinstance(value, tuple | list):
        return ",".join(str(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
