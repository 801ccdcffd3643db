"""The weaver: in time, one note at a time, gapless, and nothing hangs whatever it is told."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from improvbox.errors import StreamError
from improvbox.events import BANDS, PLAYERS, PlannedNote, Release
from improvbox.stage.weaver import LONGEST_S, Weaver


class Log:
    """(what, part, id, t) of every note call; any other call is passed over."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, int, float]] = []

    def note_on(self, note: PlannedNote, t: float) -> None:
        self.heard.append(("on", note.part, note.id, t))

    def note_off(self, part: str, id: int, pitch: int, t: float) -> None:
        self.heard.append(("off", part, id, t))

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


def note(id_: int, onset: float, duration: float = 0.5, part: str = "bass", pitch: int = 40) -> PlannedNote:
    return PlannedNote(part, id_, onset, duration, pitch, 90)


def played(*events: Any, until: float = 100.0) -> list[tuple[str, str, int, float]]:
    """What is heard of `events` when every due time is met exactly."""
    log = Log()
    weaver = Weaver([log])
    for event in events:
        weaver.take(event)
    while weaver.next_due() <= until:
        weaver.advance(weaver.next_due())
    return log.heard


def test_a_note_begins_and_ends_as_planned() -> None:
    assert played(note(1, 1.0)) == [("on", "bass", 1, 1.0), ("off", "bass", 1, 1.5)]


def test_notes_sound_in_time_order_whatever_order_they_came_in() -> None:
    heard = played(note(2, 2.0, part="mid"), note(1, 1.0), note(3, 1.2, part="high"))
    assert [id_ for what, _, id_, _ in heard if what == "on"] == [1, 3, 2]


def test_a_note_ends_its_predecessor_at_the_instant_it_begins() -> None:
    heard = played(note(1, 1.0, 2.0), note(2, 1.5))
    assert heard[:3] == [("on", "bass", 1, 1.0), ("off", "bass", 1, 1.5), ("on", "bass", 2, 1.5)]


def test_a_gap_of_20_ms_is_closed() -> None:
    heard = played(note(1, 1.0, 0.48), note(2, 1.5))
    assert heard[1:3] == [("off", "bass", 1, 1.5), ("on", "bass", 2, 1.5)]


def test_a_gap_of_30_ms_stays() -> None:
    assert ("off", "bass", 1, 1.47) in played(note(1, 1.0, 0.47), note(2, 1.5))


def test_a_note_of_another_part_closes_no_gap() -> None:
    assert ("off", "bass", 1, 1.48) in played(note(1, 1.0, 0.48), note(2, 1.5, part="mid"))


def test_a_released_note_is_not_held_for_the_next() -> None:
    log = Log()
    weaver = Weaver([log])
    for event in (note(1, 1.0), note(2, 1.495)):
        weaver.take(event)
    weaver.advance(1.0)
    weaver.take(Release("bass", 1, 1.48))
    weaver.advance(1.48)
    assert log.heard[-1] == ("off", "bass", 1, 1.48)


def test_a_release_ends_a_sounding_note_sooner() -> None:
    log = Log()
    weaver = Weaver([log])
    weaver.take(note(1, 1.0, 5.0))
    weaver.advance(1.0)
    weaver.take(Release("bass", 1, 1.25))
    weaver.advance(1.25)
    assert log.heard[-1] == ("off", "bass", 1, 1.25)


def test_a_release_never_makes_a_note_longer() -> None:
    assert played(note(1, 1.0), Release("bass", 1, 9.0))[-1] == ("off", "bass", 1, 1.5)


def test_a_note_released_before_it_begins_never_sounds() -> None:
    assert played(note(1, 1.0), Release("bass", 1, 0.9)) == []


def test_a_release_of_another_note_changes_nothing() -> None:
    assert played(note(1, 1.0), Release("bass", 2, 1.1), Release("mid", 1, 1.1))[-1] == ("off", "bass", 1, 1.5)


def test_drums_sound_together_but_one_stroke_a_key() -> None:
    kick, snare, again = (note(i, 1.0 + 0.1 * i, 1.0, "drums", key) for i, key in enumerate((36, 38, 36)))
    heard = played(kick, snare, again)
    assert [(w, i) for w, _, i, _ in heard] == [("on", 0), ("on", 1), ("off", 0), ("on", 2), ("off", 1), ("off", 2)]


@pytest.mark.parametrize(("late_ms", "plays"), [(0, True), (49, True), (51, True), (99, True), (101, False)])
def test_one_note_is_skipped_only_when_over_100_ms_late(late_ms: int, plays: bool) -> None:
    log = Log()
    weaver = Weaver([log])
    weaver.take(note(1, 1.0))
    weaver.advance(1.0 + late_ms / 1000)
    assert bool(log.heard) is plays
    assert weaver.tally.skipped == (not plays)


@pytest.mark.parametrize(("late_s", "played_ids"), [(0.04, [0, 1, 2, 3, 4, 5]), (0.06, [0, 2, 4])])
def test_between_50_and_100_ms_late_every_second_note_is_left_out(late_s: float, played_ids: list[int]) -> None:
    log = Log()
    weaver = Weaver([log])
    for id_ in range(6):
        weaver.take(note(id_, 1.0 + id_, 0.2))
        weaver.advance(1.0 + id_ + late_s)
    assert [id_ for what, _, id_, _ in log.heard if what == "on"] == played_ids
    assert weaver.tally.thinned == 6 - len(played_ids)


def test_a_late_note_keeps_its_planned_end() -> None:
    log = Log()
    weaver = Weaver([log])
    weaver.take(note(1, 1.0, 0.5))
    weaver.advance(1.04)
    weaver.advance(weaver.next_due())
    assert log.heard == [("on", "bass", 1, 1.04), ("off", "bass", 1, 1.5)]


def test_a_short_late_note_is_still_heard() -> None:
    log = Log()
    weaver = Weaver([log])
    weaver.take(note(1, 1.0, 0.03))
    weaver.advance(1.04)
    assert weaver.next_due() == pytest.approx(1.06)


@pytest.mark.parametrize(
    "wrong",
    [
        note(1, math.nan),
        note(1, 1.0, math.inf),
        note(1, 1.0, 0.0),
        note(1, 1.0, -1.0),
        note(1, 1.0, part="human"),
        note(1, 1.0, pitch=128),
        PlannedNote("bass", 1, 1.0, 1.0, 40, 0),
        Release("bass", 1, math.nan),
    ],
)
def test_what_is_no_note_is_counted_and_dropped(wrong: Any) -> None:
    weaver = Weaver([])
    weaver.take(wrong)
    assert weaver.tally.refused == 1
    assert weaver.next_due() == math.inf


def test_no_note_is_longer_than_the_longest() -> None:
    assert played(note(1, 0.0, 1e9))[-1] == ("off", "bass", 1, LONGEST_S)


def test_silence_of_one_part_leaves_the_others() -> None:
    log = Log()
    weaver = Weaver([log])
    for id_, part in enumerate(BANDS):
        weaver.take(note(id_, 1.0, 2.0, part))
        weaver.take(note(10 + id_, 1.5, 2.0, part))
    weaver.advance(1.0)
    weaver.silence("mid", 1.2)
    assert log.heard[-1] == ("off", "mid", 1, 1.2)
    assert set(weaver.sounding) == {"bass", "high"}
    weaver.advance(1.5)
    assert ("on", "mid", 11, 1.5) not in log.heard


def test_closing_ends_every_note_first(witness: Any) -> None:
    weaver = Weaver([witness])
    weaver.take(note(1, 1.0, 9.0))
    weaver.advance(1.0)
    weaver.close(2.0)
    assert [h[0] for h in witness.heard] == ["on", "off", "close"]


def test_panic_ends_notes_and_reaches_every_sink(witness: Any) -> None:
    weaver = Weaver([witness])
    weaver.take(note(1, 1.0, 9.0))
    weaver.advance(1.0)
    weaver.panic(2.0)
    assert [h[0] for h in witness.heard] == ["on", "off", "panic"]


def test_a_failing_sink_keeps_no_note_from_the_others() -> None:
    class Broken(Log):
        def note_on(self, note: PlannedNote, t: float) -> None:
            raise StreamError("gone")

        def note_off(self, part: str, id: int, pitch: int, t: float) -> None:
            raise OSError("gone")

    log = Log()
    weaver = Weaver([Broken(), log])
    weaver.take(note(1, 1.0))
    weaver.advance(1.0)
    weaver.advance(2.0)
    assert [h[0] for h in log.heard] == ["on", "off"]
    assert (weaver.fan.faults, weaver.fan.last_fault) == (2, "Broken: gone")


numbers = st.floats(0, 8) | st.sampled_from([math.nan, math.inf, -1.0])
notes_ = st.builds(
    PlannedNote,
    st.sampled_from([*PLAYERS, "human"]),
    st.integers(1, 12),
    numbers,
    numbers,
    st.integers(35, 40),
    st.integers(0, 127),
)
releases = st.builds(Release, st.sampled_from(PLAYERS), st.integers(1, 12), numbers)
silences = st.tuples(st.just("silence"), st.sampled_from([*PLAYERS, None]))
steps = st.floats(0, 0.4)  # s that pass: early, on time and far too late calls of advance
script = st.lists(notes_ | releases | silences | steps, max_size=60)


@settings(max_examples=150, deadline=None)
@given(script)
def test_nothing_hangs_and_bands_are_monophonic_whatever_happens(actions: list[Any]) -> None:
    log = Log()
    weaver = Weaver([log])
    now = 0.0
    for action in actions:
        match action:
            case float():
                now += action
                weaver.advance(now)
            case ("silence", part):
                weaver.silence(part, now)
            case _:
                weaver.take(action)
    for _ in range(1000):
        if weaver.next_due() == math.inf:
            break
        now = max(now, weaver.next_due())
        weaver.advance(now)

    assert weaver.next_due() == math.inf
    assert weaver.sounding == {}
    times = [t for *_, t in log.heard]
    assert times == sorted(times)
    sounding: dict[str, list[int]] = {part: [] for part in PLAYERS}
    for what, part, id_, _ in log.heard:
        if what == "on":
            sounding[part].append(id_)
        else:
            sounding[part].remove(id_)
        assert part == "drums" or len(sounding[part]) <= 1
    assert not any(sounding.values())


@settings(max_examples=100, deadline=None)
@given(st.lists(notes_ | releases, max_size=40))
def test_a_note_in_time_begins_exactly_at_its_onset(events: list[Any]) -> None:
    onsets = {(e.part, e.id, max(e.onset, 0.0)) for e in events if isinstance(e, PlannedNote)}
    assert {(part, id_, t) for what, part, id_, t in played(*events) if what == "on" and t > 0} <= onsets
