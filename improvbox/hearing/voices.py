"""The notes that sound, whichever tracker heard them: their ids, their pitch curves, their ends."""

from __future__ import annotations

from dataclasses import dataclass

from improvbox.events import NoteOff, NoteOn, PitchBend

BEND_CENTS = 3.0  # a smaller move is the tracker's own noise (2 cents RMS on a steady string)
BEND_GAP_S = 0.008  # at most 125 bends a second; the fastest vibrato (8 Hz) then has 15 a turn


@dataclass(slots=True)
class Voice:
    """One sounding note."""

    id: int
    struck: float
    """MIDI number at the NoteOn"""
    pitch: float
    """MIDI number now"""
    onset: float
    """s"""
    emitted: float
    """s"""
    loudest_db: float
    """dB re full scale, highest peak since the onset"""
    sent_cents: float = 0.0
    sent_t: float = 0.0
    """s, of the last PitchBend"""
    unheard_s: float = 0.0
    """s since the tracker last found it"""

    @property
    def key(self) -> int:
        """The nearest semitone to the pitch now."""
        return round(self.pitch)

    @property
    def bent(self) -> float:
        """Semitones away from where it was struck."""
        return self.pitch - self.struck


class Voices:
    """Owned by one Listener, shared by its trackers: a change of tracker loses no sounding note and repeats no id."""

    def __init__(self) -> None:
        self.sounding: dict[int, Voice] = {}
        self._next_id = 1

    def start(self, pitch: float, velocity: int, onset: float, t: float, loudest_db: float) -> NoteOn:
        id_ = self._next_id
        self._next_id += 1
        self.sounding[id_] = Voice(id_, pitch, pitch, onset, t, loudest_db, sent_t=t)
        return NoteOn(id_, pitch, velocity, onset, t)

    def move(self, voice: Voice, pitch: float, t: float) -> PitchBend | None:
        """Notes where `voice` is now; the PitchBend once it is worth one."""
        voice.pitch = pitch
        cents = 100 * (pitch - voice.struck)
        if abs(cents - voice.sent_cents) < BEND_CENTS or t - voice.sent_t < BEND_GAP_S:
            return None
        voice.sent_cents, voice.sent_t = cents, t
        return PitchBend(voice.id, cents, t)

    def end(self, voice: Voice, t: float) -> NoteOff:
        del self.sounding[voice.id]
        return NoteOff(voice.id, max(t, voice.emitted))

    def end_all(self, t: float) -> list[NoteOff]:
        return [self.end(voice, t) for voice in list(self.sounding.values())]

    def near(self, pitch: float, semitones: float) -> list[Voice]:
        """Voices that are now within `semitones` of `pitch`."""
        return [voice for voice in self.sounding.values() if abs(voice.pitch - pitch) < semitones]
