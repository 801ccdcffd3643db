"""The event model: one recurrent core that hears everybody, and heads that say what each player plays next.

Runs a quantized TFLite graph with the signatures `core`, `time` and `pitch` (its card states the sizes, which must be
those of `vocabulary`). The state is explicit: a snapshot is a copy, and only what was fed is in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from improvbox.band import sampling, vocabulary
from improvbox.band.features import Features, conditions, expand_core, expand_query
from improvbox.band.types import Controls, Fed, Judgement, Limits, Played, Proposal, Snapshot
from improvbox.errors import ModelError, nearest
from improvbox.events import BANDS
from improvbox.inference.card import Card
from improvbox.inference.interpreter import Signature
from improvbox.inference.store import open_checked
from improvbox.tempo import Grid

_DRAWS = 5  # onset, place within its bin, pitch, duration, velocity


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    features: Features
    states: dict[str, np.ndarray]


class EventModel:
    """The model in `folder`. `start` loads it; everything after that belongs to one thread.

    Real-time: `feed` and `query` allocate small arrays, never block and take a fraction of a millisecond.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.card: Card | None = None
        self._features = Features()
        self._states: dict[str, np.ndarray] = {}
        self._time_logits: dict[tuple[str, Controls], tuple[np.ndarray, np.ndarray]] = {}
        self._grid: Grid | None = None

    def start(self) -> EventModel:
        """Loads and checks the model. Raises ModelError where it is not one of this release."""
        self.card, interpreter = open_checked(self.folder, "band")
        for name, size in vocabulary.check().items():
            if self.card.vocabulary.get(name) != size:
                said = self.card.vocabulary.get(name)
                raise ModelError(f"{self.folder}: vocabulary.{name} is {said}, this release works with {size}")
        self._core: Signature = interpreter.signature("core")
        self._time: Signature = interpreter.signature("time")
        self._pitch: Signature = interpreter.signature("pitch")
        self._zeros = {n: np.zeros(t.shape, np.float32) for n, t in self._core.inputs.items() if n != "x"}
        self._top = max(self._zeros)  # the last layer's state feeds the heads
        self.reset()
        return self

    def reset(self) -> None:
        """Forgets everything that was fed."""
        self._features.reset()
        self._states = dict(self._zeros)
        self._time_logits.clear()

    @property
    def heard(self) -> bool:
        """Anything was fed since the start or the last reset."""
        return self._features.heard

    def feed(self, event: Fed, grid: Grid | None) -> bool:
        """Hears one event, in the order in which events become known; `grid` None: time is free.

        True: it moved the state; False: it was drums, or an end that says nothing new.
        """
        changed = self._features.hear(event, grid)
        self._time_logits.clear()
        if changed and self._features.core is not None:
            self._states = self._core.run({"x": expand_core(self._features.core), **self._states})
        return changed

    def query(
        self, part: str, controls: Controls, limits: Limits, rng: np.random.Generator, *, now: float, grid: Grid | None
    ) -> Proposal | None:
        """The part's next note as of `now` (s), or None: it rests for now. Changes no state.

        Takes five numbers from `rng` whatever happens. Raises ValueError for a part that is no band.
        """
        if part not in BANDS:
            raise ValueError(f"{part!r} is no player of this model; {nearest(part, BANDS)}")
        draws = rng.random(_DRAWS)
        if not self._features.heard:
            return None
        band, features = BANDS.index(part), self._features
        z, time_out = self._time_head(part, band, controls, grid)
        earliest = max(limits.earliest, now)
        if grid is None:
            onsets = sampling.free_onsets(time_out, features, band, earliest)
        else:
            onsets = sampling.metered_onsets(time_out, features, band, earliest, grid)
        log_p = sampling.limited(onsets, limits, earliest)
        chosen = None if log_p is None else sampling.pick_onset(onsets, log_p, earliest, draws)
        if chosen is None or log_p is None:
            return None
        index, onset = chosen
        row = sampling.onset_row(onsets, chosen, features, band, grid)
        out = self._pitch.run({"h": self._states[self._top], "z": z, "onset": row})["logits"][0]
        pitches = sampling.limited_pitches(sampling.pitch_logits(out, features, band), band, limits)
        if pitches is None:
            return None
        pitch = sampling.draw(pitches, draws[2])
        duration, log_duration = sampling.pick_duration(out, limits, grid, draws[3])
        velocity, log_velocity = sampling.pick_velocity(out, draws[4])
        return Proposal(
            part,
            onset,
            int(vocabulary.LOWEST[band]) + pitch,
            duration,
            velocity,
            float(log_p[index]),
            float(pitches[pitch]),
            log_duration,
            log_velocity,
        )

    def judge(self, note: Played, controls: Controls, *, grid: Grid | None) -> Judgement | None:
        """Log-probabilities of `note` as the next of its part, without limits; None before anything was heard.

        Raises ValueError for a part that is no player, or a note without a duration.
        """
        if note.part not in BANDS or note.duration is None:
            raise ValueError(f"a player's note with a duration is wanted, not {note}")
        if not self._features.heard:
            return None
        band, features = BANDS.index(note.part), self._features
        z, time_out = self._time_head(note.part, band, controls, grid)
        if grid is None:
            onsets = sampling.free_onsets(time_out, features, band, features.event_s)
            index = int(vocabulary.gap_bin(note.onset - onsets.base))
        else:
            onsets = sampling.metered_onsets(time_out, features, band, features.event_s, grid)
            index = sampling.step_of(note.onset, features, grid)
        log_time = sampling.log_softmax(onsets.logits.astype(np.float64))[index]
        if index == len(onsets.times):
            return Judgement(float(log_time), float("nan"), float("nan"), float("nan"))
        row = sampling.onset_row(onsets, (index, note.onset), features, band, grid)
        out = self._pitch.run({"h": self._states[self._top], "z": z, "onset": row})["logits"][0]
        pitches = sampling.limited_pitches(sampling.pitch_logits(out, features, band), band, Limits.of(note.part))
        assert pitches is not None
        return Judgement(
            float(log_time),
            float(pitches[note.pitch - int(vocabulary.LOWEST[band])]),
            sampling.log_duration(out, note.duration, grid),
            sampling.log_velocity(out, note.velocity),
        )

    def _time_head(self, part: str, band: int, controls: Controls, grid: Grid | None) -> tuple[np.ndarray, np.ndarray]:
        """The heads' row and the time logits; kept until the next event, for a plan is asked for more than once."""
        if grid is not self._grid:
            self._time_logits.clear()
            self._grid = grid
        known = self._time_logits.get((part, controls))
        if known is None:
            z = expand_query(self._features.query(band, grid), conditions(controls))
            known = z, self._time.run({"h": self._states[self._top], "z": z})["logits"][0]
            self._time_logits[part, controls] = known
        return known

    def snapshot(self) -> Snapshot:
        """A copy of the state."""
        return _State(self._features.copy(), dict(self._states))

    def restore(self, state: Snapshot) -> None:
        """Back to a copy; the copy stays usable."""
        if not isinstance(state, _State):
            raise TypeError(f"a snapshot of an event model is wanted, not {type(state).__name__}")
        self._features = state.features.copy()
        self._states = dict(state.states)
        self._time_logits.clear()
