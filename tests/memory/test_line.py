"""The human's line and where its turns came before."""

from __future__ import annotations

from improvbox.memory.line import CHORD_S, Line, LineNote


def line_of(pitches: list[int], step: float = 0.5, breaks: tuple[int, ...] = ()) -> Line:
    line = Line()
    for i, pitch in enumerate(pitches):
        line.add(LineNote(i * step, i * step + 0.8 * step, pitch, 80, i == 0 or i in breaks))
    return line


def test_a_turn_of_melody_is_found_in_another_key() -> None:
    line = line_of([60, 62, 64, 67, 50, 65, 67, 69])
    length, place = line.matches(line.intervals(8))[0]
    assert length == 2
    assert [s.interval for s in line.steps(place + 1, 1)] == [3]


def test_the_longest_match_comes_first_and_then_the_latest() -> None:
    line = line_of([60, 62, 64, 65, 40, 62, 64, 70, 41, 60, 62, 64])
    matches = line.matches((2, 2))
    assert matches == [(2, 2)]
    longer = line_of([50, 60, 62, 64, 30, 61, 63, 20, 50, 60, 62, 64, 65, 3])
    found = longer.matches((10, 2, 2))
    assert found == [(3, 11), (3, 3)]


def test_the_end_of_the_line_is_no_match_because_nothing_follows() -> None:
    assert line_of([60, 62, 64]).matches((2, 2)) == []


def test_no_match_reaches_across_a_breath() -> None:
    line = line_of([60, 62, 64, 65, 67], breaks=(2,))
    assert line.intervals(8) == (1, 2)
    assert line.steps(1, 4)[-1].interval == 2
    assert len(line.steps(1, 4)) == 1


def test_of_a_strum_the_highest_note_speaks() -> None:
    line = Line()
    for offset, pitch in ((0.0, 40), (0.01, 64), (0.02, 52)):
        line.add(LineNote(offset, 1.0, pitch, 80, offset == 0.0))
    line.add(LineNote(0.02 + CHORD_S, 2.0, 65, 80, False))
    assert [n.pitch for n in line.last(4)] == [64, 65]
    assert line.last(4)[0].starts_phrase


def test_a_step_carries_time_as_well_as_pitch() -> None:
    step = line_of([60, 67]).steps(1, 1)[0]
    assert (step.interval, step.ioi, step.duration) == (7, 0.5, 0.4)


def test_positions_stay_valid_while_the_past_is_forgotten() -> None:
    line = line_of([60, 62, 64, 65, 60, 62, 64, 67, 60, 62, 64])
    line.forget(1.0)
    assert len(line) == 9
    _, place = line.matches((2, 2))[0]
    assert [s.interval for s in line.steps(place + 1, 1)] == [3]
    line.forget(1e9)
    assert len(line) == 0
    assert line.matches((2, 2)) == []
