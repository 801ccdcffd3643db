"""The shipped pitch net: streams as it was trained, tells notes from silence, and refuses folders that are none."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from improvbox.errors import ModelError
from improvbox.hearing.frontend import RATE_HZ, FrontEnd
from improvbox.hearing.pitch_model import PitchModel, Posterior

MODEL = Path(__file__).parents[2] / "models" / "tflite" / "pitch-v1"
FLOAT_ANSWERS = Path(__file__).parent / "data" / "pitch-v1-float.npz"
BEGINNING = 34  # steps: the float batch begins with no past, the stream with that of silence


def pluck(midi: float, seconds: float, level: float = 0.4) -> np.ndarray:
    """A decaying string: partials pluck at a fifth of its length, higher ones die sooner."""
    t = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    f0_hz = 440 * 2 ** ((midi - 69) / 12)
    partials = (
        np.sin(2 * np.pi * f0_hz * k * t) * np.sin(np.pi * k / 5) / k * np.exp(-t * (1.5 + 0.4 * k))
        for k in range(1, 25)
    )
    return (level * sum(partials)).astype(np.float32)


def hear(sound: np.ndarray, hop: int = 128, model: PitchModel | None = None) -> list[Posterior]:
    front, model = FrontEnd(hop), model or PitchModel(MODEL, hop)
    return [model.step(front.push(sound[i : i + hop])) for i in range(0, len(sound) - hop + 1, hop)]


def with_silence(sound: np.ndarray) -> np.ndarray:
    quiet = 1e-4 * np.random.default_rng(1).standard_normal(len(sound) + RATE_HZ // 4)
    quiet[RATE_HZ // 4 :] += sound
    return quiet.astype(np.float32)


@pytest.fixture(scope="module")
def model() -> PitchModel:
    return PitchModel(MODEL)


@pytest.mark.parametrize("midi", [40, 45, 52, 57, 64, 72])
def test_a_plucked_string_raises_onset_and_frame_of_its_pitch(midi: int, model: PitchModel) -> None:
    model.reset()
    heard = hear(with_silence(pluck(midi, 0.2)), model=model)
    onset = np.max([p.onset for p in heard], axis=0)
    assert int(np.argmax(onset)) == midi - model.lowest
    assert onset.max() > 0.8
    assert heard[-1].frame[midi - model.lowest] > 0.7


def test_a_string_thirty_cents_flat_is_heard_flat(model: PitchModel) -> None:
    model.reset()
    heard = hear(with_silence(pluck(56.7, 0.3)), model=model)
    assert heard[-1].deviation[57 - model.lowest] == pytest.approx(-0.3, abs=0.12)


def test_silence_and_hiss_raise_nothing(model: PitchModel) -> None:
    model.reset()
    hiss = 10 ** (-50 / 20) * np.random.default_rng(2).standard_normal(RATE_HZ)
    heard = hear(np.concatenate([np.zeros(RATE_HZ // 2), hiss]).astype(np.float32), model=model)
    assert max(p.onset.max() for p in heard) < 0.5


def test_the_same_sound_after_a_reset_gives_the_same_numbers(model: PitchModel) -> None:
    sound = with_silence(pluck(50, 0.1))
    model.reset()
    first = hear(sound, model=model)
    model.reset()
    again = hear(sound, model=model)
    for a, b in zip(first, again, strict=True):
        assert np.array_equal(a.onset, b.onset)
        assert np.array_equal(a.frame, b.frame)
        assert np.array_equal(a.deviation, b.deviation)


def test_the_streamed_int8_file_says_what_the_float_net_says_of_the_whole_sound_at_once() -> None:
    """Against the trained float32 net in one batch (models/training/pitch/parity.py). Quantization costs this much."""
    float_net = np.load(FLOAT_ANSWERS)
    heard = hear(float_net["samples"].astype(np.float32) / 32768, 256)[BEGINNING:]
    onset, frame, deviation = (np.array([getattr(p, k) for p in heard]) for k in ("onset", "frame", "deviation"))
    sounding = float_net["frame"][BEGINNING:] > 0.5
    assert np.abs(onset - float_net["onset"][BEGINNING:]).mean() < 0.002
    assert np.quantile(np.abs(onset - float_net["onset"][BEGINNING:]), 0.999) < 0.15
    assert np.abs(frame - float_net["frame"][BEGINNING:]).mean() < 0.005
    assert np.quantile(np.abs(frame - float_net["frame"][BEGINNING:]), 0.999) < 0.15
    assert np.abs(deviation - float_net["deviation"][BEGINNING:])[sounding].max() < 0.15


def test_one_phase_gives_every_second_posterior_of_two() -> None:
    sound = with_silence(pluck(47, 0.2))
    both, one = hear(sound, 128), hear(sound, 256)
    for two_phases, one_phase in zip(both[1::2], one, strict=True):
        assert np.array_equal(two_phases.onset, one_phase.onset)
        assert two_phases.release == one_phase.release


def test_the_past_reaches_back_and_then_ends(model: PitchModel) -> None:
    """A note a second ago is forgotten: the receptive field is 85 ms of window and 31 steps."""
    tail = 1e-4 * np.random.default_rng(5).standard_normal(RATE_HZ)
    quiet = np.zeros(12_800)
    sounds = [
        np.concatenate([s, tail]).astype(np.float32) for s in (quiet, quiet + 0.3 * np.sin(np.arange(12_800) / 20))
    ]
    ends = []
    for sound in sounds:
        model.reset()
        ends.append(hear(sound, model=model)[-1])
    assert np.array_equal(ends[0].frame, ends[1].frame)


def test_a_hop_that_does_not_divide_the_frame_is_refused() -> None:
    with pytest.raises(ModelError, match="hop of 96"):
        PitchModel(MODEL, 96)


def test_a_card_for_another_front_end_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "pitch-x"
    shutil.copytree(MODEL, folder)
    card = (folder / "card.toml").read_text().replace("channels = 16", "channels = 19")
    (folder / "card.toml").write_text(card)
    with pytest.raises(ModelError, match="another front end"):
        PitchModel(folder)


def test_a_folder_without_a_card_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"card\.toml"):
        PitchModel(tmp_path)
