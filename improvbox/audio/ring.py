"""A ring of float32 frames between a thread that must not wait and one that may.

Contract
- One writer and one reader, any two threads. No locks: each index is stored by one side only.
- `write` never blocks and never fails. It copies once and allocates nothing that grows with the capacity.
- When the ring is full the newest frames win: the oldest unread ones are overwritten.
- The reader learns how many it missed from its next `read`, and in sum from `dropped_frames`. Frames that are
  returned are never torn: what the writer touched while the reader copied is counted as dropped instead.
- `read` does not wait: it returns at most what is there, possibly nothing.
"""

from __future__ import annotations

import numpy as np


class Ring:
    """Holds `capacity_frames` frames of `channels` float32 samples."""

    def __init__(self, capacity_frames: int, channels: int = 1) -> None:
        if capacity_frames < 1 or channels < 1:
            raise ValueError(f"a ring of {capacity_frames} frames x {channels} channels: both must be at least 1")
        self.capacity_frames = capacity_frames
        self.channels = channels
        self.dropped_frames = 0  # the reader's
        self._data = np.zeros((capacity_frames, channels), np.float32)
        # Counts of frames since the beginning, never wrapped. The writer announces before it copies, so that the
        # reader can tell which frames may have changed under its hands.
        self._announced = 0
        self._written = 0
        self._read = 0

    @property
    def available_frames(self) -> int:
        """Frames that a read would return now, at most the capacity."""
        return min(self._written - self._read, self.capacity_frames)

    def write(self, frames: np.ndarray) -> None:
        """Writer only. `frames`: float32[n] for one channel, else float32[n, channels]; any n."""
        block = frames.reshape(-1, self.channels)
        skip = max(0, len(block) - self.capacity_frames)  # would be overwritten by the same call
        block = block[skip:]
        start = self._written + skip
        self._announced = start + len(block)
        at = start % self.capacity_frames
        head = min(len(block), self.capacity_frames - at)
        self._data[at : at + head] = block[:head]
        self._data[: len(block) - head] = block[head:]
        self._written = self._announced

    def read(self, max_frames: int) -> tuple[np.ndarray, int]:
        """Reader only. (float32[n] or float32[n, channels] with n <= max_frames, frames dropped just before them)."""
        start = max(self._read, self._written - self.capacity_frames)
        stop = min(start + max_frames, self._written)
        at = start % self.capacity_frames
        head = min(stop - start, self.capacity_frames - at)
        out = np.concatenate((self._data[at : at + head], self._data[: stop - start - head]))
        intact = max(start, min(stop, self._announced - self.capacity_frames))
        dropped = intact - self._read
        self.dropped_frames += dropped
        self._read = stop
        out = out[intact - start :]
        return (out[:, 0] if self.channels == 1 else out), dropped
