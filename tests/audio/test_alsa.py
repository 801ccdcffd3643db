"""Real ALSA: pyalsaaudio captures through a PCM that a dummy sound server paces."""

from __future__ import annotations

import itertools
import re
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from improvbox.audio.alsa import AlsaSource
from improvbox.audio.alsa_device import explain
from improvbox.audio.finder import Card
from improvbox.audio.pcm_format import FORMATS
from improvbox.audio.rig import Rig
from improvbox.audio.source import Block
from improvbox.clock import monotonic_s, sleep_s
from improvbox.config import AudioSettings
from improvbox.errors import DeviceError, StreamError

RAMP_FRAMES = 96000
RAMP = (np.arange(1, RAMP_FRAMES + 1) / RAMP_FRAMES).astype(np.float32)  # every sample says which one it is


def source(period_frames: int = 64, periods: int = 4, channel: int = 1, formats: tuple[str, ...] = ()) -> AlsaSource:
    return AlsaSource(
        AudioSettings(pcm="iface", period_frames=period_frames, periods=periods, channel=channel), formats=formats
    )


def read(capture: AlsaSource) -> Block:
    block = capture.read()
    assert block is not None
    return block


def read_until(capture: AlsaSource, wanted: Callable[[Block], bool]) -> Block:
    for _ in range(2000):
        block = read(capture)
        if wanted(block):
            return block
    raise AssertionError("2000 periods without it")


def ramp_index(sample: float) -> int:
    return round(sample * RAMP_FRAMES) - 1


def undisturbed(rig: Rig, capture: AlsaSource, format_name: str, periods: int) -> np.ndarray:
    """A stretch of the ramp without an overrun in it: a machine that stalls costs another try, never an error."""
    for _ in range(10):
        capture.start()
        assert (capture.format, capture.period_frames) == (format_name, capture.settings.period_frames)
        rig.play(RAMP[:9600])
        blocks = [read_until(capture, lambda b: bool(b.samples.any()))]
        blocks += [read(capture) for _ in range(periods)]
        capture.stop()
        if not any(b.lost_frames for b in blocks):
            return np.concatenate([b.samples for b in blocks])
    raise AssertionError("ten overruns in ten tries")


@pytest.mark.parametrize(("format_name", "bits"), [("S16_LE", 16), ("S24_LE", 24), ("S24_3LE", 24), ("S32_LE", 24)])
@pytest.mark.parametrize("period", [64, 256])
def test_what_is_played_into_the_interface_is_captured_to_the_bit(
    rig: Rig, format_name: str, bits: int, period: int
) -> None:
    got = undisturbed(rig, source(period, periods=8, formats=(format_name,)), format_name, 3000 // period)
    got = got[np.flatnonzero(got)[0] :]
    start = ramp_index(float(got[0])) if bits == 24 else 0
    if bits == 16:  # the first nonzero step of a ramp this fine is a few samples late
        start = int(np.argmin(np.abs(RAMP - got[-1]))) - len(got) + 1
    assert np.max(np.abs(got - RAMP[start : start + len(got)])) <= 2.0 ** (1 - bits)


def test_blocks_are_whole_periods_numbered_without_gaps_and_stamped(rig: Rig) -> None:
    capture = source()
    capture.start()
    blocks = [read(capture) for _ in range(100)]
    capture.stop()
    for before, after in itertools.pairwise(blocks):
        assert after.first_frame == before.end_frame + after.lost_frames
        assert after.captured_s is not None and before.captured_s is not None
        assert after.captured_s >= before.captured_s
    assert {len(b.samples) for b in blocks} == {64}
    assert blocks[0].first_frame == 0


def test_a_late_first_read_is_no_xrun_and_gives_fresh_sound(rig: Rig) -> None:
    capture = source()
    capture.start()
    sleep_s(0.1)  # twenty times the buffer
    assert read(capture).first_frame == 0
    assert capture.xruns == 0
    capture.stop()


def test_a_forced_overrun_is_counted_repaired_and_its_gap_measured(rig: Rig, tmp_path: Path) -> None:
    """We stop reading until ALSA gives EPIPE, then go on: the ramp says how many frames were truly lost."""
    capture = source()
    capture.start()
    rig.record(tmp_path / "x.wav")
    rig.play(RAMP)
    before = read_until(capture, lambda b: b.samples[-1] > 0.1)
    lost_before = capture.lost_frames
    sleep_s(0.2)
    after = read_until(capture, lambda b: b.lost_frames > 0)
    back_s = monotonic_s()
    more = [read(capture) for _ in range(20)]
    capture.stop()
    recording = rig.stop_recording()
    # The server itself skips cycles when the whole machine stalls; a card would not. What it skipped is known.
    skipped = (back_s - recording.cycles_s[0]) * 48000 - recording.frame_at(back_s)
    true_gap = ramp_index(float(after.samples[0])) - ramp_index(float(before.samples[-1])) - 1
    assert capture.xruns >= 1
    assert true_gap > 4 * 64
    total = sum(b.lost_frames for b in (after, *more))
    if total == after.lost_frames:  # no second overrun while a busy machine caught up
        assert abs(after.lost_frames - true_gap) <= 3 * 64 + max(0.0, skipped)
        assert after.first_frame == before.end_frame + after.lost_frames
        steps = np.diff(np.concatenate([b.samples for b in (after, *more)]))
        assert np.all(steps[: 20 * 64 // 2] > 0)  # frames flow on, in order
    assert capture.lost_frames - lost_before == total


def test_a_device_that_vanishes_is_named_within_seconds_and_one_that_returns_plays_again(rig: Rig) -> None:
    capture = source()
    capture.start()
    read(capture)
    rig.vanish()
    started = monotonic_s()
    with pytest.raises((StreamError, DeviceError), match="iface"):
        while True:
            read(capture)
    assert monotonic_s() - started < 5
    capture.stop()
    with pytest.raises(DeviceError, match="iface"):
        source().start()
    rig.reappear()
    again = source()
    again.start()
    assert len(read(again).samples) == 64
    again.stop()


def test_a_format_we_cannot_read_goes_through_the_converter(rig: Rig) -> None:
    capture = AlsaSource(AudioSettings(pcm="iface_raw"))  # the server's own: 32-bit float only
    capture.start()
    read(capture)
    capture.stop()
    assert (capture.name, capture.format) == ("plug:iface_raw", "S32_LE")


def test_the_second_input_is_read_where_it_is_asked_for(rig: Rig) -> None:
    capture = source(channel=2)  # `plug` gives the one guitar on both
    capture.start()
    rig.play(RAMP[:9600])
    assert read_until(capture, lambda b: bool(b.samples.any())).samples.any()
    assert capture.channels == 2
    capture.stop()


def test_an_input_the_device_lacks_is_refused(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`plug` invents channels; a converter of formats alone does not."""
    own = f"<{rig.env['ALSA_CONFIG_PATH']}>\npcm.one {{ type lfloat  slave {{ pcm iface_raw  format FLOAT_LE }} }}\n"
    (tmp_path / "asound.conf").write_text(own)
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
    with pytest.raises(DeviceError, match=r"one has 1 input channels; audio\.channel 3 is not one of them"):
        AlsaSource(AudioSettings(pcm="one", channel=3)).start()


def test_stop_from_another_thread_ends_the_read(rig: Rig) -> None:
    capture = source()
    capture.start()
    read(capture)
    stopper = threading.Timer(0.05, capture.stop)
    stopper.start()
    while capture.read() is not None:
        pass
    stopper.join()
    capture.stop()  # twice is fine
    assert capture.read() is None


@pytest.mark.parametrize("formats", list(FORMATS))
def test_every_format_of_the_table_is_one_that_pyalsaaudio_knows(formats: str) -> None:
    import alsaaudio

    assert hasattr(alsaaudio, f"PCM_FORMAT_{formats}")


def test_an_absent_pcm_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(DeviceError, match="nosuch is not here") as caught:
        AlsaSource(AudioSettings(pcm="nosuch")).start()
    assert "\n" not in str(caught.value)
    assert "ALSA lib" not in capfd.readouterr().err


def test_an_absent_card_is_named_with_what_is_here(tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"audio\.card 'M2' is not here: no such card is connected"):
        AlsaSource(AudioSettings(card="M2"), proc=tmp_path).start()


def test_reading_before_start_is_an_error() -> None:
    with pytest.raises(StreamError, match="before it was started"):
        fresh = AlsaSource(AudioSettings(pcm="iface"))
        fresh.read()


HERE = [Card("M2", "MOTU M2", (0,), (0,))]


@pytest.mark.parametrize(
    ("reason", "says"),
    [
        ("Device or resource busy", "hw:CARD=M2 is busy: another program records from it; .*M2 \\(MOTU M2\\)"),
        ("No such device", "hw:CARD=M2 is not here .*cards here: M2"),
        ("Permission denied", "group 'audio'"),
        ("Invalid argument", "does not open: invalid argument"),
    ],
)
def test_each_reason_of_a_failed_open_says_what_would_be_right(reason: str, says: str) -> None:
    """A busy card cannot be made without a card; the words of the kernel can."""
    assert re.search(says, explain("hw:CARD=M2", reason, HERE))
