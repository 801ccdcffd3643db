"""What `improvbox bench` measures is what happened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import improvbox
from improvbox.audio.rig import Recording, missing
from improvbox.cli.benches import plucks, timeline
from improvbox.cli.benches.mirror import KEY, PART, Mirror
from improvbox.cli.benches.plucks import REGISTERS, Pluck
from improvbox.cli.benches.timeline import Reaction
from improvbox.cli.main import main
from improvbox.events import Level, NoteOn

START_S = 1000.0  # of CLOCK_MONOTONIC, when the recording's frame 0 was due


def recording(frames: int = 96000, play_frame: int | None = 4800) -> Recording:
    cycles = START_S + np.arange(frames // 64) * 64 / 48000
    return Recording(Path("none.wav"), frames, 0, play_frame, cycles)


def moment(frame: float) -> float:
    return START_S + frame / 48000


def synth(*first_frames: int, frames: int = 96000) -> np.ndarray:
    sound = np.zeros(frames, np.float32)
    for at in first_frames:
        sound[at : at + 2000] = 0.1
    return sound


def test_a_take_has_its_plucks_where_it_says_in_four_registers() -> None:
    sound, played = plucks.take(12)
    assert [p.register for p in played] == [*REGISTERS] * 3
    for one in played:
        low, high = REGISTERS[one.register]
        assert low <= one.midi <= high
        assert not sound[one.onset_frame - 2000 : one.onset_frame].any()
        assert np.max(np.abs(sound[one.onset_frame : one.onset_frame + 480])) > 0.02
    assert len({p.onset_frame % 128 for p in played}) > 6  # anywhere within a hop


def test_the_same_seed_plucks_the_same_take() -> None:
    assert np.array_equal(plucks.take(4)[0], plucks.take(4)[0])


def test_each_stage_is_counted_between_its_two_moments() -> None:
    one = Pluck("C4-B4", 60, 4800)  # at frame 9600 of the recording
    (answer,) = timeline.answers([one], [Reaction(moment(10080), moment(10128))], recording(), synth(10320))
    assert answer.ms("hearing") == pytest.approx(10.0, abs=0.001)
    assert answer.ms("box") == pytest.approx(1.0, abs=0.001)
    assert answer.ms("synth") == pytest.approx(4.0, abs=0.001)
    assert answer.ms("box+synth") == pytest.approx(5.0, abs=0.001)
    assert answer.ms("total") == pytest.approx(15.0, abs=1e-9)  # in samples


def test_a_pluck_that_nobody_heard_has_no_numbers_and_is_not_zero() -> None:
    played = [Pluck("E2-B2", 40, 4800), Pluck("C3-B3", 50, 24000)]
    found = timeline.answers(played, [Reaction(moment(29280), moment(29290))], recording(), synth(29500))
    assert found[0].ms("total") is None
    assert found[1].ms("total") is not None
    rows = {(r.register, r.stage): r for r in timeline.table(found)}
    assert (rows["E2-B2", "total"].count, rows["E2-B2", "total"].p50_ms) == (0, None)
    assert rows["all", "total"].count == 1


def test_an_answer_over_a_ringing_synth_is_not_measured() -> None:
    one = Pluck("C4-B4", 60, 4800)
    (answer,) = timeline.answers([one], [Reaction(moment(10080), moment(10128))], recording(), synth(8200, 10320))
    assert answer.heard is not None
    assert answer.sounded is None


def test_a_note_that_the_synth_was_never_given_has_no_sound() -> None:
    one = Pluck("C4-B4", 60, 4800)
    (answer,) = timeline.answers([one], [Reaction(moment(10080), None)], recording(), synth(10320))
    assert (answer.called, answer.sounded) == (None, None)


def test_only_the_first_note_after_a_pluck_answers_it() -> None:
    one = Pluck("C4-B4", 60, 4800)
    early = Reaction(moment(9000), moment(9010))
    reactions = [early, Reaction(moment(10080), moment(10090)), Reaction(moment(12000), moment(12010))]
    (answer,) = timeline.answers([one], reactions, recording(), synth(10320))
    assert answer.ms("hearing") == pytest.approx(10.0, abs=0.001)


def test_moments_follow_the_servers_own_cycles_where_it_stalled() -> None:
    stalled = recording()
    cycles = stalled.cycles_s.copy()
    cycles[100:] += 0.05
    held_up = Recording(stalled.path, stalled.frames, 0, 4800, cycles)
    assert held_up.frame_at(moment(6400) + 0.02) == 6400  # the 50 ms in which nothing moved
    assert held_up.frame_at(moment(6432) + 0.05) == pytest.approx(6432, abs=0.01)


def test_the_mirror_answers_every_note_once_at_once() -> None:
    mirror = Mirror()
    mirror.hear(Level(1.0, -20.0), 1.0)
    assert (mirror.advance(1.0), mirror.next_wake()) == ([], float("inf"))
    mirror.hear(NoteOn(1, 52.1, 90, 0.99, 1.0), 1.0)
    assert mirror.next_wake() < 1.0
    (note,) = mirror.advance(1.001)
    assert (note.part, note.pitch, note.onset) == (PART, KEY, 1.0)  # type: ignore[union-attr]
    assert mirror.advance(1.002) == []


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["bench"], "latency|hearing|band"),
        (["bench", "latency", "--plucks", "1"], "--plucks 1 must be 4..2000"),
        (["bench", "latency", "--keep", "/nowhere/x.wav"], "/nowhere does not exist"),
        (["bench", "hearing", "--seconds", "0"], "--seconds 0 must be 2..3600"),
        (["bench", "hearing", "--hearing", "nosuch"], "no model 'nosuch'"),
        (["bench", "band", "--events", "1"], "--events 1 must be 10..1000000"),
    ],
)
def test_wrong_usage_is_one_line(argv: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) in (1, 2)
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1


def bench(*argv: str) -> dict[str, object]:
    """In a process of its own: a bench takes real-time priority and locks memory."""
    env = {**os.environ, "PYTHONPATH": str(Path(improvbox.__file__).parents[1])}
    command = [sys.executable, "-m", "improvbox", "bench", *argv, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    report: dict[str, object] = json.loads(done.stdout)
    return report


def test_a_hop_without_a_model_is_timed_against_its_budget() -> None:
    (row,) = bench("hearing", "--hearing", "dsp", "--seconds", "2")["rows"]  # type: ignore[misc]
    assert (row["mode"], row["hop_frames"], row["budget_us"]) == ("dsp", 128, pytest.approx(1333.3, abs=0.1))
    assert 0 < row["p50_us"] <= row["p99_us"] <= row["p99_9_us"]


def test_the_event_model_is_timed_free_and_metered() -> None:
    rows = bench("band", "--events", "20")["rows"]
    assert [row["time"] for row in rows] == ["free", "metered"]  # type: ignore[attr-defined]
    assert all(0 < row["feed+query"][0] <= row["feed+query"][2] for row in rows)  # type: ignore[attr-defined]


@pytest.mark.skipif(bool(missing()), reason=f"no rig for real ALSA: {missing()}")
def test_the_live_box_answers_plucks_through_real_alsa_within_the_budget(tmp_path: Path) -> None:
    """Counted in samples, so that a busy machine moves it little; the median, because a stall may take a few of 12."""
    report = bench("latency", "--plucks", "12", "--hearing", "dsp", "--keep", str(tmp_path / "kept.wav"))
    both = next(r for r in report["rows"] if (r["register"], r["stage"]) == ("all", "box+synth"))  # type: ignore[attr-defined]
    assert report["failure"] == ""
    assert report["heard"] >= 10  # type: ignore[operator]
    assert both["count"] >= 9
    assert 1.0 < both["p50_ms"] <= 8.0
    assert (tmp_path / "kept.wav").stat().st_size > 48000 * 3 * 4 * 6
