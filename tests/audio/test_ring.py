"""The ring's contract."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from improvbox.audio.ring import Ring


def ramp(start: int, n: int) -> np.ndarray:
    return np.arange(start, start + n, dtype=np.float32)


def test_what_goes_in_comes_out_in_order_across_the_wrap() -> None:
    ring = Ring(10)
    out = []
    for start in range(0, 70, 7):
        ring.write(ramp(start, 7))
        out.append(ring.read(10)[0])
    assert np.array_equal(np.concatenate(out), ramp(0, 70))


def test_an_empty_ring_returns_nothing_and_does_not_wait() -> None:
    frames, dropped = Ring(4).read(4)
    assert (len(frames), dropped) == (0, 0)


def test_a_read_takes_no_more_than_asked() -> None:
    ring = Ring(8)
    ring.write(ramp(0, 6))
    assert ring.read(4)[0].tolist() == [0, 1, 2, 3]
    assert ring.available_frames == 2


def test_a_full_ring_keeps_the_newest_and_counts_the_rest() -> None:
    ring = Ring(8)
    ring.write(ramp(0, 5))
    ring.write(ramp(5, 6))
    frames, dropped = ring.read(8)
    assert (frames.tolist(), dropped, ring.dropped_frames) == (ramp(3, 8).tolist(), 3, 3)


def test_a_block_longer_than_the_ring_leaves_its_end() -> None:
    ring = Ring(8)
    ring.write(ramp(0, 20))
    frames, dropped = ring.read(8)
    assert (frames.tolist(), dropped) == (ramp(12, 8).tolist(), 12)


def test_channels_stay_together() -> None:
    ring = Ring(4, channels=2)
    ring.write(np.array([[1, 2], [3, 4], [5, 6]], np.float32))
    ring.read(2)
    ring.write(np.array([[7, 8], [9, 10]], np.float32))
    assert ring.read(4)[0].tolist() == [[5, 6], [7, 8], [9, 10]]


def test_what_was_read_does_not_change_when_the_writer_goes_on() -> None:
    ring = Ring(4)
    ring.write(ramp(0, 4))
    frames, _ = ring.read(4)
    ring.write(ramp(10, 4))
    assert frames.tolist() == [0, 1, 2, 3]


def test_a_fast_writer_never_tears_what_the_reader_gets() -> None:
    """Every read is a run of consecutive numbers, and with the counted drops nothing is missing."""
    ring, total = Ring(256), 200_000

    def write() -> None:
        for start in range(0, total, 50):
            ring.write(ramp(start, 50))

    writer = threading.Thread(target=write)
    writer.start()
    position = 0
    while writer.is_alive() or ring.available_frames:
        frames, dropped = ring.read(100)
        position += dropped
        assert np.array_equal(frames, ramp(position, len(frames)))
        position += len(frames)
    writer.join()
    assert position == total


@pytest.mark.parametrize(("capacity", "channels"), [(0, 1), (4, 0)])
def test_a_ring_of_nothing_is_refused(capacity: int, channels: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Ring(capacity, channels)
