"""How loud the guitar is: the Level events, and the dynamics of a note.

The velocity of a note comes from here and not from the net, which hears spectra under any gain and cannot know how
hard is hard. It is the rise of the level at the onset against the loudest that this player has played lately.
"""

from __future__ import annotations

import math

import numpy as np

from improvbox.events import GUITAR_RANGE, Level

RATE_HZ = 48_000
UNIT_FRAMES = 64  # one value of the envelope, 1.3 ms: fine enough to date an attack
UNIT_S = UNIT_FRAMES / RATE_HZ
REPORT_UNITS = 8  # a Level event every 10.7 ms
PAST_UNITS = 128  # 171 ms of envelope: the slowest note is named within 100 ms
FLOOR_DB = -120.0
CLIPPED = 0.9995  # of full scale: the largest 12-bit value and all finer converters'
DC_SHARE = UNIT_S / 0.1  # a converter's offset is followed with 0.1 s; the lowest string (B0, 31 Hz) stays

# An attack: the envelope climbs over everything of the last period of the lowest note. 4 dB is what the softest
# fretted note in a ringing chord still makes; a slow swell climbs less in that time.
RISE_DB = 4.0
QUIET_DB = -66.0  # under it hum and hiss rise and fall
ATTACK_GAP_S = 0.015  # closer rises are one stroke: pick, then string

# The reference is how loud this player's strong strokes are. A louder one lifts it by a third of what it lacks, and it
# falls 0.3 dB/s, so that the dynamics of a phrase are heard and those of a set are evened out. It begins where a
# well-set interface has them, and never falls under what a quiet one gives.
REFERENCE_RISE = 0.3
REFERENCE_FALL_DB = 0.3 * UNIT_S
REFERENCE_START_DB = -8.0
REFERENCE_LEAST_DB = -30.0
RINGING_KEPT = 0.5  # of a stroke's power counts as its own at least: the string that rang may be the one struck
STRONG = 112  # the velocity of a stroke at the reference: 2 dB of room above
DB_PER_OCTAVE_OF_VELOCITY = 12.0  # General MIDI: amplitude goes with the square of velocity


class LevelMeter:
    """Follows the envelope in units of UNIT_FRAMES.

    `push` is called by the hearing thread for every hop, does not block, allocates a few small arrays.
    `lowest`: MIDI number of the lowest note of the instrument.
    """

    def __init__(self, lowest: float = GUITAR_RANGE[0]) -> None:
        self.t = 0.0  # s, end of what was heard
        self.dbfs = FLOOR_DB  # RMS of the last REPORT_UNITS units
        self.attack: float | None = None  # s, when the last attack began
        self._rise_units = period_units(lowest)
        self._peaks = [0.0] * PAST_UNITS  # newest last
        self._db = [FLOOR_DB] * PAST_UNITS
        self._squares = [0.0] * REPORT_UNITS
        self._since_report = 0
        self._clipped = False
        self._dc = 0.0
        self._reference_db = REFERENCE_START_DB

    def push(self, samples: np.ndarray) -> list[Level]:
        """Float32 samples, a multiple of UNIT_FRAMES and finite. The Level events that fell due."""
        units = samples.reshape(-1, UNIT_FRAMES)
        levels: list[Level] = []
        highs, lows = units.max(axis=1).tolist(), units.min(axis=1).tolist()
        means = units.mean(axis=1).tolist()
        squares = np.einsum("ij,ij->i", units, units).tolist()
        for high, low, mean, square in zip(highs, lows, means, squares, strict=True):
            self.t += UNIT_S
            self._dc += DC_SHARE * (mean - self._dc)
            self._clipped |= high >= CLIPPED or low <= -CLIPPED
            self._squares.append(max(0.0, square / UNIT_FRAMES - 2 * mean * self._dc + self._dc**2))
            del self._squares[0]
            self._envelope(max(high - self._dc, self._dc - low))
            self._since_report += 1
            if self._since_report == REPORT_UNITS:
                self.dbfs = _db(math.sqrt(sum(self._squares) / REPORT_UNITS))
                levels.append(Level(self.t, self.dbfs, self._clipped))
                self._since_report, self._clipped = 0, False
        return levels

    def peak_db(self, since: float) -> float:
        """Highest sample since audio time `since` (s), dB re full scale."""
        count = min(PAST_UNITS, max(1, math.ceil((self.t - since) / UNIT_S)))
        return max(self._db[-count:])

    def velocity(self, onset: float) -> int:
        """1..127 of a note that began at `onset` (s): its rise over what rang before, on General MIDI's curve."""
        count = min(PAST_UNITS - 6, max(2, math.ceil((self.t - onset) / UNIT_S)))
        after = max(self._peaks[-count:])
        before = max(self._peaks[-count - 6 : -count])
        # What rang before adds to the new note with a phase that nobody knows: powers are subtracted.
        rise_db = _db(math.sqrt(max(after**2 - before**2, RINGING_KEPT * after**2)))
        self._reference_db += REFERENCE_RISE * max(0.0, rise_db - self._reference_db)
        velocity = STRONG * 2 ** ((rise_db - self._reference_db) / DB_PER_OCTAVE_OF_VELOCITY)
        return min(127, max(1, round(velocity)))

    def _envelope(self, peak: float) -> None:
        db = _db(peak)
        ceiling = max(self._db[-self._rise_units :])
        if db > QUIET_DB and db > ceiling + RISE_DB and (self.attack is None or self.t - self.attack > ATTACK_GAP_S):
            self.attack = self.t - UNIT_S
        self._peaks.append(peak)
        self._db.append(db)
        del self._peaks[0], self._db[0]
        self._reference_db = max(REFERENCE_LEAST_DB, self._reference_db - REFERENCE_FALL_DB)


def period_units(midi: float) -> int:
    """Units that hold a period of `midi` for sure, wherever they begin."""
    return math.ceil(RATE_HZ / (440.0 * 2 ** ((midi - 69) / 12)) / UNIT_FRAMES) + 1


def _db(amplitude: float) -> float:
    return 20 * math.log10(amplitude) if amplitude > 1e-6 else FLOOR_DB
