"""Tempo and beat from the guitar, causal: a grid when there is one, None when time is free.

A simple rule. The tempo is given (settings, command, taps) or found by how well the last onsets agree with the
lines of each candidate beat; either way phase and drift follow the onsets by a second-order loop. Confidence says how
far that agreement lies above what as many random onsets would reach.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from improvbox.events import Command, HumanEvent, NoteOn
from improvbox.tempo import MAX_BPM, MIN_BPM, Grid

CHORD_S = 0.035  # onsets closer than a strum are one
WINDOW_S = 9.0  # onsets older than this say nothing about the present tempo
HALF_LIFE_S = 3.5
CANDIDATES = np.geomspace(55.0, 185.0, 110)  # beats a minute, 1.1 % apart
USUAL_BPM, USUAL_OCTAVES = 100.0, 0.85  # where a foot taps: centre and spread of the prior
INDEPENDENT = 60.0  # of the candidates, as many are independent over the window
ENTER, LEAVE = 0.5, 0.25  # confidence at which time becomes metered, and free again
FEWEST = 6  # moments before a tempo is guessed
PHASE_GAIN, DRIFT_GAIN = 0.35, 0.06  # of an onset's error, taken by the phase and by the period
MOST_DRIFT = 0.12  # how far the period may leave a given tempo, as a share
FAR_OFF = 0.17  # beats from the nearest half beat: a triplet or an ornament, which corrects nothing
HOLD_S = 20.0  # a found grid outlives silence this long
TAP_GAP_S = 2.0  # taps further apart begin a new count


class BeatTracker:
    """`hear` onsets and `command` what the player says; `grid(now)` is the answer."""

    def __init__(self, tempo_bpm: float = 0.0, time: str = "auto") -> None:
        self._given = tempo_bpm if MIN_BPM <= tempo_bpm <= MAX_BPM else 0.0
        self._mode = time
        self._moments: deque[tuple[float, float]] = deque(maxlen=48)  # (onset s, weight)
        self._taps: deque[float] = deque(maxlen=8)
        self._period = 60.0 / self._given if self._given else 0.0
        self._anchor: float | None = None  # s, time of beat number _beat
        self._beat = 0
        self._confidence = 0.0
        self._metered = False
        self._rival = 0  # onsets in a row that asked for another tempo
        self._off_beat = 0.0  # evidence that beats are heard half a beat off

    # -- input ---------------------------------------------------------------------------------------------------

    def hear(self, event: HumanEvent) -> None:
        """Takes an event of the human; only onsets count."""
        if not isinstance(event, NoteOn):
            return
        t = event.onset
        if self._moments and t - self._moments[-1][0] <= CHORD_S:
            return
        if self._moments and t - self._moments[-1][0] > HOLD_S:
            self._start_over()
        self._moments.append((t, 0.3 + event.velocity / 127))
        if self._given:
            self._confidence = 1.0
            self._follow(t)
        else:
            self._find(t)

    def command(self, command: Command) -> None:
        """`tempo`, `tap` and `time`; others are none of its business."""
        if command.verb == "tempo" and isinstance(command.value, int | float):
            self._give(float(command.value))
        elif command.verb == "time":
            self._mode = str(command.value)
        elif command.verb == "tap":
            self._tap(command.t)

    # -- output --------------------------------------------------------------------------------------------------

    @property
    def confidence(self) -> float:
        """0..1 that there is a beat."""
        return self._confidence

    def grid(self, now: float) -> Grid | None:
        """The metered time around `now` (s), or None: time is free."""
        if self._mode == "free" or self._period <= 0 or self._anchor is None:
            return None
        quiet = not self._moments or now - self._moments[-1][0] > HOLD_S
        if self._mode == "auto" and not self._given and (not self._metered or quiet):
            return None
        bpm = min(MAX_BPM, max(MIN_BPM, 60.0 / self._period))
        return Grid(bpm, self._anchor - self._beat * 60.0 / bpm, confidence=self._confidence)

    # -- given tempo ---------------------------------------------------------------------------------------------

    def _give(self, bpm: float) -> None:
        self._given, self._period = bpm, 60.0 / bpm
        if self._anchor is None and self._moments:
            self._anchor = self._moments[-1][0]
        self._confidence, self._metered = 1.0, True

    def _tap(self, t: float) -> None:
        if self._taps and t - self._taps[-1] > TAP_GAP_S:
            self._taps.clear()
        self._taps.append(t)
        if len(self._taps) >= 3:
            period = (self._taps[-1] - self._taps[0]) / (len(self._taps) - 1)
            if 60.0 / MAX_BPM <= period <= 60.0 / MIN_BPM:
                self._give(60.0 / period)
                self._set_phase(t)

    def _set_phase(self, t: float) -> None:
        """Time `t` is a beat, whatever was believed."""
        if self._anchor is None:
            self._anchor, self._beat = t, 0
        else:
            self._beat = max(0, self._beat + round((t - self._anchor) / self._period))
            self._anchor = t

    # -- following -----------------------------------------------------------------------------------------------

    def _follow(self, t: float) -> None:
        """Moves phase and period towards an onset that is near a beat or half a beat."""
        if self._anchor is None:
            self._anchor, self._beat = t, 0
            return
        beats = (t - self._anchor) / self._period
        half = round(2 * beats) / 2  # the nearest line: a beat or half a beat, counted from the anchor
        whole = math.floor(half)
        line = self._anchor + half * self._period
        error = t - line
        if abs(error) >= FAR_OFF * self._period:
            return
        gain = 1.0 if half == whole else 0.5
        self._period += gain * DRIFT_GAIN * error / max(1.0, half)
        if self._given:
            usual = 60.0 / self._given
            self._period = min(usual * (1 + MOST_DRIFT), max(usual * (1 - MOST_DRIFT), self._period))
        self._anchor = line + gain * PHASE_GAIN * error - (half - whole) * self._period
        self._beat += whole
        self._judge_side(half == whole)

    def _judge_side(self, on_beat: bool) -> None:
        """Most onsets half a beat off: the beat is there instead."""
        self._off_beat = 0.9 * self._off_beat + (-1.0 if on_beat else 1.0)
        if self._off_beat > 4.0 and self._anchor is not None:  # seven of eight
            self._anchor += self._period / 2
            self._off_beat = -self._off_beat

    def _start_over(self) -> None:
        self._moments.clear()
        self._off_beat = 0.0
        if not self._given:
            self._anchor, self._period, self._confidence, self._metered = None, 0.0, 0.0, False

    # -- finding -------------------------------------------------------------------------------------------------

    def _find(self, t: float) -> None:
        while self._moments and self._moments[0][0] < t - WINDOW_S:
            self._moments.popleft()
        if len(self._moments) < FEWEST:
            self._confidence *= 0.7
            self._decide()
            return
        bpm, phase, agreement, count = self._best(t)
        chance = math.sqrt(math.log(INDEPENDENT) / count)
        self._confidence = max(0.0, min(1.0, (agreement - chance) / max(0.05, 1.0 - chance)))
        self._decide()
        period = 60.0 / bpm
        near = self._period > 0 and abs(math.log(period / self._period)) < 0.05
        self._rival = 0 if near else self._rival + 1
        if self._anchor is None or (self._rival >= 3 and self._confidence >= LEAVE):
            self._period, self._rival = period, 0
            self._set_phase(phase)
        else:
            self._follow(t)

    def _decide(self) -> None:
        self._metered = self._confidence >= (LEAVE if self._metered else ENTER)

    def _best(self, t: float) -> tuple[float, float, float, float]:
        """(bpm, time of the beat nearest `t`, agreement 0..1, how many onsets that rests on)."""
        onsets = np.array([m[0] for m in self._moments]) - t
        weights = np.array([m[1] for m in self._moments]) * 0.5 ** (-onsets / HALF_LIFE_S)
        weights /= weights.sum()
        turns = 2j * np.pi * onsets[None, :] * (CANDIDATES / 60.0)[:, None]
        beat = np.exp(turns) @ weights
        eighth, triplet, sixteenth = (np.abs(np.exp(k * turns) @ weights) for k in (2, 3, 4))
        fine = np.maximum(np.maximum(eighth, 0.95 * triplet), 0.9 * sixteenth)
        prior = np.exp(-0.5 * (np.log2(CANDIDATES / USUAL_BPM) / USUAL_OCTAVES) ** 2)
        if self._period > 0:  # loyalty: of two readings of the same onsets, the present one
            prior = prior * (1 + 0.25 * np.exp(-0.5 * (np.log(CANDIDATES * self._period / 60.0) / 0.03) ** 2))
        best = int(np.argmax((0.55 * np.abs(beat) + 0.45 * fine) * prior))
        bpm = float(CANDIDATES[best])
        phase = t + float(np.angle(beat[best])) / (2 * math.pi) * 60.0 / bpm
        count = 1.0 / float((weights**2).sum())
        return bpm, phase, float(max(abs(beat[best]), fine[best])), count
