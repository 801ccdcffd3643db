"""What the weaver drives: a synth, a socket, a recorder. And one that stands for several, so that one's fault is no
other's silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from improvbox.errors import ImprovBoxError
from improvbox.events import PlannedNote


class Sink(Protocol):
    """Called by the one thread that owns the weaver, in time order; `t` is audio time in s at which it happens.

    No call may block for longer than a system call that does not wait. A note that was never begun may be ended.
    """

    def note_on(self, note: PlannedNote, t: float) -> None:
        """`note` begins now; its end comes as `note_off`, whatever its duration said."""

    def note_off(self, part: str, id: int, pitch: int, t: float) -> None:
        """Note `id` of `part` ends."""

    def bend(self, part: str, id: int, cents: float, t: float) -> None:
        """The sounding note is `cents` from its pitch."""

    def program(self, part: str, program: int) -> None:
        """General MIDI program 0..127 for the notes of `part` from now on."""

    def gain(self, part: str, level: float) -> None:
        """Level of `part`, 0 (silent) to 1."""

    def panic(self, t: float) -> None:
        """Everything ends at once, release tails included."""

    def close(self) -> None:
        """No call comes after this one. May be called twice."""


FAULTS = (ImprovBoxError, OSError, RuntimeError, ValueError)
"""What a sink may fail with in service; anything else is a mistake in the program and is not hidden."""


class Fan:
    """A sink that passes every call to all of `sinks`. A fault is counted and kept as text, and stops nobody else."""

    def __init__(self, sinks: Iterable[Sink]) -> None:
        self.sinks = tuple(sinks)
        self.faults = 0
        self.last_fault = ""

    def note_on(self, note: PlannedNote, t: float) -> None:
        self._each(lambda sink: sink.note_on(note, t))

    def note_off(self, part: str, id: int, pitch: int, t: float) -> None:
        self._each(lambda sink: sink.note_off(part, id, pitch, t))

    def bend(self, part: str, id: int, cents: float, t: float) -> None:
        self._each(lambda sink: sink.bend(part, id, cents, t))

    def program(self, part: str, program: int) -> None:
        self._each(lambda sink: sink.program(part, program))

    def gain(self, part: str, level: float) -> None:
        self._each(lambda sink: sink.gain(part, level))

    def panic(self, t: float) -> None:
        self._each(lambda sink: sink.panic(t))

    def close(self) -> None:
        self._each(lambda sink: sink.close())

    def _each(self, call: Callable[[Sink], None]) -> None:
        for sink in self.sinks:
            try:
                call(sink)
            except FAULTS as error:
                self.faults += 1
                self.last_fault = f"{type(sink).__name__}: {error}"
