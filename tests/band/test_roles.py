"""What the roles sound like, against accompany."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from simulated import Played, Row, play, tune

from improvbox.band.roles import TABLE
from improvbox.events import BANDS, ROLES

BEAT_S = 0.6
UNTIL = 16.0
HUMAN = tune(beats=26)


def of(role: str, *more: str, human: list[Row] | None = None, until: float = UNTIL) -> Played:
    return play(human or HUMAN, [f"0:all:{role}", *more], until=until)


def count(played: Played) -> int:
    return sum(len(played.notes(part)) for part in BANDS)


def velocity(played: Played) -> float:
    return float(np.mean([n.velocity for part in BANDS for n in played.planned(part)]))


def together(played: Played) -> float:
    """Share of onsets on one of the human's."""
    theirs = np.array([on for on, _, _ in HUMAN])
    ours = [on for part in BANDS for on, _, _ in played.notes(part)]
    return float(np.mean([np.abs(theirs - on).min() < 0.035 for on in ours]))


def apart(played: Played) -> float:
    """Mean distance (semitones) of the mid player from what the human played in the last seconds."""
    far = []
    for on, _, pitch in played.notes("mid"):
        lately = [p for h_on, _, p in HUMAN if on - 5.0 < h_on < on]
        if lately:
            far.append(abs(pitch - float(np.median(lately))))
    return float(np.mean(far))


def clash(played: Played) -> float:
    both = wrong = 0.0
    for part in BANDS:
        for on, off, pitch in played.notes(part):
            for h_on, h_off, h_pitch in HUMAN:
                shared = max(0.0, min(off, h_off) - max(on, h_on))
                both += shared
                wrong += shared * ((pitch - h_pitch) % 12 in (1, 6, 11))
    return wrong / both


def test_the_table_has_a_row_for_every_role() -> None:
    assert tuple(TABLE) == ROLES


def test_rest_plays_nothing() -> None:
    assert count(of("rest")) == 0


def test_room_is_thin_soft_and_out_of_the_way() -> None:
    room, usual = of("room"), of("accompany")
    assert 0 < count(room) <= 0.4 * count(usual)
    assert velocity(room) < 0.85 * velocity(usual)
    assert apart(room) > 1.2 * apart(usual)


def test_room_plays_in_the_gaps() -> None:
    human = [(on + 1.8 * int(i / 8), off + 1.8 * int(i / 8), p) for i, (on, off, p) in enumerate(tune(beats=26))]
    shares = []
    for role in ("room", "accompany"):
        played = of(role, human=human, until=human[-1][1])
        onsets = [on for part in BANDS for on, _, _ in played.notes(part)]
        shares.append(float(np.mean([not any(a <= on < b for a, b, _ in human) for on in onsets])))
    assert shares[0] > 0.6
    assert shares[0] > 1.5 * shares[1]


def test_fight_is_louder_off_the_beat_and_dissonant_but_hears_you() -> None:
    fight, usual = of("fight"), of("accompany")
    assert velocity(fight) > 1.1 * velocity(usual)
    assert together(fight) < 0.75 * together(usual)
    assert 0.12 < clash(fight) < 0.45
    assert clash(fight) > 2 * clash(usual)
    assert count(fight) > 0.5 * count(usual)


PHRASE = [(0.5 + 0.3 * i, 0.5 + 0.3 * i + 0.28, p) for i, p in enumerate([60, 62, 64, 67, 65, 64, 62, 64, 60, 59, 60])]
PHRASE_END = PHRASE[-1][1]


def intervals(rows: list[Row]) -> list[int]:
    return [b[2] - a[2] for a, b in itertools.pairwise(rows)]


def longest_common_run(a: list[int], b: list[int]) -> int:
    best = 0
    for i in range(len(a)):
        for j in range(len(b)):
            k = 0
            while i + k < len(a) and j + k < len(b) and a[i + k] == b[j + k]:
                k += 1
            best = max(best, k)
    return best


def takeover(variation: float, until: float = 12.0) -> Played:
    cues = ["0:all:rest", "0:mid:takeover", f"0:mid:variation={variation}"]
    return play(PHRASE, cues, until=until)


def test_takeover_answers_within_a_beat_of_the_phrase_end_and_on_the_beat() -> None:
    first = takeover(0.1).notes("mid")[0][0]
    breath = max(0.25, 1.5 * 0.3)
    assert PHRASE_END + breath < first <= PHRASE_END + breath + BEAT_S + 0.05
    beats = (first - 0.5) / BEAT_S
    assert abs(beats - round(beats)) < 0.02


def test_takeover_with_little_variation_gives_the_motif_back() -> None:
    run = longest_common_run(intervals(takeover(0.1).notes("mid")[:11]), intervals(PHRASE))
    assert run >= 8


def test_takeover_with_much_variation_strays() -> None:
    runs = []
    for seed in (1, 2, 3):
        cues = ["0:all:rest", "0:mid:takeover", "0:mid:variation=0.9"]
        notes = play(PHRASE, cues, until=10.0, seed=seed).notes("mid")
        assert len(notes) > 3
        runs.append(longest_common_run(intervals(notes[:11]), intervals(PHRASE)))
    assert np.mean(runs) <= 4


def test_takeover_carries_on_while_the_human_rests() -> None:
    late = [on for on, _, _ in takeover(0.3, until=20.0).notes("mid") if on > 14.0]
    assert len(late) > 3


def test_takeover_listens_while_the_human_plays() -> None:
    long = [(0.5 + 0.3 * i, 0.5 + 0.3 * i + 0.28, 60 + i % 5) for i in range(40)]
    played = play(long, ["0:all:rest", "0.1:high:takeover"], until=12.0)
    assert played.notes("high") == []


def test_takeover_ends_its_gesture_when_the_human_returns() -> None:
    again = [(on + 6.0, off + 6.0, p) for on, off, p in PHRASE]
    played = play([*PHRASE, *again], ["0:all:rest", "0:mid:takeover"], until=12.0)
    back = again[0][0]
    assert not [on for on, _, _ in played.notes("mid") if back + 2 * BEAT_S + 0.1 < on < again[-1][1]]


def test_the_return_key_asks_for_the_answer_now() -> None:
    long = [(0.5 + 0.3 * i, 0.5 + 0.3 * i + 0.28, 60 + i % 5) for i in range(40)]
    played = play(long, ["0:all:rest", "0.1:high:takeover", "6:human:return"], until=12.0)
    first = played.notes("high")[0][0]
    assert 6.0 < first <= 6.0 + BEAT_S + 0.05


def test_others_accompany_a_player_that_carries_on() -> None:
    played = play(PHRASE, ["0:mid:takeover"], until=16.0)
    assert [on for on, _, _ in played.notes("bass") if on > 12.0]


@pytest.mark.parametrize("part", BANDS)
def test_every_role_keeps_its_register_for_a_human_in_any_band(part: str) -> None:
    shift = {"bass": -20, "mid": 0, "high": 14}[part]
    human = [(on, off, pitch + shift) for on, off, pitch in tune(beats=16)]
    for role in ("room", "takeover", "fight"):
        played = play(human, [f"0:all:{role}"], until=14.0)
        for band, low, high in (("bass", 28, 52), ("mid", 48, 72), ("high", 64, 96)):
            assert all(low <= p <= high for _, _, p in played.notes(band))


def test_takeover_told_after_the_end_starts_again_and_others_follow() -> None:
    played = play(PHRASE, ["14:mid:takeover"], until=22.0)
    assert [on for on, _, _ in played.notes("bass") if 11.0 < on < 14.0] == []
    assert next(on for on, _, _ in played.notes("mid") if on > 14.0) < 14.0 + BEAT_S + 0.1
    assert [on for on, _, _ in played.notes("bass") if on > 15.0]
