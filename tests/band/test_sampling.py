"""From logits to one draw: what the limits rule out, and what they leave alone."""

import numpy as np
import pytest

from improvbox.band import sampling
from improvbox.band import vocabulary as v
from improvbox.band.features import Features
from improvbox.band.sampling import Onsets
from improvbox.band.types import Limits, Played
from improvbox.tempo import Grid

GRID = Grid(60.0)


def onsets(logits, ticks=None):
    """Candidates a twelfth of a second apart; the last logit is 'none'."""
    count = len(logits) - 1
    marks = np.arange(count) if ticks is None else np.array(ticks)
    return Onsets(marks / 12.0, np.array(logits, float), marks, 0.0)


def shares(log_p):
    return np.exp(log_p)


def test_hazard_one_changes_nothing():
    log_p = sampling.log_softmax(np.array([1.0, 2.0, 0.5, 0.0]))
    np.testing.assert_array_equal(sampling.tilt(log_p, 1.0), log_p)


@pytest.mark.parametrize("hazard", [0.2, 0.5, 2.0, 5.0])
def test_a_tilted_distribution_sums_to_one(hazard):
    log_p = sampling.log_softmax(np.array([1.0, 2.0, 0.5, 0.0]))
    assert shares(sampling.tilt(log_p, hazard)).sum() == pytest.approx(1.0)


def test_a_higher_hazard_is_sooner_at_every_moment():
    log_p = sampling.log_softmax(np.zeros(6))
    reached = [np.cumsum(shares(sampling.tilt(log_p, h))) for h in (0.5, 1.0, 2.0)]
    assert (reached[0][:-1] < reached[1][:-1]).all()
    assert (reached[1][:-1] < reached[2][:-1]).all()


def test_what_is_too_early_gets_nothing_and_the_rest_keeps_its_odds():
    log_p = sampling.limited(onsets([1.0, 2.0, 3.0, 4.0]), Limits.of("mid"), 1 / 12)
    np.testing.assert_allclose(shares(log_p), [0, *shares(sampling.log_softmax(np.array([2.0, 3.0, 4.0])))])


def test_what_is_too_late_counts_as_resting():
    plain = shares(sampling.log_softmax(np.array([1.0, 2.0, 3.0, 4.0])))
    log_p = sampling.limited(onsets([1.0, 2.0, 3.0, 4.0]), Limits.of("mid", latest=0.5 / 12), 0.0)
    np.testing.assert_allclose(shares(log_p), [plain[0], 0, 0, 1 - plain[0]])


def test_a_step_leaves_only_its_multiples_and_rest():
    log_p = sampling.limited(onsets(np.zeros(14)), Limits.of("mid", step_ticks=6), 0.0)
    assert np.flatnonzero(shares(log_p)).tolist() == [0, 6, 12, 13]


def test_where_nothing_is_left_there_is_no_distribution():
    assert sampling.limited(onsets([1.0, 2.0]), Limits.of("mid", latest=-1.0), 0.0) is None


def test_must_finds_a_note_however_sure_the_model_is_to_rest():
    log_p = sampling.limited(onsets([0.0, 0.0, 900.0]), Limits.of("mid", must=True, hazard=0.1), 0.0)
    np.testing.assert_allclose(shares(log_p), [0.5, 0.5, 0.0])


def test_a_phase_bias_is_added_to_the_logits():
    bias = np.zeros(12)
    bias[1] = np.log(3.0)
    log_p = sampling.limited(onsets([0.0, 0.0, -50.0]), Limits.of("mid", phase_bias=bias), 0.0)
    assert shares(log_p)[1] == pytest.approx(0.75)


def test_a_draw_follows_the_shares():
    log_p = np.log(np.array([0.2, 0.5, 0.3]))
    made = [sampling.draw(log_p, u) for u in np.linspace(0.0005, 0.9995, 1000)]
    np.testing.assert_allclose(np.bincount(made) / 1000, [0.2, 0.5, 0.3], atol=2e-3)


def test_a_draw_never_takes_the_impossible():
    log_p = np.array([-np.inf, 0.0, -np.inf])
    assert {sampling.draw(log_p, u) for u in (0.0, 0.5, 1 - 1e-12)} == {1}


def test_pitch_share_keeps_the_likeliest():
    logits = np.zeros(v.PITCHES)
    logits[5], logits[6] = 5.0, 4.0
    log_p = sampling.limited_pitches(logits, 2, Limits.of("high", pitch_share=0.5))
    assert np.flatnonzero(shares(log_p)).tolist() == [5]


def test_pitches_above_the_register_are_out_even_if_the_limits_are_wider():
    log_p = sampling.limited_pitches(np.zeros(v.PITCHES), 0, Limits(0, 127))
    assert shares(log_p)[25:].sum() == 0.0


def test_coarse_candidates_stand_on_the_strongest_tick():
    for phase in range(12):
        far = (phase + sampling.STRONGEST[phase, 49:]) % 3
        assert (far == 0).all()


def test_candidates_follow_the_silence_in_steps_of_four_beats():
    features = Features()
    features.hear(Played("human", 60, 0.0, 80), GRID)
    made = sampling.metered_onsets(np.zeros(v.TIME_LOGITS), features, 1, 100.0, GRID)
    assert made.times[0] % 4.0 == 0.0
    assert made.times[0] <= 100.0 < made.times[-1]


def test_free_onsets_lie_within_their_bin():
    made = sampling.free_onsets(np.zeros(v.TIME_LOGITS), _heard(), 1, 0.0)
    log_p = np.full(v.GAPS, -np.inf)
    log_p[30] = 0.0
    _, onset = sampling.pick_onset(made, log_p, 0.0, np.array([0.5, 0.7]))
    assert made.times[29] < onset <= made.times[30]


def _heard():
    features = Features()
    features.hear(Played("human", 60, 1.0, 80), None)
    return features


def test_the_nearest_duration_is_found_on_a_log_scale():
    assert v.DURATIONS_TICKS[sampling.duration_bin(1.02, GRID)] == 12
