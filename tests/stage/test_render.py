"""FluidSynth offline, the real library: sample-exact, deterministic, in tune."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from improvbox.config import StageSettings
from improvbox.errors import InputFileError
from improvbox.events import PlannedNote
from improvbox.stage import soundfonts, synth
from improvbox.stage.fluid import FluidOffline
from improvbox.stage.render import CHUNK_FRAMES, NoteRenderer, Voicing, mix
from improvbox.stage.synth import RATE_HZ, Synth

GUITAR = Voicing(channel=0, program=27, key=57, velocity=100, onset=0.0, duration=0.5)
ORGAN = replace(GUITAR, program=16)  # steady, so that its pitch is one number


@pytest.fixture(scope="module")
def renderer() -> Iterator[NoteRenderer]:
    with Synth(soundfonts.find(), on_demand=True) as made:
        yield NoteRenderer(made)


def pitch_hz(sound: np.ndarray, near_hz: float) -> float:
    """The strongest partial within a whole tone of `near_hz`, 0.2 to 0.45 s, refined by a parabola."""
    part = sound[int(0.2 * RATE_HZ) : int(0.45 * RATE_HZ), 0]
    size = 1 << 17
    power = np.log(np.abs(np.fft.rfft(part * np.hanning(len(part)), size)) + 1e-12)
    power[: int(near_hz / 1.12 * size / RATE_HZ)] = -30
    power[int(near_hz * 1.12 * size / RATE_HZ) :] = -30
    peak = int(power.argmax())
    a, b, c = power[peak - 1 : peak + 2]
    return (peak + (a - c) / (2 * (a - 2 * b + c))) * RATE_HZ / size


def cents(hz: float, reference: float) -> float:
    return 1200 * float(np.log2(hz / reference))


def test_a_note_is_the_same_whatever_was_rendered_before(renderer: NoteRenderer) -> None:
    first = renderer.render(GUITAR)
    renderer.render(replace(GUITAR, key=80, program=48, changes=((0.1, "bend", 700.0), (0.2, "level", 0.1))))
    assert np.array_equal(renderer.render(GUITAR), first)


def test_a_note_lies_at_its_exact_sample(renderer: NoteRenderer) -> None:
    alone = renderer.render(GUITAR)
    for frame in (0, 1, 63, 12345):
        laid = np.concatenate(list(mix([replace(GUITAR, onset=frame / RATE_HZ)], renderer)))
        assert np.array_equal(laid[frame : frame + len(alone)], alone)
        assert not laid[:frame].any()


def test_notes_add_up_over_the_edges_of_pieces(renderer: NoteRenderer) -> None:
    near_edge = CHUNK_FRAMES / RATE_HZ - 0.1
    notes = [replace(GUITAR, onset=near_edge), replace(GUITAR, key=60, onset=near_edge + 0.05)]
    whole = np.concatenate(list(mix(notes, renderer)))
    parts = [np.concatenate(list(mix([n], renderer, len(whole) / RATE_HZ))) for n in notes]
    assert np.allclose(whole, parts[0] + parts[1], atol=1e-7)


@pytest.mark.parametrize("seconds", [0.1, 3.0, 10.0, 21.5])
def test_a_length_asked_for_is_the_length(renderer: NoteRenderer, seconds: float) -> None:
    assert sum(len(p) for p in mix([GUITAR], renderer, seconds)) == round(seconds * RATE_HZ)


@pytest.mark.parametrize("bend", [-50.0, 200.0, 350.0, 1100.0])
def test_a_bend_is_in_tune_but_for_the_whole_cents_fluidsynth_counts_in(renderer: NoteRenderer, bend: float) -> None:
    straight = pitch_hz(renderer.render(ORGAN), 220.0)
    bent = pitch_hz(renderer.render(replace(ORGAN, changes=((0.0, "bend", bend),))), 220.0 * 2 ** (bend / 1200))
    assert cents(bent, straight) == pytest.approx(bend, abs=1.2)


def test_a_level_of_a_half_is_twelve_decibels_down(renderer: NoteRenderer) -> None:
    ratio = np.abs(renderer.render(replace(GUITAR, level=0.5))).max() / np.abs(renderer.render(GUITAR)).max()
    assert 20 * np.log10(ratio) == pytest.approx(-11.9, abs=0.5)


def test_a_cut_stops_dead_without_a_click(renderer: NoteRenderer) -> None:
    sound = renderer.render(replace(GUITAR, duration=2.0, cut=0.3))
    assert len(sound) == round(0.3 * RATE_HZ)
    assert np.abs(sound[-1]).max() == 0


def test_a_session_renders_the_same_bits_twice(tmp_path: Path) -> None:
    band = FluidOffline(StageSettings())
    for id_, part in enumerate(("bass", "mid", "high", "drums")):
        band.gain(part, 0.7)
        band.note_on(PlannedNote(part, id_, 0.1 * id_, 0.5, 50, 90), 0.1 * id_)
    for id_, part in enumerate(("bass", "mid", "high", "drums")):
        band.note_off(part, id_, 50, 0.5 + 0.1 * id_)
    assert np.array_equal(band.render(2.0), band.render(2.0))
    band.write(tmp_path / "band.wav", 2.0)
    assert soundfile.info(tmp_path / "band.wav").frames == 2 * RATE_HZ


def test_a_level_changed_while_a_note_sounds_is_heard() -> None:
    loud, faded = (FluidOffline(StageSettings()) for _ in range(2))
    for band in (loud, faded):
        band.program("mid", 16)  # an organ: as loud at its end as at its start
        band.note_on(PlannedNote("mid", 1, 0.0, 1.0, 60, 90), 0.0)
    faded.bend("mid", 1, 0.0, 0.5)
    faded.gain("mid", 0.0)
    for band in (loud, faded):
        band.note_off("mid", 1, 60, 1.0)
    late = slice(int(0.7 * RATE_HZ), int(0.9 * RATE_HZ))
    assert np.abs(faded.render(1.0)[late]).max() < 0.01 * np.abs(loud.render(1.0)[late]).max()


def test_panic_leaves_silence() -> None:
    band = FluidOffline(StageSettings())
    band.note_on(PlannedNote("bass", 1, 0.0, 5.0, 40, 90), 0.0)
    band.panic(1.0)
    assert not band.render(2.0)[RATE_HZ:].any()


def test_a_note_that_ends_when_it_begins_makes_no_sound() -> None:
    band = FluidOffline(StageSettings())
    band.note_on(PlannedNote("bass", 1, 1.0, 5.0, 40, 90), 1.0)
    band.note_off("bass", 1, 40, 1.0)
    assert len(band.render()) == 0


def test_a_soundfont_with_a_broken_inside_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.sf2"
    broken.write_bytes(b"RIFF\x10\x00\x00\x00sfbkLIST\xff\xff\xff\xff")
    with pytest.raises(InputFileError, match=r"broken\.sf2"):
        Synth(broken).start()


def test_a_program_that_a_soundfont_lacks_becomes_a_near_one(monkeypatch: pytest.MonkeyPatch) -> None:
    with Synth(soundfonts.find(), on_demand=True) as made:
        assert made.program(synth.DRUM_CHANNEL, 127) in (0, 120)
        assert made.program(0, 33) == 33
