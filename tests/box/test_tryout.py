"""The whole box at once: a take goes through real ALSA, the nets, the band and FluidSynth, and leaves its files."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from improvbox.audio.rig import missing
from improvbox.audio.tone import pluck
from improvbox.box import tryout
from improvbox.config import Settings
from improvbox.stage import notes

RATE_HZ = 48000
LINE = (57, 60, 62, 64, 67, 64, 62, 60, 57, 55, 57, 60, 62, 64, 62, 60)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tryout.Tryout:
    if problem := missing():
        pytest.skip(f"the rig cannot run here: {problem}")
    take = np.concatenate([pluck(midi, 0.3) for midi in LINE]).astype(np.float32)
    settings = Settings()
    settings = dataclasses.replace(settings, osc=dataclasses.replace(settings.osc, listen_port=0, send=[]))
    out = tmp_path_factory.mktemp("out")
    return tryout.play(settings, take, ["2.5:fs2"], out, "a line of plucks")


def test_no_note_is_left_sounding(done: tryout.Tryout) -> None:
    assert done.summary["hanging"] == 0


def test_the_guitar_is_heard_and_the_band_plays(done: tryout.Tryout) -> None:
    parts = {note.part for note in done.notes}
    assert {"human", "bass", "mid", "high"} <= parts


def test_a_footswitch_pressed_on_the_way_changes_the_role(done: tryout.Tryout) -> None:
    told = {(c.target, c.verb, c.value) for c in done.commands}
    assert {(band, "role", "fight") for band in ("bass", "mid", "high")} <= told


def test_every_file_is_left_and_says_the_same(done: tryout.Tryout) -> None:
    assert all(path.stat().st_size > 200 for path in done.files.values())
    assert len(notes.read(done.files["notes"])) == len(done.notes)


def test_the_mix_holds_guitar_and_band(done: tryout.Tryout) -> None:
    import soundfile

    sound, rate = soundfile.read(str(done.files["mix"]))
    assert rate == RATE_HZ
    assert 0.1 < np.abs(sound).max() < 1.0


def test_latencies_name_every_stage_and_its_budget(done: tryout.Tryout) -> None:
    table = json.loads(done.files["latency"].read_text())
    assert {"capture", "hearing", "band", "stage"} <= {row["stage"] for row in table["stages"]}
    assert all(row["budget_ms"] > 0 for row in table["stages"])


def test_a_take_without_moves_gets_feet_within_its_length() -> None:
    times = [float(move.partition(":")[0]) for move in tryout.feet_for(40.0)]
    assert times == sorted(times)
    assert 0 < times[0] < times[-1] < 40.0
