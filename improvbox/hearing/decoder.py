"""Probabilities to notes: when an onset is believed, how a note is followed, when it is over.

A note leaves as soon as its onset probability, averaged over two hops, passes a threshold. What is then learnt about
it (a clearer pitch, a bend, a vibrato) moves the note and never strikes it again: a new note needs an onset of its
own. Chord notes that hide behind others get a second chance from the frame probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from improvbox.events import HumanEvent, NoteOn
from improvbox.hearing.level import LevelMeter
from improvbox.hearing.voices import Voice, Voices


class PosteriorLike(Protocol):
    """What the net says about one hop. Arrays are float32 [pitches], lowest pitch first."""

    onset: np.ndarray
    """probability that the note was struck just now"""
    frame: np.ndarray
    """probability that it sounds"""
    deviation: np.ndarray
    """semitones from the key to the true pitch, -1..1"""
    release: float
    """probability that any string was released just now"""


@dataclass(frozen=True, slots=True)
class Tuning:
    """Every constant of the decoder, with what it trades. Fitted on development takes of the training guitars."""

    smooth_hops: int = 2
    """1: 2 ms sooner, 3 F1 points worse; 4: 5 ms later, 2 points better"""
    threshold_low: float = 0.0
    """added to the threshold at MIDI 40, and in proportion up to 64 and beyond it with the opposite sign"""
    strum_threshold: float = -0.1
    """added while a chord is being struck: its notes hide one another, and a lone false note is then unlikely"""
    strum_s: float = 0.06
    """how long after a note its chord goes on; the slowest strum of six strings takes 200 ms, 40 ms a string"""
    rearm: float = 0.4
    """share of the threshold under which a pitch may be struck again"""
    rearm_s: float = 0.05
    """a pitch is not struck twice within it; tremolo picking reaches 15 strokes a second, 67 ms"""
    neighbour_s: float = 0.06
    """nor is a semitone beside it: the attack of a note smears into its neighbours"""
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
    late: float = 0.75
    """frame probability that makes a note without an onset after a stroke"""
    late_before: float = 0.35
    """where it must have been under before the stroke"""
    late_onset: float = 0.1
    """and the onset probability must have reached this at least"""
    late_from_s: float = 0.015
    late_to_s: float = 0.09
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


class Decoder:
    """One stream of posteriors to events.

    `step` is called by the hearing thread each hop; it does not block and allocates small arrays only.
    `lowest` is the MIDI number of the first of `pitches`, `hop_s` the seconds between steps, `threshold` the setting.
    """

    HISTORY_S = 0.08  # of posteriors: what the second chance looks back over

    def __init__(
        self,
        lowest: int,
        pitches: int,
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
        recent = [(self._row - i) % self._history for i in range(tune.smooth_hops)]
        onset = self._onsets[recent].mean(axis=0)
        self._hear_release(float(posterior.release), t)
        quiet = onset < tune.rearm * self._threshold
        if not self._armed.all():
            self._armed |= quiet & (t - self._named > tune.rearm_s)
        if muted:
            self._armed &= quiet
            return []
        events: list[HumanEvent] = []
        if level.dbfs > tune.floor_db or self.voices.sounding:
            if not quiet.all():
                self._strike(onset, posterior, t, level, events)
            if self._strokes and tune.late_from_s < t - self._strokes[-1] < tune.late_to_s:
                self._second_chance(posterior, t, level, events)
            if self.voices.sounding:
                self._follow(posterior, t, level, events)
        return events

    def _hear_release(self, probability: float, t: float) -> None:
        if probability > self.tuning.release_on:
            if not self._in_stroke:
                self._strokes = [*self._strokes[-7:], t]
            self._in_stroke = True
        elif probability < self.tuning.release_off:
            self._in_stroke = False

    def _strike(
        self, onset: np.ndarray, posterior: PosteriorLike, t: float, level: LevelMeter, events: list[HumanEvent]
    ) -> None:
        tune = self.tuning
        threshold = self._threshold
        if t - self._last_note < tune.strum_s:
            threshold = threshold + np.float32(tune.strum_threshold)
        candidates = np.flatnonzero((onset > threshold) & self._armed)
        for k in sorted(candidates.tolist(), key=lambda k: -onset[k]):
            low, high = max(0, k - 1), k + 2
            if not self._armed[k] or onset[k] < onset[low:high].max():
                continue
            if t - self._named[low:high].max() < tune.neighbour_s:
                continue
            pitch = self._pitch(k, posterior)
            if self.voices.near(pitch, tune.own_bend) and not self._stroke_before(t):
                continue
            self._start(k, pitch, self._onset_time(k, t), t, level, events)

    def _second_chance(
        self, posterior: PosteriorLike, t: float, level: LevelMeter, events: list[HumanEvent]
    ) -> None:
        """Chord notes whose onset was never sure but which now plainly sound and did not before the stroke."""
        tune = self.tuning
        if not (posterior.frame > tune.late).any():
            return
        rows = [(self._row - i) % self._history for i in range(4)]
        frame = self._frames[rows].mean(axis=0)
        stroke = self._strokes[-1]
        ago = min(self._history - 4, round((t - stroke + 0.012) / self._hop_s))
        before = self._frames[[(self._row - ago - i) % self._history for i in range(4)]].mean(axis=0)
        sure = (frame > tune.late) & (before < tune.late_before) & (self._onsets.max(axis=0) > tune.late_onset)
        for k in np.flatnonzero(sure).tolist():
            low, high = max(0, k - 1), k + 2
            if frame[k] < frame[low:high].max() or self._named[low:high].max() > stroke - 0.006:
                continue
            pitch = self._pitch(k, posterior)
            if not self.voices.near(pitch, tune.own_bend):
                self._start(k, pitch, stroke - tune.release_lag_s, t, level, events)

    def _start(
        self, k: int, pitch: float, onset: float, t: float, level: LevelMeter, events: list[HumanEvent]
    ) -> NoteOn:
        """The note at index `k`; a note that sounds there is over, it was struck again."""
        for voice in self.voices.near(pitch, self.tuning.own_bend):
            events.append(self.voices.end(voice, t))
        low, high = max(0, k - 1), k + 2
        self._armed[low:high] = False
        self._named[low:high] = t
        self._last_note = t
        note = self.voices.start(pitch, level.velocity(onset), onset, t, level.peak_db(onset))
        events.append(note)
        return note

    def _pitch(self, k: int, posterior: PosteriorLike) -> float:
        return self.lowest + k + min(0.8, max(-0.8, float(posterior.deviation[k])))

    def _stroke_before(self, t: float) -> bool:
        return bool(self._strokes) and t - self._strokes[-1] < self.tuning.release_s

    def _onset_time(self, k: int, t: float) -> float:
        """The stroke that explains the note, else the usual delay of its register; never later than `t`."""
        tune = self.tuning
        if self._stroke_before(t):
            return self._strokes[-1] - tune.release_lag_s
        share = k / max(1, len(self._armed) - 1)
        return max(0.0, t - tune.back_low_s - (tune.back_high_s - tune.back_low_s) * share)

    def _follow(self, posterior: PosteriorLike, t: float, level: LevelMeter, events: list[HumanEvent]) -> None:
        frame, deviation = posterior.frame.tolist(), posterior.deviation.tolist()
        taken = {voice.id: voice.key - self.lowest for voice in self.voices.sounding.values()}
        peak_db = level.peak_db(t - 0.015)
        for voice in list(self.voices.sounding.values()):
            here = taken[voice.id]
            others = {k for id_, k in taken.items() if id_ != voice.id}
            around = [k for k in (here - 1, here, here + 1) if 0 <= k < len(frame) and k not in others]
            if here in others:
                around = [k for k in (here,) if 0 <= k < len(frame)]
            best = max(around, key=lambda k: frame[k], default=None)
            support = 0.0 if best is None else frame[best]
            if best is not None and support > self.tuning.follow_frame:
                self._pull(voice, self.lowest + best + deviation[best], t, events)
            self._fade(voice, support, peak_db, t, events)

    def _pull(self, voice: Voice, target: float, t: float, events: list[HumanEvent]) -> None:
        tune = self.tuning
        if abs(target - voice.pitch) > 1.3:  # not its neighbourhood: the deviation of a pitch that is not there
            return
        time_constant = tune.follow_s / (2 if t - voice.emitted < tune.settle_s else 1)
        step = (target - voice.pitch) * min(1.0, self._hop_s / time_constant)
        limit = tune.slew * self._hop_s
        bend = self.voices.move(voice, voice.pitch + min(limit, max(-limit, step)), t)
        if bend is not None:
            events.append(bend)

    def _fade(self, voice: Voice, support: float, peak_db: float, t: float, events: list[HumanEvent]) -> None:
        tune = self.tuning
        voice.loudest_db = max(voice.loudest_db, peak_db)
        voice.unheard_s = voice.unheard_s + self._hop_s if support < tune.gone else 0.0
        inaudible = peak_db < max(tune.floor_db, voice.loudest_db - tune.drop_db)
        if t - voice.emitted > tune.grace_s and (voice.unheard_s > tune.gone_s or inaudible):
            events.append(self.voices.end(voice, t))
