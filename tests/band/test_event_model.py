"""The event model under limits: what it proposes, what it never proposes, and that planning leaves no trace."""

import dataclasses

import numpy as np
import pytest

from improvbox.band import vocabulary
from improvbox.band.event_model import EventModel
from improvbox.band.types import Controls, Ended, Limits, Played
from improvbox.errors import ModelError
from improvbox.events import BANDS, REGISTERS
from improvbox.inference.store import SHIPPED, find
from improvbox.tempo import Grid

GRID = Grid(96.0)
FREE = Controls()


@pytest.fixture(scope="module")
def model():
    return EventModel(find("band-v1", "band")).start()


@pytest.fixture
def fed(model):
    """A model that has heard four bars of a tune and a bass."""
    model.reset()
    for i, pitch in enumerate((60, 62, 64, 65, 67, 65, 64, 62) * 2):
        t = GRID.time(i)
        if i % 2 == 0:
            model.feed(Played("bass", 36 + pitch % 12, t, 80, 2 * GRID.beat_s), GRID)
        model.feed(Played("human", pitch, t, 80), GRID)
    return model


NOW = GRID.time(15) + 0.03


def ask(model, part="mid", seed=0, grid=GRID, controls=FREE, **limits):
    return model.query(part, controls, Limits.of(part, **limits), np.random.default_rng(seed), now=NOW, grid=grid)


def asked(model, count=40, **kw):
    made = [ask(model, seed=s, **kw) for s in range(count)]
    return [p for p in made if p is not None]


@pytest.mark.parametrize("part", BANDS)
@pytest.mark.parametrize("grid", [GRID, None])
def test_proposals_stay_in_the_register(fed, part, grid):
    low, high = REGISTERS[part]
    proposals = asked(fed, part=part, grid=grid, pitch_temperature=3.0)
    assert proposals
    assert all(low <= p.pitch <= high for p in proposals)


@pytest.mark.parametrize("grid", [GRID, None])
def test_no_onset_is_earlier_than_allowed(fed, grid):
    earliest = NOW + 0.3
    assert all(p.onset >= earliest - 1e-6 for p in asked(fed, grid=grid, earliest=earliest))


@pytest.mark.parametrize("grid", [GRID, None])
def test_no_onset_lies_before_now(fed, grid):
    assert all(p.onset >= NOW - 1e-6 for p in asked(fed, grid=grid))


def test_no_onset_is_later_than_allowed(fed):
    assert all(p.onset <= NOW + 1.5 + 1e-6 for p in asked(fed, latest=NOW + 1.5, time_temperature=5.0))


def test_a_proposal_that_must_be_is_made(fed):
    limits = {"must": True, "latest": NOW + 1.5, "hazard": 0.05}
    assert len(asked(fed, **limits)) == 40


def test_metered_onsets_lie_on_ticks(fed):
    ticks = [GRID.beat(p.onset) * 12 for p in asked(fed)]
    np.testing.assert_allclose(ticks, np.round(ticks), atol=1e-6)


def test_a_coarser_step_keeps_onsets_on_it(fed):
    beats = [GRID.beat(p.onset) * 2 for p in asked(fed, step_ticks=6, time_temperature=4.0)]
    np.testing.assert_allclose(beats, np.round(beats), atol=1e-6)


def test_a_forbidden_pitch_is_never_proposed(fed):
    bias = np.zeros(128)
    bias[::2] = -np.inf
    assert all(p.pitch % 2 == 1 for p in asked(fed, pitch_bias=bias))


def test_when_every_pitch_is_forbidden_nothing_is_proposed(fed):
    assert ask(fed, pitch_bias=np.full(128, -np.inf)) is None


def test_a_narrow_register_is_kept(fed):
    assert all(p.pitch == 60 for p in asked(fed, low=60, high=60))


def test_durations_stay_within_their_limits(fed):
    assert all(0.2 <= p.duration <= 0.4 for p in asked(fed, min_duration=0.2, max_duration=0.4))


def test_velocities_are_midi(fed):
    assert all(1 <= p.velocity <= 127 for p in asked(fed))


def test_a_higher_hazard_begins_sooner(fed):
    def wait(hazard):
        return np.mean([p.onset for p in asked(fed, count=150, hazard=hazard, must=True)])

    assert wait(4.0) < wait(1.0) < wait(0.25)


def test_a_phase_bias_moves_onsets_off_the_beat(fed):
    bias = np.zeros(12)
    bias[0] = -np.inf
    assert all(round(GRID.beat(p.onset) * 12) % 12 for p in asked(fed, phase_bias=bias))


def test_the_same_seed_gives_the_same_proposal(fed):
    assert ask(fed, seed=5) == ask(fed, seed=5)


def test_a_query_draws_the_same_count_of_numbers_whatever_happens(fed):
    rngs = [np.random.default_rng(1) for _ in range(2)]
    fed.query("mid", Controls(), Limits.of("mid"), rngs[0], now=NOW, grid=GRID)
    fed.query("mid", Controls(), Limits.of("mid", pitch_bias=np.full(128, -np.inf)), rngs[1], now=NOW, grid=GRID)
    assert rngs[0].random() == rngs[1].random()


def test_queries_leave_no_trace_in_the_state(fed):
    before = {n: a.copy() for n, a in fed.snapshot().states.items()}
    asked(fed, count=5)
    after = fed.snapshot().states
    assert all(np.array_equal(before[n], after[n]) for n in before)


def test_a_restored_copy_proposes_what_the_original_did(fed):
    state = fed.snapshot()
    first = ask(fed, seed=9, must=True)
    fed.feed(Played("human", 71, GRID.time(16), 90), GRID)
    assert ask(fed, seed=9, must=True) != first
    fed.restore(state)
    assert ask(fed, seed=9, must=True) == first


def test_a_copy_serves_twice(fed):
    state = fed.snapshot()
    event = Played("human", 71, GRID.time(16), 90)
    made = []
    for _ in range(2):
        fed.restore(state)
        fed.feed(event, GRID)
        made.append(ask(fed, seed=2, must=True))
    assert made[0] == made[1]


def test_something_else_is_no_snapshot(fed):
    with pytest.raises(TypeError, match="snapshot"):
        fed.restore(object())


def test_a_model_that_heard_nothing_proposes_nothing(model):
    model.reset()
    assert ask(model) is None


def test_controls_change_the_odds(fed):
    few, many = (
        [p.onset if p else 99.0 for p in (ask(fed, seed=s, controls=Controls(density=d)) for s in range(80))]
        for d in (0.05, 0.95)
    )
    assert few != many


@pytest.mark.parametrize("grid", [GRID, None])
def test_a_proposal_without_limits_is_judged_as_it_was_drawn(fed, grid):
    made = ask(fed, seed=4, grid=grid, must=True)
    free = fed.judge(Played("mid", made.pitch, made.onset, made.velocity, made.duration), FREE, grid=grid)
    assert free.log_pitch == pytest.approx(made.log_pitch, abs=1e-6)


def test_a_note_beyond_reach_is_judged_as_rest(fed):
    verdict = fed.judge(Played("mid", 60, NOW + 60.0, 80, 1.0), FREE, grid=GRID)
    assert np.isfinite(verdict.log_time)
    assert np.isnan(verdict.log_pitch)


def test_what_a_player_does_at_a_moment_sums_to_one(fed):
    pitches = range(48, 73)
    verdicts = [fed.judge(Played("mid", p, GRID.time(16), 80, 1.0), FREE, grid=GRID) for p in pitches]
    assert sum(np.exp(x.log_pitch) for x in verdicts) == pytest.approx(1.0, abs=1e-6)


def test_a_human_note_is_not_judged(fed):
    with pytest.raises(ValueError, match="player"):
        fed.judge(Played("human", 60, NOW, 80), FREE, grid=GRID)


def test_an_unknown_player_is_named(fed):
    with pytest.raises(ValueError, match="drums"):
        fed.query("drums", Controls(), Limits.of("mid"), np.random.default_rng(0), now=NOW, grid=GRID)


def test_after_a_long_silence_onsets_still_lie_ahead(fed):
    later = NOW + 60.0
    for grid in (GRID, None):
        made = fed.query("mid", Controls(), Limits.of("mid", must=True), np.random.default_rng(0), now=later, grid=grid)
        assert made is not None
        assert made.onset >= later - 1e-6


def test_the_end_of_a_human_note_is_heard(fed):
    before = fed.snapshot().states
    fed.feed(Ended("human", 62, GRID.time(15.5)), GRID)
    after = fed.snapshot().states
    assert any(not np.array_equal(before[n], after[n]) for n in before)


def test_a_model_of_another_vocabulary_is_refused(model, monkeypatch):
    monkeypatch.setattr(vocabulary, "check", lambda: {"core_inputs": 7})
    with pytest.raises(ModelError, match="core_inputs"):
        EventModel(SHIPPED / "band-v1").start()


def test_ten_thousand_events_leave_finite_states(model):
    model.reset()
    rng = np.random.default_rng(0)
    for i in range(2500):
        for part, base in (("human", 60), ("bass", 40), ("mid", 58), ("high", 80)):
            duration = None if part == "human" else 0.2
            model.feed(Played(part, base + int(rng.integers(-5, 6)), 0.2 * i, 80, duration), GRID)
    assert all(np.isfinite(a).all() and np.abs(a).max() <= 1.0 + 1e-5 for a in model.snapshot().states.values())


def test_proposals_are_frozen(fed):
    with pytest.raises(dataclasses.FrozenInstanceError):
        ask(fed, must=True).pitch = 60
