"""The degradation ladder: cheaper ways to go on, entered when a stage cannot keep up, and left again when it can.

A table and a pure function of time and load; `live` does what the steps say. A step may build on another (half-rate
hearing before hearing without a model), and is left before the one it builds on.
"""

from __future__ import annotations

from dataclasses import dataclass

TOP = "full"

SMOOTHING_S = 4.0  # a single stall hinders no way up; what is under load all the time does
WAIT_LIMIT_S = 160.0  # longest wait before a step up that keeps failing is tried again


@dataclass(frozen=True, slots=True)
class Step:
    """One row."""

    name: str
    watches: str
    """the stage whose load enters it, as a share of that stage's budget"""
    enter_load: float
    enter_s: float
    """how long the load has to stay over `enter_load`"""
    exit_load: float
    """under this, with the step in force and averaged over some seconds, there is room again"""
    exit_s: float
    """how long there has to be room; doubled each time the step had to be entered again soon after"""
    after: str
    """the step that has to be in force before this one; '' none"""
    does: str


STEPS = (
    Step("fewer plans", "band", 1.0, 1.0, 0.5, 10.0, "", "players plan one note ahead and leave fills out"),
    Step("half rate", "hearing", 1.2, 1.5, 0.45, 10.0, "", "hearing looks at every second hop"),
    Step("dsp hearing", "hearing", 1.6, 2.0, 0.6, 20.0, "half rate", "hearing without a model: one line, no chords"),
    Step("hold", "band", 3.0, 1.5, 0.5, 5.0, "fewer plans", "players finish what they play and rest"),
)


@dataclass(frozen=True, slots=True)
class Change:
    """One step taken."""

    step: str
    entered: bool
    """False: left"""
    cause: str


@dataclass(slots=True)
class _State:
    active: bool = False
    since: float | None = None
    """s, since when the condition to change has held"""
    left: float = -1e9
    """s, when it was last left"""
    patience: float = 1.0
    """factor on exit_s"""
    forced: bool = False
    """in force for good, whatever the load"""


class Ladder:
    """`update` twice a second with fresh loads. One thread."""

    def __init__(self) -> None:
        self._states = {step.name: _State() for step in STEPS}
        self.cause = ""
        """why the lowest step in force was entered; '' at the top"""
        self._causes: dict[str, str] = {}
        self._smooth: dict[str, float] = {}
        self._t: float | None = None

    @property
    def active(self) -> tuple[str, ...]:
        """Steps in force, in the order of the table."""
        return tuple(step.name for step in STEPS if self._states[step.name].active)

    @property
    def name(self) -> str:
        """The lowest step in force, or 'full'."""
        return self.active[-1] if self.active else TOP

    def force(self, name: str, cause: str) -> None:
        """Puts a step in force for as long as the box runs: what it avoids is not there at all."""
        state = self._states[name]
        state.active = state.forced = True
        self._causes[name] = self.cause = cause

    def update(self, t: float, loads: dict[str, float | None]) -> list[Change]:
        """What changes at `t` (s). A load of None (nothing happened) enters nothing and hinders no way up."""
        self._average(t, loads)
        changes = [c for step in STEPS for c in self._step(step, t, loads.get(step.watches))]
        self.cause = self._causes.get(self.name, "")
        return changes

    def _average(self, t: float, loads: dict[str, float | None]) -> None:
        share = 1.0 if self._t is None else min(1.0, max(0.0, t - self._t) / SMOOTHING_S)
        self._t = t
        for stage, load in loads.items():
            before = self._smooth.get(stage, 0.0)
            self._smooth[stage] = before + share * ((load or 0.0) - before)

    def _step(self, step: Step, t: float, load: float | None) -> list[Change]:
        state = self._states[step.name]
        if state.active:
            room = self._smooth.get(step.watches, 0.0) < step.exit_load
            wants = room and not state.forced and not self._built_on(step)
            wait = step.exit_s * state.patience
        else:
            wants = load is not None and load > step.enter_load and self._reached(step)
            wait = step.enter_s
        if not wants:
            state.since = None
            return []
        if state.since is None:
            state.since = t
        if t - state.since < wait:
            return []
        state.since = None
        return [self._leave(step, state, t) if state.active else self._enter(step, state, t, load or 0.0)]

    def _enter(self, step: Step, state: _State, t: float, load: float) -> Change:
        soon = t - state.left < step.exit_s * state.patience + 5.0
        state.patience = min(state.patience * 2, WAIT_LIMIT_S / step.exit_s) if soon else 1.0
        state.active = True
        cause = f"{step.watches} took {load:.1f} of its budget for {step.enter_s:g} s"
        self._causes[step.name] = cause
        return Change(step.name, True, cause)

    def _leave(self, step: Step, state: _State, t: float) -> Change:
        state.active, state.left = False, t
        self._causes.pop(step.name, None)
        return Change(step.name, False, f"{step.watches} has had room for {step.exit_s * state.patience:g} s")

    def _built_on(self, step: Step) -> bool:
        return any(s.after == step.name and self._states[s.name].active for s in STEPS)

    def _reached(self, step: Step) -> bool:
        """The step before is in force: its relief has had `enter_s` to show."""
        return not step.after or self._states[step.after].active
