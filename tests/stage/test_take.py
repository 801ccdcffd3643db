"""Played takes: the truth is exact, the sound is where and what the truth says."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from improvbox.errors import InputFileError
from improvbox.stage import notes, soundfonts, take
from improvbox.stage.guitar import Guitar, Pluck, RecordedGuitar, SampledGuitar, released_at
from improvbox.stage.score import Score, load
from improvbox.stage.synth import RATE_HZ

LINE = """tempo_bpm = 100
[[phrase]]
bar = 1
notes = "A3:1 E4:2^2 r:1 | C3+G3+E4:2 A4:1~ A3:0.5'"
"""


def recorded() -> Path:
    """The folder of recorded notes that is kept outside the checkout."""
    shared = os.environ.get("IMPROVBOX_SHARED")
    root = Path(shared) if shared else Path(__file__).parents[3] / "shared"
    folder = root / "data" / "guitar_notes" / "egreen"
    if not folder.is_dir():
        pytest.skip(f"no recorded guitar notes in {folder}; name their folder's root in IMPROVBOX_SHARED")
    return folder


def sampled() -> Guitar:
    return SampledGuitar(soundfonts.find())


@pytest.fixture
def written(tmp_path: Path) -> Score:
    path = tmp_path / "s.toml"
    path.write_text(LINE)
    return load(path)


@pytest.fixture(params=["sampled", "recorded"])
def guitar(request: pytest.FixtureRequest) -> Guitar:
    return sampled() if request.param == "sampled" else RecordedGuitar(recorded())


def frequency(sound: np.ndarray, near_hz: float) -> float:
    """The strongest partial within a semitone of `near_hz`, refined by a parabola."""
    size = 1 << 17
    power = np.log(np.abs(np.fft.rfft(sound * np.hanning(len(sound)), size)) + 1e-12)
    edges = (np.array([near_hz / 1.06, near_hz * 1.06]) * size / RATE_HZ).astype(int)
    peak = edges[0] + int(power[edges[0] : edges[1]].argmax())
    a, b, c = power[peak - 1 : peak + 2]
    return float((peak + (a - c) / (2 * (a - 2 * b + c))) * RATE_HZ / size)


def test_a_string_is_released_where_the_sound_comes_within_20_db_of_its_attack() -> None:
    sound = np.concatenate([np.full(100, 0.05), np.full(400, 1.0)])
    assert released_at(sound) == 100
    assert released_at(np.zeros(100)) == 0


def test_a_note_starts_where_the_truth_says(written: Score, guitar: Guitar) -> None:
    played = take.play(written, guitar)
    first = played.truth[0]
    before = played.samples[: round((first.onset - 0.005) * RATE_HZ)]
    after = played.samples[round(first.onset * RATE_HZ) :][: round(0.08 * RATE_HZ)]
    assert np.abs(before).max() < 0.1 * np.abs(after).max()
    window = played.samples[round((first.onset - 0.02) * RATE_HZ) :]
    assert released_at(window) == pytest.approx(0.02 * RATE_HZ, abs=0.001 * RATE_HZ)


def test_a_note_has_the_pitch_that_the_truth_says(written: Score, guitar: Guitar) -> None:
    played = take.play(written, guitar)
    first = played.truth[0]
    a, b = (round((first.onset + t) * RATE_HZ) for t in (0.15, 0.5))
    hertz = 440 * 2 ** ((first.pitch - 69) / 12)
    assert 1200 * np.log2(frequency(played.samples[a:b], hertz) / hertz) == pytest.approx(0, abs=12)


def test_a_bend_arrives_where_the_truth_says(written: Score, guitar: Guitar) -> None:
    played = take.play(written, guitar)
    bent = next(n for n in played.truth if any(c > 150 for _, c in n.curve))
    arrived = bent.pitch + bent.curve[-1][1] / 100
    assert bent.curve[-1][1] == pytest.approx(200, abs=1.0)
    a, b = (round((bent.onset + t) * RATE_HZ) for t in (0.5, 0.95))
    hertz = 440 * 2 ** ((arrived - 69) / 12)
    assert 1200 * np.log2(frequency(played.samples[a:b], hertz) / hertz) == pytest.approx(0, abs=15)


def test_same_seed_same_samples_other_seed_other_hand(written: Score, guitar: Guitar) -> None:
    first, again, other = (take.play(written, guitar, seed) for seed in (3, 3, 4))
    assert np.array_equal(first.samples, again.samples)
    assert first.truth == again.truth
    assert [n.onset for n in first.truth] != [n.onset for n in other.truth]


def test_a_take_is_at_half_scale_and_its_silence_hisses(written: Score) -> None:
    played = take.play(written, sampled())
    assert np.abs(played.samples).max() == pytest.approx(0.5, abs=0.001)
    silence = played.samples[: round(0.5 * RATE_HZ)]
    assert 20 * np.log10(silence.std()) == pytest.approx(-80, abs=1)


def test_a_vibrato_only_pushes_sharp(written: Score) -> None:
    wavy = max(take.play(written, sampled()).truth, key=lambda n: len(n.curve) * (n.pitch > 68))
    cents = [c for _, c in wavy.curve]
    assert min(cents) >= 0
    assert max(cents) == pytest.approx(36, abs=2)


def test_a_take_and_its_truth_are_written(tmp_path: Path) -> None:
    source = tmp_path / "s.toml"
    source.write_text(LINE)
    made = take.render(tmp_path / "t.wav", source, truth=tmp_path / "t.jsonl")
    info = soundfile.info(tmp_path / "t.wav")
    assert (info.samplerate, info.channels, info.frames) == (RATE_HZ, 1, len(made.samples))
    assert len(notes.read(tmp_path / "t.jsonl")) == len(made.truth)


def test_the_demo_lasts_about_a_minute() -> None:
    read = load(take.DEMO)
    assert 50 <= read.time(max(n.onset + n.beats for n in read.notes)) <= 60


def test_a_folder_without_notes_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no recorded notes"):
        RecordedGuitar(tmp_path)


def test_a_recorded_guitar_takes_its_recordings_in_turn_by_velocity(tmp_path: Path) -> None:
    for layer in (1, 2):
        for robin in (1, 2):
            tone = np.full(4800, 0.1 * layer + 0.01 * robin)
            soundfile.write(tmp_path / f"g_m060_v{layer}_r{robin}.wav", tone, RATE_HZ)
    guitar = RecordedGuitar(tmp_path)
    heard = [
        round(float(guitar.pluck(Pluck(60, velocity, 0.05, np.zeros(30)))[0][1000]), 2) for velocity in (30, 30, 100)
    ]
    assert heard == [0.11, 0.12, 0.21]


def test_the_command_line_says_what_is_wrong(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert take.main([str(tmp_path / "t.wav"), "--score", "absent.toml"]) == 2
    assert capsys.readouterr().err.startswith("improvbox: absent.toml: No such file")
