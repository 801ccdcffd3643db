"""Opening an ALSA capture device, and saying in one line why it does not open. Only this module imports alsaaudio."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from improvbox.audio import finder
from improvbox.audio.source import RATE_HZ
from improvbox.config import AudioSettings
from improvbox.errors import DeviceError, MissingDriverError


@dataclass(frozen=True, slots=True)
class CaptureDevice:
    """An open device and what it agreed to."""

    pcm: Any
    """alsaaudio.PCM, non-blocking, prepared and not yet started"""
    name: str
    """ALSA name"""
    format: str
    """a key of FORMATS"""
    channels: int
    period_frames: int


def open_capture(name: str, settings: AudioSettings, formats: tuple[str, ...], proc: Path) -> CaptureDevice:
    """The device itself where it can do our rate in one of `formats`, else through ALSA's converter.

    Raises DeviceError that names the device, what is wrong, and the cards under `proc`.
    """
    device: CaptureDevice | str
    with quiet():
        device = _try(name, settings, formats, proc)
        if isinstance(device, str):
            converted = name.replace("hw:", "plughw:", 1) if name.startswith("hw:") else f"plug:{name}"
            device = _try(converted, settings, formats, proc)
    if isinstance(device, str):
        raise DeviceError(f"{name} {device}; ImprovBox needs {RATE_HZ} Hz and one of {', '.join(formats)}")
    if settings.channel > device.channels:
        device.pcm.close()
        has = f"{device.name} has {device.channels} input channels"
        raise DeviceError(f"{has}; audio.channel {settings.channel} is not one of them")
    return device


def _try(name: str, settings: AudioSettings, formats: tuple[str, ...], proc: Path) -> CaptureDevice | str:
    """The open device, or what of it is not as we need it. Raises DeviceError where it is absent or busy."""
    alsa, got = driver(), {}
    for wanted in formats:
        try:
            pcm = alsa.PCM(
                type=alsa.PCM_CAPTURE,
                mode=alsa.PCM_NONBLOCK,
                device=name,
                rate=RATE_HZ,
                channels=settings.channel,
                format=getattr(alsa, f"PCM_FORMAT_{wanted}"),
                periodsize=settings.period_frames,
                periods=settings.periods,
            )
        except alsa.ALSAAudioError as error:
            raise DeviceError(explain(name, words_of(error), finder.cards(proc))) from None
        got = pcm.info()  # the driver silently gives the nearest it can do
        if got["format_name"] in formats and got["rate"] == RATE_HZ:
            return CaptureDevice(pcm, name, got["format_name"], got["channels"], got["period_size"])
        pcm.close()
    return f"gives {got.get('rate')} Hz, {got.get('format_name')}"


def explain(name: str, words: str, here: list[finder.Card]) -> str:
    """One line for an open that failed: the device, the reason, and what would be right."""
    where = finder.describe([card for card in here if card.capture])
    reason = words.lower()
    if "busy" in reason:
        return f"{name} is busy: another program records from it; close that program or choose another card ({where})"
    if "no such" in reason:
        return f"{name} is not here ({reason}): {where}; check audio.card and audio.pcm"
    if "permission" in reason or "not permitted" in reason:
        return f"{name} may not be opened by this user; add it to the group 'audio'"
    return f"{name} does not open: {reason} ({where})"


def words_of(error: Exception) -> str:
    """'No such device' from ALSA's 'No such device [hw:CARD=Foo]'."""
    return str(error).partition(" [")[0]


def driver() -> Any:
    try:
        import alsaaudio
    except ImportError as error:
        raise MissingDriverError(f"pyalsaaudio is not installed ({error}); pip install pyalsaaudio") from None
    return alsaaudio


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps libasound from printing to stderr while something is opened: the caller reports, in one line.

    Only around an open: left in place, the handler would call into Python from the synthesiser's thread.
    """
    try:
        library = ctypes.CDLL("libasound.so.2")
    except OSError:  # then no sound either, and pyalsaaudio says so
        yield
        return
    kind = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
    handler = kind(lambda *_: None)
    library.snd_lib_error_set_handler(handler)
    try:
        yield
    finally:
        library.snd_lib_error_set_handler(None)
