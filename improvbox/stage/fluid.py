"""The band as sound: FluidSynth on an ALSA device, and its twin that renders a session to a file."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from improvbox.clock import Stopwatch, sleep_s
from improvbox.config import StageSettings
from improvbox.errors import DeviceError
from improvbox.events import PlannedNote
from improvbox.stage import soundfonts
from improvbox.stage.mix import write_wav
from improvbox.stage.render import NoteRenderer, Voicing, mix
from improvbox.stage.sounds import CHANNELS, PROGRAMS, volume
from improvbox.stage.synth import RATE_HZ, Synth

START_S = 2.0  # a device that was opened renders within some periods; slow USB interfaces take up to a second
STALL_S = 0.5  # no block for so long: the synth is dead. Fifty periods of 512 frames, ten of the worst stalls seen

CLOSE_S = 1.0  # a device that plays lets go within two buffers; one that has not by now never will


class FluidLive:
    """A sink that plays. FluidSynth's own thread renders; a call here takes some microseconds and never waits.

    Any thread may call; while `start` or `restart` works, notes of other threads are dropped, not held up.
    """

    def __init__(self, settings: StageSettings, pcm: str = "") -> None:
        """pcm: the ALSA name to use where the settings name neither PCM nor card: the guitar's interface."""
        self._settings = settings
        self._pcm = pcm
        self._synth: Synth | None = None
        self._lock = threading.Lock()  # held for one call into FluidSynth: what it guards cannot be freed meanwhile
        self._programs = dict(PROGRAMS)
        self._gains = dict.fromkeys(CHANNELS, 1.0)
        self._seen = 0
        self._since = Stopwatch()

    @property
    def pcm(self) -> str:
        """The ALSA name that plays."""
        if self._settings.pcm:
            return self._settings.pcm
        return f"plughw:CARD={self._settings.card}" if self._settings.card else self._pcm or "default"

    @property
    def notices(self) -> list[str]:
        """What FluidSynth warned of when the device was opened, e.g. another period than asked for."""
        synth = self._synth
        return list(synth.notices) if synth is not None else []

    def start(self) -> None:
        """Loads the SoundFont, opens the device, sees that frames flow. Also brings a lost device back.

        Takes 0.2 to 2 s. Raises MissingDriverError, InputFileError (SoundFont), DeviceError.
        """
        self.close()
        settings = self._settings
        synth = Synth(soundfonts.find(settings.soundfont), settings.gain, settings.polyphony)
        synth.start()
        try:
            for part, channel in CHANNELS.items():
                synth.program(channel, self._programs[part])
                synth.control(channel, 7, volume(self._gains[part]))
            synth.open_driver(self.pcm, settings.period_frames, settings.periods)
            self._wait_for_frames(synth)
        except BaseException:
            _close_bounded(synth)
            raise
        with self._lock:
            self._synth = synth

    def restart(self) -> None:
        """The same as `start`: the device was lost, or `alive` says no."""
        self.start()

    def _wait_for_frames(self, synth: Synth) -> None:
        watch, before = Stopwatch(), synth.frames
        while synth.frames == before:
            if watch.elapsed_s() > START_S:
                raise DeviceError(
                    f"{self.pcm!r} was opened but takes no frames; replug it, or name another in stage.pcm"
                )
            sleep_s(0.002)
        self._seen, self._since = synth.frames, Stopwatch()

    @property
    def frames(self) -> int:
        """Frames rendered since the last start; stands still when the device has gone."""
        with self._lock:
            return self._synth.frames if self._synth is not None else 0

    def alive(self) -> bool:
        """Whether blocks were rendered since the last time of asking, or within the last half second."""
        with self._lock:
            if self._synth is None:
                return False
            frames = self._synth.frames
        if frames != self._seen:
            self._seen = frames
            self._since.restart()
        return self._since.elapsed_s() < STALL_S

    def note_on(self, note: PlannedNote, t: float) -> None:
        with self._lock:
            if self._synth is not None:
                self._synth.note_on(CHANNELS[note.part], note.pitch, note.velocity)

    def note_off(self, part: str, id: int, pitch: int, t: float) -> None:
        with self._lock:
            if self._synth is not None:
                self._synth.note_off(CHANNELS[part], pitch)

    def bend(self, part: str, id: int, cents: float, t: float) -> None:
        with self._lock:
            if self._synth is not None:
                self._synth.bend(CHANNELS[part], cents)

    def program(self, part: str, program: int) -> None:
        self._programs[part] = program
        with self._lock:
            if self._synth is not None:
                self._synth.program(CHANNELS[part], program)

    def gain(self, part: str, level: float) -> None:
        self._gains[part] = level
        with self._lock:
            if self._synth is not None:
                self._synth.control(CHANNELS[part], 7, volume(level))

    def panic(self, t: float) -> None:
        with self._lock:
            if self._synth is not None:
                self._synth.all_off()
                for channel in CHANNELS.values():
                    self._synth.bend(channel, 0.0)

    def close(self) -> None:
        """Ends every note and frees the device; returns within about a second even where the device hangs."""
        with self._lock:
            synth, self._synth = self._synth, None
        if synth is not None:
            synth.all_off()
            _close_bounded(synth)


def _close_bounded(synth: Synth) -> None:
    """Closes in a thread of its own: a driver may wait for ever for a device that has vanished. It is then left
    behind with its synth, and freed if it ever wakes up."""
    closer = threading.Thread(target=synth.close, name="synth-closer", daemon=True)
    closer.start()
    closer.join(CLOSE_S)


class FluidOffline:
    """A sink that remembers, and renders afterwards: every onset at its exact sample, same notes, same samples.

    A level or program changed between notes holds from the next event on: those calls carry no time.
    """

    def __init__(self, settings: StageSettings) -> None:
        self._settings = settings
        self._programs = dict(PROGRAMS)
        self._gains = dict.fromkeys(CHANNELS, 1.0)
        self._bends = dict.fromkeys(CHANNELS, 0.0)
        self._sounding: dict[tuple[str, int], Voicing] = {}
        self._done: list[Voicing] = []
        self._t = 0.0

    def note_on(self, note: PlannedNote, t: float) -> None:
        self._t = t
        voicing = Voicing(CHANNELS[note.part], self._programs[note.part], note.pitch, note.velocity, t, 0.0)
        bend = self._bends[note.part]
        changes = ((0.0, "bend", bend),) if bend else ()
        self._sounding[note.part, note.id] = dataclasses.replace(voicing, level=self._gains[note.part], changes=changes)

    def note_off(self, part: str, id: int, pitch: int, t: float) -> None:
        self._t = t
        voicing = self._sounding.pop((part, id), None)
        if voicing is not None and t > voicing.onset:
            self._done.append(dataclasses.replace(voicing, duration=t - voicing.onset))

    def bend(self, part: str, id: int, cents: float, t: float) -> None:
        self._t = t
        self._bends[part] = cents
        self._change(part, "bend", cents)

    def program(self, part: str, program: int) -> None:
        self._programs[part] = program

    def gain(self, part: str, level: float) -> None:
        self._gains[part] = level
        self._change(part, "level", level)

    def _change(self, part: str, what: str, value: float) -> None:
        for key, voicing in self._sounding.items():
            if key[0] == part:
                change = (max(0.0, self._t - voicing.onset), what, value)
                self._sounding[key] = dataclasses.replace(voicing, changes=(*voicing.changes, change))

    def panic(self, t: float) -> None:
        for part, id_ in list(self._sounding):
            self.note_off(part, id_, 0, t)
        self._bends = dict.fromkeys(CHANNELS, 0.0)
        self._done = [v if v.cut is not None else dataclasses.replace(v, cut=t - v.onset) for v in self._done]

    def close(self) -> None:
        """Nothing to free: the synth lives while rendering only."""

    def blocks(self, seconds: float | None = None) -> Iterator[np.ndarray]:
        """float32[n, 2] at 48 kHz, pieces in order; `seconds`: exact length, None: until the last tail has gone.

        Notes not ended yet are left out. Raises MissingDriverError, InputFileError (SoundFont).
        """
        found = soundfonts.find(self._settings.soundfont)
        with Synth(found, self._settings.gain, self._settings.polyphony, on_demand=True) as synth:
            yield from mix(self._done, NoteRenderer(synth), seconds)

    def render(self, seconds: float | None = None) -> np.ndarray:
        """All of it: float32[n, 2] at 48 kHz. See `blocks`."""
        return np.concatenate([np.zeros((0, 2), np.float32), *self.blocks(seconds)])

    def write(self, path: str | Path, seconds: float | None = None) -> None:
        """A stereo WAV, 24 bit, 48 kHz; levels over full scale are held there. See `blocks`."""
        write_wav(path, self.blocks(seconds), RATE_HZ)
