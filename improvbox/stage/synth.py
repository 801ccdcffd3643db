"""FluidSynth through pyfluidsynth, which is imported here and nowhere else.

FluidSynth renders in blocks of 64 frames: what it is told takes effect at the next block (1.3 ms at 48 kHz), live and
offline alike. `render.py` places notes to the sample all the same.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from improvbox.errors import DeviceError, InputFileError, MissingDriverError
from improvbox.stage.sounds import BEND_RANGE, bend_value

RATE_HZ = 48000
BLOCK_FRAMES = 64
DRUM_CHANNEL, DRUM_BANK = 9, 128
REALTIME_PRIORITY = 62  # under the capture thread (70), over everything else; FluidSynth plays on without it
BEND_CORRECTION = 128 / 127
"""FluidSynth reads a bend range of R as R * 127 / 128 semitones: 350 cents asked for sound as 347.3. Measured
2026-11-22, version 2.3.1, six programs; a version that plays it in tune fails the test of bends. What is left is under
1 cent (it counts in whole ones); the last 10 cents of the range are out of reach."""

_LogFunction = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
_AlsaHandler = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)


# What C may call is never freed: a thread of a device that has just died may be in it when nobody listens any more.
_listening: list[list[str]] = []


@_LogFunction
def _keep(level: int, text: bytes, _data: Any) -> None:
    if level <= 2:  # panic, error, warning
        for notices in list(_listening):
            notices.append(text.decode(errors="replace").strip())


@_AlsaHandler
def _hush(*_: Any) -> None:
    """Says nothing in libasound's stead."""


def _library() -> Any:
    """pyfluidsynth, silent. Raises MissingDriverError."""
    try:
        # Where CI is set it tells on stdout which library it found, and stdout may be somebody's JSON.
        with contextlib.redirect_stdout(io.StringIO()):
            import fluidsynth
    except (ImportError, OSError, AttributeError) as error:
        raise MissingDriverError(
            f"FluidSynth cannot be loaded ({error}); apt-get install libfluidsynth3, pip install pyfluidsynth"
        ) from None
    return fluidsynth


def _write_float(library: Any) -> Any:
    """pyfluidsynth renders 16 bits only; this call of the same C library has no rounding, dither or clipping."""
    pointer, number = ctypes.c_void_p, ctypes.c_int
    arguments = [("synth", pointer, 1), ("len", number, 1), ("lout", pointer, 1), ("loff", number, 1)]
    arguments += [("lincr", number, 1), ("rout", pointer, 1), ("roff", number, 1), ("rincr", number, 1)]
    return library.cfunc("fluid_synth_write_float", number, *arguments)


class Synth:
    """One synthesiser with one SoundFont, 16 channels, no reverb and no chorus.

    One thread calls; while a driver runs, FluidSynth's own thread renders and never enters Python.
    """

    def __init__(self, soundfont: Path, gain: float = 0.6, polyphony: int = 48, on_demand: bool = False) -> None:
        """on_demand: samples are read when a program is chosen: a quick start, but choosing takes milliseconds."""
        self.soundfont = soundfont
        self.notices: list[str] = []
        """what FluidSynth warned of while it was set up"""
        self._gain, self._polyphony, self._on_demand = gain, polyphony, on_demand
        self._lib: Any = None
        self._write_float: Any = None
        self._synth: Any = None
        self._font = -1
        self._ticker: Any = None

    def start(self) -> None:
        """Loads library and SoundFont. Raises MissingDriverError, InputFileError."""
        self.close()
        self._lib = _library()
        self._write_float = _write_float(self._lib)
        with self._told():
            self._synth = self._lib.Synth(
                gain=float(self._gain),
                samplerate=float(RATE_HZ),
                channels=16,
                **{
                    "synth.polyphony": int(self._polyphony),
                    "synth.reverb.active": 0,
                    "synth.chorus.active": 0,
                    "synth.dynamic-sample-loading": int(self._on_demand),
                },
            )
            self._font = self._synth.sfload(str(self.soundfont))
        if self._font < 0:
            reason = self.notices[-1] if self.notices else "FluidSynth refuses it"
            self.close()
            raise InputFileError(f"{self.soundfont}: {reason}; give a SoundFont (.sf2) that FluidSynth reads")
        # The sequencer is only a frame counter here: it ticks when blocks are rendered, so it tells a live thread.
        self._ticker = self._lib.Sequencer(time_scale=RATE_HZ, use_system_timer=False)
        self._ticker.register_fluidsynth(self._synth)
        for channel in range(16):
            self.bend_range(channel)

    def close(self) -> None:
        """Stops the driver, whose thread uses the rest, and frees everything; may be called twice."""
        self.close_driver()
        if self._ticker is not None:
            self._ticker.delete()
        if self._synth is not None:
            self._synth.delete()
        self._ticker = self._synth = None

    def __enter__(self) -> Synth:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def open_driver(self, pcm: str, period_frames: int, periods: int) -> None:
        """Starts FluidSynth's thread on an ALSA device. Raises DeviceError naming it."""
        self.close_driver()
        for name, value in {
            "audio.driver": "alsa",
            "audio.alsa.device": pcm,
            "audio.period-size": int(period_frames),
            "audio.periods": int(periods),
            "audio.realtime-prio": REALTIME_PRIORITY,
        }.items():
            self._synth.setting(name, value)
        with self._told(), _quiet_alsa():
            driver = self._lib.new_fluid_audio_driver(self._synth.settings, self._synth.synth)
        if not driver:
            reason = self.notices[-1] if self.notices else "no reason given"
            raise DeviceError(f"the synth cannot open {pcm!r} ({reason}); see `aplay -L` for names, free it if busy")
        self._synth.audio_driver = driver

    def close_driver(self) -> None:
        if self._synth is not None and self._synth.audio_driver:
            self._lib.delete_fluid_audio_driver(self._synth.audio_driver)
            self._synth.audio_driver = None

    @property
    def frames(self) -> int:
        """Frames rendered since start (32 bits, wraps after a day); stands still when nobody renders."""
        return int(self._ticker.get_tick()) if self._ticker is not None else 0

    @property
    def voices(self) -> int:
        """Voices that sound, release tails included."""
        return int(self._synth.get_active_voice_count())

    def note_on(self, channel: int, key: int, velocity: int) -> None:
        self._synth.noteon(channel, int(key), int(velocity))

    def note_off(self, channel: int, key: int) -> None:
        self._synth.noteoff(channel, int(key))

    def control(self, channel: int, number: int, value: int) -> None:
        self._synth.cc(channel, number, value)

    def bend(self, channel: int, cents: float) -> None:
        self._synth.pitch_bend(channel, bend_value(cents * BEND_CORRECTION) - 8192)

    def bend_range(self, channel: int) -> None:
        """RPN 0: BEND_RANGE semitones; then RPN null, so that no later data entry changes it."""
        for number, value in ((101, 0), (100, 0), (6, BEND_RANGE), (38, 0), (101, 127), (100, 127)):
            self.control(channel, number, value)

    def program(self, channel: int, program: int) -> int:
        """Chooses a program; the nearest of its family where the SoundFont lacks it. Returns what was chosen."""
        bank = DRUM_BANK if channel == DRUM_CHANNEL else 0
        for candidate in (program, program - program % 8, 0):
            if self._synth.sfpreset_name(self._font, bank, candidate) is not None:
                self._synth.program_select(channel, self._font, bank, candidate)
                return candidate
        raise InputFileError(f"{self.soundfont} has no sound for channel {channel}; use a General MIDI SoundFont")

    def all_off(self) -> None:
        """Every note ends now, tails included."""
        for channel in range(16):
            self._synth.all_sounds_off(channel)

    def render(self, frames: int) -> np.ndarray:
        """float32[frames, 2], the next samples. Only while no driver runs."""
        out = np.zeros((frames, 2), np.float32)
        if frames:
            address = out.ctypes.data
            self._write_float(self._synth.synth, frames, address, 0, 2, address, 1, 2)
        return out

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Keeps what FluidSynth says in `notices` instead of stderr. Outside, it says nothing: a call back into
        Python from its audio thread would make that wait for the interpreter."""
        self.notices = []
        _listening.append(self.notices)
        number, pointer = ctypes.c_int, ctypes.c_void_p
        arguments = [("level", number, 1), ("fun", pointer, 1), ("data", pointer, 1)]
        route = self._lib.cfunc("fluid_set_log_function", pointer, *arguments)
        levels = range(5)
        for level in levels:
            route(level, ctypes.cast(_keep, pointer), None)
        try:
            yield
        finally:
            for level in levels:
                route(level, None, None)
            _listening[:] = [notices for notices in _listening if notices is not self.notices]


@contextmanager
def _quiet_alsa() -> Iterator[None]:
    """Keeps libasound from printing to stderr while a device is opened: the caller reports, in one line."""
    try:
        library = ctypes.CDLL("libasound.so.2")
    except OSError:
        yield
        return
    library.snd_lib_error_set_handler(_hush)
    try:
        yield
    finally:
        library.snd_lib_error_set_handler(None)
