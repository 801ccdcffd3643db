"""Everything a support person would ask about, each with what to do: one table of checks."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import resource
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from improvbox.audio import finder
from improvbox.box import parts, realtime, status
from improvbox.box.folders import data_folder
from improvbox.config import Settings
from improvbox.controls import bindings, pinmap, rpi
from improvbox.errors import ImprovBoxError
from improvbox.inference import store
from improvbox.stage import osc_out, soundfonts

OK, NOTE, WRONG = "ok", "note", "WRONG"
MIN_FREE_MIB = 100  # of the data folder: jams are small, a full disk is not
PYTHONS = ((3, 11), (3, 14))

# import name -> (package, what for)
PACKAGES = MappingProxyType(
    {
        "numpy": ("numpy", "all arithmetic"),
        "alsaaudio": ("pyalsaaudio", "the guitar's interface"),
        "fluidsynth": ("pyfluidsynth", "the synth"),
        "pythonosc": ("python-osc", "OSC"),
        "soundfile": ("soundfile", "sound files"),
        "soxr": ("soxr", "sound files of other rates"),
        "mido": ("mido", "MIDI files"),
    }
)
RUNTIMES = MappingProxyType({"ai_edge_litert": "ai-edge-litert", "tflite_runtime": "tflite-runtime"})
SOUND_SERVERS = ("pulseaudio", "pipewire", "jackd", "jackdbus")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    verdict: str
    """ok; note: the box plays all the same; WRONG: it cannot, or not well"""
    found: str
    do: str = ""
    """what to do about it; '' nothing"""


def examine(settings: Settings) -> Iterator[Finding]:
    """Every check of the table, in order; a check that fails itself is a finding too."""
    for name, check in CHECKS.items():
        try:
            verdict, found, *do = check(settings)
            yield Finding(name, verdict, found, do[0] if do else "")
        except ImprovBoxError as error:
            yield Finding(name, WRONG, str(error), "put right what the message names")


Result = tuple[str, ...]
"""(verdict, found) or (verdict, found, what to do)"""


def _python(settings: Settings) -> Result:
    version = ".".join(map(str, sys.version_info[:3]))
    if not PYTHONS[0] <= sys.version_info[:2] < PYTHONS[1]:
        return WRONG, f"Python {version}", "use Python 3.11, 3.12 or 3.13"
    return OK, f"Python {version} on {os.uname().machine}"


def _packages(settings: Settings) -> Result:
    missing = [
        f"{package} ({why})" for name, (package, why) in PACKAGES.items() if importlib.util.find_spec(name) is None
    ]
    if missing:
        names = " ".join(text.split()[0] for text in missing)
        return WRONG, f"not installed: {', '.join(missing)}", f"pip install {names}"
    return OK, ", ".join(f"{p} {importlib.metadata.version(p)}" for p, _ in PACKAGES.values())


def _runtime(settings: Settings) -> Result:
    here = [f"{p} {importlib.metadata.version(p)}" for name, p in RUNTIMES.items() if importlib.util.find_spec(name)]
    return (OK, here[0]) if here else (WRONG, "no TFLite runtime", "pip install ai-edge-litert")


def _model(kind: str) -> Callable[[Settings], Result]:
    def check(settings: Settings) -> Result:
        name = settings.hearing.model if kind == "pitch" else settings.band.model
        if kind == "pitch" and name == parts.NO_MODEL:
            return NOTE, "hearing.model = 'dsp': one line at a time, no chords", "name a pitch model for chords"
        findings = store.verify(store.find(name, kind, data_folder(settings.box)))
        bad = [f for f in findings if not f.ok]
        if bad:
            return WRONG, f"{name}: {bad[0].check}: {bad[0].detail}", "install the model again"
        return OK, f"{name}: {', '.join(f.check for f in findings)} right"

    return check


def _interface(settings: Settings) -> Result:
    if settings.audio.pcm:
        return OK, f"audio.pcm = {settings.audio.pcm!r}; cards: {finder.describe(finder.cards())}"
    try:
        card = finder.capture_card(settings.audio.card)
    except ImprovBoxError as error:
        return WRONG, str(error), "plug the interface in; the box waits for it. arecord -l shows what Linux sees"
    return OK, f"{card.id} ({card.name})"


def _amplifier(settings: Settings) -> Result:
    if settings.stage.pcm:
        return OK, f"stage.pcm = {settings.stage.pcm!r}"
    playing = [card.id for card in finder.cards() if card.playback]
    wanted = settings.stage.card
    if (wanted and wanted not in playing) or not playing:
        return WRONG, f"no card {wanted or 'that plays'}; cards that play: {', '.join(playing) or 'none'}", "plug it in"
    return OK, wanted or f"the guitar's interface, else {playing[0]}"


def _soundfont(settings: Settings) -> Result:
    return OK, str(soundfonts.find(settings.stage.soundfont))


def _servers(settings: Settings) -> Result:
    running = sorted({name for name in _process_names() if name in SOUND_SERVERS})
    if running:
        advice = "none is needed; where the interface is busy, stop it (systemctl --user stop NAME)"
        return NOTE, f"running: {', '.join(running)}", advice
    return OK, "none runs, none is needed"


def _process_names() -> Iterator[str]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield (folder / "comm").read_text().strip()
        except OSError:  # it has just ended
            continue


def _priority(settings: Settings) -> Result:
    if not settings.box.realtime:
        return NOTE, "box.realtime = false: not asked for", "set it to true on a box that plays on stage"
    answer: list[str] = []
    thread = threading.Thread(target=lambda: answer.append(realtime.ask_fifo(realtime.CAPTURE_PRIORITY)))
    thread.start()
    thread.join()
    if answer[0]:
        return WRONG, answer[0], "without it sound drops out when the machine is busy"
    return OK, f"SCHED_FIFO {realtime.CAPTURE_PRIORITY} allowed"


def _memory(settings: Settings) -> Result:
    soft, _ = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    if realtime.may_lock():
        return OK, "memory may be locked"
    return NOTE, f"memory may not be locked (limit {soft // 1024} KiB)", "LimitMEMLOCK=infinity in the unit"


def _governor(settings: Settings) -> Result:
    path = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    try:
        governor = path.read_text().strip()
    except OSError:
        return OK, "the CPU's speed is not ours to choose here"
    if governor != "performance":
        return NOTE, f"CPU governor {governor}", "set it to performance: no late wake-ups after silence"
    return OK, governor


def _data(settings: Settings) -> Result:
    folder = data_folder(settings.box)
    existing = next(p for p in (folder, *folder.parents) if p.exists())
    if not os.access(existing, os.W_OK):
        return WRONG, f"{folder} may not be written", "set box.data to a folder of your own, or run as its owner"
    free = shutil.disk_usage(existing).free // 2**20
    if free < MIN_FREE_MIB:
        return WRONG, f"{folder}: {free} MiB free", "delete old jams"
    return OK, f"{folder}, {free} MiB free"


def _port(settings: Settings) -> Result:
    host, port = settings.osc.listen_host, settings.osc.listen_port
    for text in settings.osc.send:
        osc_out.receiver(text)
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            try:
                status.read(data_folder(settings.box))
            except ImprovBoxError:
                return (
                    WRONG,
                    f"UDP {host}:{port}: {error.strerror}",
                    "stop the other program, or change osc.listen_port",
                )
            return OK, f"UDP {host}:{port}, in use by the running box"
    return OK, f"UDP {host}:{port} free"


def _pins(settings: Settings) -> Result:
    lines = pinmap.load(settings.controls.pinmap or None)
    bindings.load(lines, settings.controls.bindings or None)
    board, wanted = rpi.board(), settings.controls.pins
    if wanted in ("off", "fake"):
        return OK, f"controls.pins = {wanted!r}"
    if board is None:
        verdict = WRONG if wanted == "rpi" else OK
        return verdict, "no board with a header that we drive: footswitches over OSC only"
    rpi.driver()
    return OK, f"{board}: {len(lines.switches)} switches, {len(lines.knobs)} knobs"


def _running(settings: Settings) -> Result:
    try:
        table = status.read(data_folder(settings.box))
    except ImprovBoxError as error:
        return NOTE, str(error)
    health = table["health"]
    if not health["alive"]:
        return WRONG, f"the box runs and is not alive: {table['verdict']}", "journalctl -u improvbox"
    return OK, f"playing for {health['t']:.0f} s, {health['xruns']} xruns, ladder: {health['ladder']}"


CHECKS: MappingProxyType[str, Callable[[Settings], Result]] = MappingProxyType(
    {
        "python": _python,
        "packages": _packages,
        "runtime": _runtime,
        "pitch model": _model("pitch"),
        "band model": _model("band"),
        "interface": _interface,
        "amplifier": _amplifier,
        "soundfont": _soundfont,
        "sound servers": _servers,
        "priority": _priority,
        "memory": _memory,
        "governor": _governor,
        "data": _data,
        "osc": _port,
        "footswitches": _pins,
        "box": _running,
    }
)
