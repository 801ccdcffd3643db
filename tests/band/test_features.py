"""What the event model sees: causal, the same in training and on the stage, and independent of key."""

import dataclasses

import numpy as np
import pytest

from improvbox.band import vocabulary as v
from improvbox.band.features import Features, conditions, expand_core, expand_query, tick_of
from improvbox.band.types import Controls, Ended, Played
from improvbox.tempo import Grid

GRID = Grid(100.0, origin=0.2)


def music(count=60, seed=3):
    """A human and three players, in order of what becomes known."""
    rng = np.random.default_rng(seed)
    events = []
    for i in range(count):
        t = 0.15 * i
        part = ("human", "bass", "mid", "high")[i % 4]
        pitch = int({"human": 60, "bass": 40, "mid": 55, "high": 76}[part] + rng.integers(-6, 7))
        if part == "human":
            events.append(Played(part, pitch, t, int(rng.integers(40, 110))))
        else:
            events.append(Played(part, pitch, t, 80, float(rng.uniform(0.1, 0.9))))
        if i % 8 == 5:
            events.append(Ended("human", events[-2].pitch, t + 0.05))
    return events


def rows(events, grid):
    """Every row, expanded, as the runtime makes them."""
    features, made = Features(), []
    for event in events:
        if features.hear(event, grid):
            queries = [expand_query(features.query(b, grid), conditions(Controls())) for b in range(3)]
            made.append(np.concatenate([expand_core(features.core), *queries], axis=1)[0])
    return np.array(made)


@pytest.mark.parametrize("grid", [GRID, None])
def test_permuting_the_future_changes_no_row_up_to_now(grid):
    events = music()
    cut = 30
    tail = events[cut:]
    order = np.random.default_rng(1).permutation(len(tail))
    shuffled = events[:cut] + [dataclasses.replace(tail[i]) for i in order]
    before = len(rows(events[:cut], grid))
    np.testing.assert_array_equal(rows(events, grid)[:before], rows(shuffled, grid)[:before])


def test_when_the_human_lets_go_does_not_show_in_any_row_before_it_is_known():
    on = [Played("human", 60, 1.0, 80), Played("bass", 36, 1.5, 80, 0.5)]
    early, late = [*on, Ended("human", 60, 1.6)], [*on, Ended("human", 60, 3.0)]
    np.testing.assert_array_equal(rows(early, GRID)[:2], rows(late, GRID)[:2])


def test_the_end_of_a_human_note_is_an_event_of_its_own():
    features = Features()
    features.hear(Played("human", 60, 1.0, 80), GRID)
    assert features.hear(Ended("human", 60, 1.5), GRID)
    assert features.core.categories[0] == v.KINDS - 1


def test_an_end_that_a_new_note_has_overtaken_says_nothing():
    features = Features()
    features.hear(Played("human", 60, 1.0, 80), GRID)
    features.hear(Played("human", 62, 1.4, 80), GRID)
    assert not features.hear(Ended("human", 60, 1.4), GRID)


def test_a_released_note_of_a_player_shortens_it_without_a_row():
    features = Features()
    features.hear(Played("bass", 40, 1.0, 80, 2.0), GRID)
    assert not features.hear(Ended("bass", 40, 1.3), GRID)
    assert features.lines[1].end == 1.3


def test_drums_are_not_heard():
    assert not Features().hear(Played("drums", 38, 1.0, 80, 0.1), GRID)


def test_a_note_of_a_player_needs_its_duration():
    with pytest.raises(ValueError, match="duration"):
        Features().hear(Played("mid", 60, 1.0, 80), GRID)


def test_a_query_before_anything_was_heard_is_refused():
    with pytest.raises(ValueError, match="nothing was heard"):
        Features().query(0, GRID)


@pytest.mark.parametrize("grid", [GRID, None])
def test_a_copy_goes_on_exactly_as_the_original(grid):
    events = music()
    features = Features()
    for event in events[:25]:
        features.hear(event, grid)
    twin = features.copy()
    for event in events[25:]:
        features.hear(event, grid)
    for event in events[25:]:
        twin.hear(event, grid)
    np.testing.assert_array_equal(expand_core(features.core), expand_core(twin.core))


def test_a_copy_is_not_changed_by_what_the_original_hears():
    features = Features()
    for event in music()[:10]:
        features.hear(event, GRID)
    twin = features.copy()
    before = twin.query(1, GRID)
    for event in music()[10:]:
        features.hear(event, GRID)
    assert twin.query(1, GRID).categories == before.categories


def test_another_key_gives_the_same_core_rows_but_for_height():
    def up(event):
        return dataclasses.replace(event, pitch=event.pitch + 3)

    height = int(v.offsets(v.CORE_CATEGORIES)[9])
    keep = np.r_[0:height, height + v.HEIGHTS : v.CORE_INPUTS]
    here, there = rows(music(), GRID), rows([up(e) for e in music()], GRID)
    np.testing.assert_allclose(here[:, keep], there[:, keep], atol=1e-6)


def test_phase_is_the_tick_of_the_beat():
    features = Features()
    features.hear(Played("human", 60, GRID.time(3.25), 80), GRID)
    assert features.core.categories[1] == 3


def test_without_a_grid_no_tick_is_claimed():
    features = Features()
    for event in music()[:8]:
        features.hear(event, None)
    assert features.core.categories[1:4] == (v.PHASE_FREE, v.SINCE_FREE, v.SINCE_FREE)


def test_a_query_may_use_a_newer_grid_than_the_event():
    features = Features()
    features.hear(Played("human", 60, 1.0, 80), None)
    assert features.query(0, Grid(60.0)).categories[1] == 0


def test_ticks_round_to_the_nearest():
    assert tick_of(0.2 + 0.6 / 12 * 5.4, GRID) == 5


def test_expanded_rows_have_the_sizes_of_the_vocabulary():
    features = Features()
    features.hear(Played("human", 60, 1.0, 80), GRID)
    assert expand_core(features.core).shape == (1, v.CORE_INPUTS)
    assert expand_query(features.query(2, GRID), conditions(Controls())).shape == (1, v.QUERY_INPUTS)


def test_each_category_sets_exactly_one_input():
    features = Features()
    features.hear(Played("human", 60, 1.0, 80), GRID)
    assert expand_core(features.core)[0, : v.CORE_ONE_HOT].sum() == len(v.CORE_CATEGORIES)
    row = expand_query(features.query(0, GRID), conditions(Controls()))
    assert row[0, : v.QUERY_ONE_HOT].sum() == len(v.QUERY_CATEGORIES)


def test_a_control_that_is_not_set_differs_from_one_in_the_middle():
    assert not np.array_equal(conditions(Controls()), conditions(Controls(density=0.5)))


def test_profiles_fade_by_their_half_lives():
    features = Features()
    features.hear(Played("human", 60, 0.0, 80), None)
    features.hear(Ended("human", 60, 0.0), None)
    start = features.profiles[:, 0].copy()
    features.hear(Played("bass", 37, 2.0, 80, 0.1), None)
    np.testing.assert_allclose(features.profiles[:, 0] / start, 0.5 ** (2.0 / np.array(v.HALF_LIVES_S)))


@pytest.mark.parametrize(("ticks", "category"), [(0, 0), (48, 48), (49, 49), (51, 49), (52, 50), (96, 64), (97, 65)])
def test_onset_categories_are_exact_to_four_beats_then_coarse_then_none(ticks, category):
    assert v.step_bin(np.array(ticks)) == category


def test_free_onset_bins_are_six_percent_wide():
    assert v.ONSET_EDGES_S[1] / v.ONSET_EDGES_S[0] == pytest.approx(1.064, abs=0.002)
