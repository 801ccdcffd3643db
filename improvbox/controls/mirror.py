"""What every player was last told: a cycle asks for its next step, a knob where to pick up, an LED what to show."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from improvbox.commands import Value, players
from improvbox.config import BandSettings
from improvbox.controls.routes import address
from improvbox.events import CONTROLS, PARTS, PLAYERS, Command

MOMENTARY = ("tap", "return", "panic", "state")  # said, not kept


class Mirror:
    """Contract: any thread may `observe` and ask. It knows commands only, and starts as the settings say."""

    def __init__(self, band: BandSettings) -> None:
        self._lock = threading.Lock()
        self._told: dict[tuple[str, str], Value] = {
            ("human", "band"): band.human,
            ("box", "time"): band.time,
        }
        if band.tempo_bpm:
            self._told["box", "tempo"] = band.tempo_bpm
        for name in PLAYERS:
            player = getattr(band, name)
            self._told.update({(name, verb): getattr(player, verb) for verb in ("role", *CONTROLS)})
            self._told[name, "sound"] = float(player.program)
            self._told[name, "for"] = tuple(part for part in PARTS if part != name)

    def observe(self, command: Command) -> None:
        """Takes note of a command, whoever gave it."""
        if command.verb in MOMENTARY:
            return
        with self._lock:
            for target in players(command.target):
                self._told[target, command.verb] = command.value

    def value(self, targets: Sequence[str], verb: str) -> Value:
        """What all the targets were told; None where they differ or nothing is known. 'all' means every player."""
        names = [name for target in targets for name in players(target)]
        with self._lock:
            values = [self._told.get((name, verb)) for name in names]
        return values[0] if values and all(v == values[0] for v in values) else None

    def messages(self) -> list[tuple[str, tuple[str | float, ...]]]:
        """The whole state as OSC: each (address, arguments) is the message that would bring it about."""
        with self._lock:
            told = dict(self._told)
        return [
            (address(target, verb), value if isinstance(value, tuple) else (value,))
            for (target, verb), value in told.items()
            if value is not None
        ]
