"""Probabilities to notes: when an onset is believed, how a note is followed, when it is over.

A note leaves as soon as its onset probability, averaged over two hops, passes a threshold. What is then learnt about
it (a clearer pitch, a bend, a vibrato) moves the note and never strikes it again: a new note needs an onset of its
own. Chord notes that hide behind others get a second chance from the frame probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from improvbox.events import HumanEvent
from improvbox.hearing.level import LevelMeter
from improvbox.hearing.voices import Voice, Voices


class PosteriorLike(Protocol):
    """What the net says about one hop. Arrays are float32 [pitches], lowest pitch first."""

    @property
    def onset(self) -> np.ndarray:
        """Probability that the note was struck just now."""

    @property
    def frame(self) -> np.ndarray:
        """Probability that it sounds."""

    @property
    def deviation(self) -> np.ndarray:
        """Semitones from the key to the pitch heard near it."""

    @property
    def release(self) -> float:
        """Probability that any string was released just now."""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Every constant of the decoder, with what it trades. Fitted on development takes of the training guitars."""

    smooth_hops: int = 2
    """1: 2 ms sooner, 3 F1 points worse; 4: 5 ms later, 2 points better"""
    threshold_low: float = -0.02
    """added to the threshold at MIDI 40, and in proportion up to 64 and beyond it with the opposite sign"""
    strum_threshold: float = -0.1
    """added while a chord is being struck: its notes hide one another, and a lone false note is then unlikely"""
    restrike_threshold: float = 0.05
    """added where a note sounds already: another string's attack looks like its own"""
    strum_s: float = 0.06
    """how long after a note its chord goes on; the slowest strum of six strings takes 200 ms, 40 ms a string"""
    rearm: float = 0.4
    """share of the threshold under which a pitch may be struck again"""
    rearm_s: float = 0.05
    """a pitch is not struck twice within it; tremolo picking reaches 15 strokes a second, 67 ms"""
    neighbour_s: float = 0.04
    """nor is a semitone beside it: the attack of a note smears into its neighbours"""
    doubt: float = 0.3
    """of the onset probability a semitone beside, taken off: half the notes named a semitone wrong had such a rival"""
    own_bend: float = 0.7
    """semitones around a sounding note in which an onset needs a release to be more than its own bend"""
    release_on: float = 0.4
    release_off: float = 0.2
    """the release probability that begins, and ends, a stroke"""
    release_s: float = 0.055
    """a stroke explains notes named this much later at most: low strings need 40 ms"""
    release_lag_s: float = 0.004
    """the net is this much behind a release when it is first sure of one"""
    back_low_s: float = 0.022
    back_high_s: float = 0.010
    """onset before the naming where no release was heard, at the lowest and the highest pitch"""
    late: float = 0.85
    """frame probability that makes a note without an onset after a stroke"""
    late_before: float = 0.35
    """where it must have been under before the stroke"""
    late_onset: float = 0.1
    """and the onset probability must have reached this at least"""
    late_from_s: float = 0.015
    late_to_s: float = 0.1
    """after the stroke"""
    follow_frame: float = 0.4
    """frame probability above which a pitch may pull a note"""
    follow_s: float = 0.006
    """time constant of the pitch of a sounding note: a vibrato of 7 Hz loses 3 % of its width"""
    settle_s: float = 0.03
    """after the naming the pitch is still being found out: it follows twice as fast"""
    slew: float = 45.0
    """semitones a second; a fast bend makes 35, a hammer-on 300"""
    gone: float = 0.25
    """frame probability under which a note is fading"""
    gone_s: float = 0.016
    """and is over after this time; shorter, and a beating pair of strings flickers"""
    grace_s: float = 0.04
    """a note lives this long at least: frames of low strings become clear that late"""
    drop_db: float = 46.0
    """over when the level has fallen this far under the note's own peak: it is inaudible then"""
    floor_db: float = -72.0
    """dBFS under which nothing is a note: hiss of a good interface ends at -80"""


@dataclass(frozen=True, slots=True)
class _Now:
    """One step: what was heard, and the events it gave so far."""

    posterior: PosteriorLike
    t: float
    """s, end of the hop"""
    level: LevelMeter
    events: list[HumanEvent]


class Decoder:
    """One stream of posteriors to events.

    `step` is called by the hearing thread each hop; it does not block and allocates small arrays only.
    `lowest` is the MIDI number of the first of `pitches`, `hop_s` the seconds between steps, `threshold` the setting.
    """

    HISTORY_S = 0.08  # of posteriors: what the second chance looks back over
    FRAME_HOPS = 4  # over which the second chance averages

    def __init__(
        self,
        lowest: int,
        pitches: int,
        *,
        hop_s: float,
        threshold: float,
        voices: Voices | None = None,
        tuning: Tuning | None = None,
    ) -> None:
        self.voices = voices or Voices()
        self.lowest = lowest
        self.tuning = tuning or Tuning()
        self._hop_s = hop_s
        register = np.clip((64 - (lowest + np.arange(pitches))) / 24, -1, 1)
        self._threshold = np.clip(threshold + self.tuning.threshold_low * register, 0.05, 0.995).astype(np.float32)
        self._strum_threshold = self._threshold + np.float32(self.tuning.strum_threshold)
        self._rearm = self.tuning.rearm * self._threshold
        self._history = max(self.tuning.smooth_hops, int(self.HISTORY_S / hop_s))
        self._onsets = np.zeros((self._history, pitches), np.float32)
        self._frames = np.zeros((self._history, pitches), np.float32)
        self._armed = np.ones(pitches, bool)
        self._named = np.full(pitches, -1e9)  # s, when each pitch last became a note
        self._row = -1
        self._strokes: list[float] = []  # s, the last releases heard, newest last
        self._in_stroke = False
        self._last_note = -1e9

    def step(self, posterior: PosteriorLike, t: float, level: LevelMeter, muted: bool = False) -> list[HumanEvent]:
        """Events at `t` (s, the end of the hop). `muted`: listen and say nothing, as long as the net is cold."""
        tune = self.tuning
        self._row = (self._row + 1) % self._history
        self._onsets[self._row] = posterior.onset
        self._frames[self._row] = posterior.frame
        onset = self._mean(self._onsets, tune.smooth_hops)
        self._hear_release(float(posterior.release), t)
        quiet = onset < self._rearm
        loud = not quiet.all()
        if not self._armed.all():
            self._armed |= quiet & (t - self._named > tune.rearm_s)
        if muted:
            self._armed &= quiet
            self._named[~quiet] = t
            return []
        now = _Now(posterior, t, level, [])
        if level.dbfs > tune.floor_db or self.voices.sounding:
            if loud:
                self._strike(onset, now)
            if self._strokes and tune.late_from_s < t - self._strokes[-1] < tune.late_to_s:
                self._second_chance(now)
            if self.voices.sounding:
                self._follow(now)
        return now.events

    def _mean(self, history: np.ndarray, hops: int, ago: int = 0) -> np.ndarray:
        """Average of `hops` rows, of which the newest is `ago` hops old."""
        total: np.ndarray = history[(self._row - ago) % self._history].copy()
        for i in range(1, hops):
            total += history[(self._row - ago - i) % self._history]
        total *= np.float32(1 / hops)
        return total

    def _hear_release(self, probability: float, t: float) -> None:
        if probability > self.tuning.release_on:
            if not self._in_stroke:
                self._strokes = [*self._strokes[-7:], t]
            self._in_stroke = True
        elif probability < self.tuning.release_off:
            self._in_stroke = False

    def _strike(self, onset: np.ndarray, now: _Now) -> None:
        """Notes whose onset is believed, the surest first."""
        tune, t = self.tuning, now.t
        threshold = self._strum_threshold if t - self._last_note < tune.strum_s else self._threshold
        candidates = np.flatnonzero((onset > threshold) & self._armed)
        for k in sorted(candidates.tolist(), key=lambda k: -onset[k]):
            beside = slice(max(0, k - 1), k + 2)
            if not self._armed[k] or t - self._named[beside].max() < tune.neighbour_s:
                continue
            rival = max((float(onset[j]) for j in (k - 1, k + 1) if 0 <= j < len(onset)), default=0.0)
            if onset[k] - tune.doubt * rival < threshold[k]:
                continue
            pitch = self._pitch(k, now)
            if not self.voices.near(pitch, tune.own_bend) or self._struck_again(k, onset, t):
                self._start(k, pitch, self._onset_time(k, t), now)

    def _struck_again(self, k: int, onset: np.ndarray, t: float) -> bool:
        """Whether an onset where a note sounds is a new stroke, and not its bend or another string's attack."""
        sure = min(0.99, self._threshold[k] + self.tuning.restrike_threshold)
        return self._stroke_before(t) and bool(onset[k] > sure)

    def _second_chance(self, now: _Now) -> None:
        """Chord notes whose onset was never sure but which now plainly sound and did not before the stroke."""
        tune = self.tuning
        if not (now.posterior.frame > tune.late).any():
            return
        frame = self._mean(self._frames, self.FRAME_HOPS)
        stroke = self._strokes[-1]
        ago = min(self._history - self.FRAME_HOPS, round((now.t - stroke + 0.012) / self._hop_s))
        before = self._mean(self._frames, self.FRAME_HOPS, ago)
        sure = (frame > tune.late) & (before < tune.late_before) & (self._onsets.max(axis=0) > tune.late_onset)
        for k in np.flatnonzero(sure).tolist():
            beside = slice(max(0, k - 1), k + 2)
            if frame[k] < frame[beside].max() or self._named[beside].max() > stroke - 0.006:
                continue
            pitch = self._pitch(k, now)
            if not self.voices.near(pitch, tune.own_bend):
                self._start(k, pitch, stroke - tune.release_lag_s, now)

    def _start(self, k: int, pitch: float, onset: float, now: _Now) -> None:
        """The note at index `k`; a note that sounds there is over, it was struck again."""
        for voice in self.voices.near(pitch, self.tuning.own_bend):
            now.events.append(self.voices.end(voice, now.t))
        beside = slice(max(0, k - 1), k + 2)
        self._armed[beside] = False
        self._named[beside] = now.t
        self._last_note = now.t
        velocity, peak_db = now.level.velocity(onset), now.level.peak_db(onset)
        now.events.append(self.voices.start(pitch, velocity, onset, now.t, peak_db))

    def _pitch(self, k: int, now: _Now) -> float:
        return self.lowest + k + min(0.8, max(-0.8, float(now.posterior.deviation[k])))

    def _stroke_before(self, t: float) -> bool:
        return bool(self._strokes) and t - self._strokes[-1] < self.tuning.release_s

    def _onset_time(self, k: int, t: float) -> float:
        """The stroke that explains the note, else the usual delay of its register; never later than `t`."""
        tune = self.tuning
        if self._stroke_before(t):
            return max(0.0, self._strokes[-1] - tune.release_lag_s)
        share = k / max(1, len(self._armed) - 1)
        return max(0.0, t - tune.back_low_s - (tune.back_high_s - tune.back_low_s) * share)

    def _follow(self, now: _Now) -> None:
        """Moves the notes that sound, and ends those that are over."""
        frame, deviation = now.posterior.frame.tolist(), now.posterior.deviation.tolist()
        taken = {voice.id: voice.key - self.lowest for voice in self.voices.sounding.values()}
        peak_db = now.level.peak_db(now.t - 0.015)  # one period of the lowest note
        for voice in list(self.voices.sounding.values()):
            here = taken[voice.id]
            others = {k for id_, k in taken.items() if id_ != voice.id}
            around = (here,) if here in others else (here - 1, here, here + 1)
            keys = [k for k in around if 0 <= k < len(frame) and (k == here or k not in others)]
            best = max(keys, key=frame.__getitem__, default=None)
            support = 0.0 if best is None else frame[best]
            if best is not None and support > self.tuning.follow_frame:
                self._pull(voice, self.lowest + best + deviation[best], now)
            self._fade(voice, support, peak_db, now)

    def _pull(self, voice: Voice, target: float, now: _Now) -> None:
        tune = self.tuning
        if abs(target - voice.pitch) > 1.3:  # semitones: the deviation of a pitch that is not there
            return
        time_constant = tune.follow_s / (2 if now.t - voice.emitted < tune.settle_s else 1)
        step = (target - voice.pitch) * min(1.0, self._hop_s / time_constant)
        limit = tune.slew * self._hop_s
        bend = self.voices.move(voice, voice.pitch + min(limit, max(-limit, step)), now.t)
        if bend is not None:
            now.events.append(bend)

    def _fade(self, voice: Voice, support: float, peak_db: float, now: _Now) -> None:
        tune = self.tuning
        voice.loudest_db = max(voice.loudest_db, peak_db)
        voice.unheard_s = voice.unheard_s + self._hop_s if support < tune.gone else 0.0
        inaudible = peak_db < max(tune.floor_db, voice.loudest_db - tune.drop_db)
        if now.t - voice.emitted > tune.grace_s and (voice.unheard_s > tune.gone_s or inaudible):
            now.events.append(self.voices.end(voice, now.t))
