"""A stand-in for the event model that needs no file: plausible onsets and steps by rule, under the same limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from improvbox.band.types import Controls, Fed, Limits, Played, Proposal
from improvbox.tempo import TICKS_PER_BEAT, Grid

PITCHES = np.arange(128)
CHANCE = {0: 0.8, 6: 0.3, 3: 0.03, 9: 0.03}  # of an onset, by tick of the beat; others: never


@dataclass
class RuleModel:
    """Counts what it is fed and asked, so that tests can look."""

    fed: list[Fed] = field(default_factory=list)
    grids: list[Grid | None] = field(default_factory=list)
    last: dict[str, float] = field(default_factory=dict)
    asked: list[tuple[str, Controls, Limits]] = field(default_factory=list)

    def reset(self) -> None:
        self.fed.clear()

    def feed(self, event: Fed, grid: Grid | None) -> None:
        self.fed.append(event)
        if isinstance(event, Played):
            self.last[event.part] = event.pitch
        self.grids.append(grid)

    def snapshot(self) -> list[Fed]:
        return list(self.fed)

    def restore(self, state: list[Fed]) -> None:  # type: ignore[override]  # a snapshot is the model's own business
        self.fed = list(state)

    def query(
        self, part: str, controls: Controls, limits: Limits, rng: np.random.Generator, *, now: float, grid: Grid | None
    ) -> Proposal | None:
        draws = rng.random(4)
        self.asked.append((part, controls, limits))
        if not self.fed:
            return None
        onset = self._onset(limits, draws[0], now, grid)
        if onset is None:
            return None
        pitches = PITCHES
        logits = np.where((pitches >= limits.low) & (pitches <= limits.high), 0.0, -np.inf)
        logits = logits - 0.3 * np.abs(pitches - self.last.get(part, (limits.low + limits.high) / 2))
        if limits.pitch_bias is not None:
            logits = logits + limits.pitch_bias
        mass = np.exp((logits - logits.max()) / limits.pitch_temperature).cumsum()
        pitch = int(np.searchsorted(mass, draws[1] * mass[-1], side="right"))
        pulse = 0.5 if grid is None else grid.beat_s
        length = min(max(pulse * (0.5 + draws[2]), limits.min_duration), limits.max_duration)
        return Proposal(part, onset, pitch, length, 60 + int(40 * draws[3]), 0.0, 0.0, 0.0, 0.0)

    def _onset(self, limits: Limits, uniform: float, now: float, grid: Grid | None) -> float | None:
        earliest = max(limits.earliest, now)
        if grid is None:
            wait = -math.log(1.0 - 0.999 * uniform) / limits.hazard
            onset = min(earliest + wait, limits.latest) if limits.must else earliest + wait
            return onset if onset <= limits.latest else None
        tick = math.ceil((earliest - grid.origin) / grid.beat_s * TICKS_PER_BEAT - 1e-3)
        left, best = 1.0, None
        for step in range(4 * TICKS_PER_BEAT):
            at = grid.origin + (tick + step) * grid.beat_s / TICKS_PER_BEAT
            phase = (tick + step) % TICKS_PER_BEAT
            if at > limits.latest + 1e-6:
                break
            if phase % limits.step_ticks or phase not in CHANCE:
                continue
            best = at if best is None or limits.must else best
            chance = CHANCE[phase]
            if limits.phase_bias is not None:
                odds = chance / (1 - chance) * math.exp(limits.phase_bias[phase])
                chance = odds / (1 + odds)
            chance = 1 - (1 - chance) ** limits.hazard
            if left * (1 - chance) < uniform:
                return at
            left *= 1 - chance
        return best if limits.must else None
