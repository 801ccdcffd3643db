"""Blocks of sound on their way from the capture thread to the hearing thread.

Contract
- One writer and one reader. `put` never blocks and allocates one queue item.
- When hearing falls behind by more than LIMIT_S, the oldest blocks are dropped by the reader: old sound is worth
  nothing. What was dropped shows as a gap in the frame numbers of the blocks that come out.
- Where the reader stands still altogether, the writer drops the newest beyond HARD_LIMIT_S: memory is bounded.
"""

from __future__ import annotations

import queue

from improvbox.audio.source import RATE_HZ, Block

LIMIT_S = 0.25
"""five of the worst stalls seen on an idle machine"""
HARD_LIMIT_S = 2.0


class Feed:
    """Hands blocks over."""

    def __init__(self, period_frames: int) -> None:
        self.dropped = 0
        """blocks thrown away since the start, either side"""
        self._queue: queue.SimpleQueue[Block] = queue.SimpleQueue()
        self._limit = max(2, round(LIMIT_S * RATE_HZ / period_frames))
        self._hard_limit = round(HARD_LIMIT_S * RATE_HZ / period_frames)

    def put(self, block: Block) -> None:
        """Writer only."""
        if self._queue.qsize() < self._hard_limit:
            self._queue.put(block)
        else:
            self.dropped += 1

    def take(self, timeout_s: float) -> list[Block]:
        """Reader only: all blocks that wait, oldest first; waits up to `timeout_s` for the first."""
        blocks: list[Block] = []
        try:
            blocks.append(self._queue.get(timeout=timeout_s))
            while True:
                blocks.append(self._queue.get_nowait())
        except queue.Empty:  # the way out: nothing is left, or nothing came
            pass
        surplus = max(0, len(blocks) - self._limit)
        self.dropped += surplus
        return blocks[surplus:]
