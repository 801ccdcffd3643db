"""Settings: one TOML file, every key documented here once; `improvbox config show` prints that documentation.

A key is a dataclass field whose metadata say what it means and what is allowed. An unknown key is an error that
names the nearest known one.
"""

from __future__ import annotations

import dataclasses
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from improvbox.errors import InputFileError, SettingsError, nearest
from improvbox.events import BANDS, PLAYERS, ROLES

INSTRUMENTS = ("guitar", "seven-string", "bass")


def _key(default: Any, doc: str, *, choices: tuple | None = None, low: float | None = None, high: float | None = None):
    meta = {"doc": doc, "choices": choices, "low": low, "high": high}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=meta)
    return field(default=default, metadata=meta)


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """The guitar's interface."""

    card: str = _key("", "ALSA card id as in /proc/asound/cards (never a number); empty: the first card that captures")
    pcm: str = _key("", "full ALSA name instead of a card, e.g. 'iface'; for servers and plugins")
    period_frames: int = _key(64, "frames a period; 128 for weak interfaces", choices=(64, 128, 256))
    periods: int = _key(
        8, "periods in the capture buffer: how late the reader may be; no part of the delay", low=2, high=16
    )
    channel: int = _key(1, "which input channel the guitar is in, from 1", low=1, high=32)


@dataclass(frozen=True, slots=True)
class HearingSettings:
    """What is heard and how."""

    model: str = _key("pitch-v1", "name of the installed pitch model, or 'dsp' for none")
    instrument: str = _key("guitar", "its range: guitar D2-E6, seven-string B1-E6, bass B0-G4", choices=INSTRUMENTS)
    hop_frames: int = _key(128, "128: best timing; 256: half the work (Pi 4)", choices=(128, 256))
    threshold: float = _key(
        0.93, "onset probability of a note; higher: fewer false ones, 3 ms later", low=0.3, high=0.99
    )


@dataclass(frozen=True, slots=True)
class PlayerSettings:
    """One player at power-on."""

    role: str = _key("accompany", "what it does until told otherwise", choices=ROLES)
    density: float = _key(0.5, "simple .. busy", low=0, high=1)
    order: float = _key(0.7, "chaotic .. orderly", low=0, high=1)
    variation: float = _key(0.5, "echoes you .. strays from you", low=0, high=1)
    texture: float = _key(0.4, "harmonic .. contrapuntal", low=0, high=1)
    level: float = _key(0.7, "silent .. loud", low=0, high=1)
    program: int = _key(0, "General MIDI program", low=0, high=127)


def _player(program: int, **kw: Any) -> Any:
    return field(default_factory=lambda: PlayerSettings(program=program, **kw))


@dataclass(frozen=True, slots=True)
class BandSettings:
    """The band."""

    model: str = _key("band-v1", "name of the installed event model")
    human: str = _key("auto", "the human's band", choices=("auto", *BANDS))
    time: str = _key("auto", "rhythmic world", choices=("auto", "free", "metered"))
    tempo_bpm: float = _key(0.0, "fixed tempo; 0: found from the guitar or by tapping", low=0, high=300)
    memory_s: float = _key(600.0, "how much of the session players remember", low=30, high=7200)
    commit_ms: float = _key(40.0, "how long before it sounds a note can no longer change", low=30, high=60)
    seed: int = _key(0, "same seed and input: same notes; 0 live: a new one each start", low=0)
    bass: PlayerSettings = _player(33)
    mid: PlayerSettings = _player(4)
    high: PlayerSettings = _player(11)
    drums: PlayerSettings = _player(0, role="rest")


@dataclass(frozen=True, slots=True)
class StageSettings:
    """The onboard synthesiser."""

    soundfont: str = _key("", "path of a SoundFont; empty: the first that Debian packages install")
    card: str = _key("", "ALSA card id of the amplifier; empty: the guitar's interface")
    pcm: str = _key("", "full ALSA name instead of a card")
    period_frames: int = _key(64, "frames a period", choices=(64, 128, 256))
    periods: int = _key(2, "periods", low=2, high=4)
    gain: float = _key(0.6, "loudness of the band", low=0, high=2)
    polyphony: int = _key(48, "voices", low=16, high=256)


@dataclass(frozen=True, slots=True)
class OscSettings:
    """OSC in and out."""

    listen_host: str = _key("127.0.0.1", "interface to listen on; anything but loopback also needs `allow`")
    listen_port: int = _key(9000, "UDP port for commands; 0: any free one", low=0, high=65535)
    send: list[str] = _key(["127.0.0.1:9001"], "HOST:PORT of each receiver of notes, beat and health")
    allow: list[str] = _key([], "addresses that may send commands beside loopback")


@dataclass(frozen=True, slots=True)
class ControlSettings:
    """Footswitches and knobs."""

    pins: str = _key(
        "auto", "auto: real pins on a board that has them, else none", choices=("auto", "rpi", "fake", "off")
    )
    pinmap: str = _key("", "pin file; empty: the shipped hardware/pinmap.toml")
    bindings: str = _key("", "bindings file; empty: the shipped one")


@dataclass(frozen=True, slots=True)
class BoxSettings:
    """The box itself."""

    realtime: bool = _key(True, "ask for SCHED_FIFO and locked memory; says so where it may not have them")
    data: str = _key("", "folder for jams, models, status; empty: /var/lib/improvbox, or ~/.local/share/improvbox")
    record: bool = _key(True, "keep every session as notes and MIDI under the data folder")


@dataclass(frozen=True, slots=True)
class Settings:
    """All of it. `load` makes one from a file, `Settings()` is the shipped default."""

    audio: AudioSettings = field(default_factory=AudioSettings)
    hearing: HearingSettings = field(default_factory=HearingSettings)
    band: BandSettings = field(default_factory=BandSettings)
    stage: StageSettings = field(default_factory=StageSettings)
    osc: OscSettings = field(default_factory=OscSettings)
    controls: ControlSettings = field(default_factory=ControlSettings)
    box: BoxSettings = field(default_factory=BoxSettings)

    def player(self, name: str) -> PlayerSettings:
        """The settings of one of PLAYERS."""
        if name not in PLAYERS:
            raise SettingsError(f"no player {name!r}; {nearest(name, PLAYERS)}")
        player: PlayerSettings = getattr(self.band, name)
        return player


def load(path: str | Path | None) -> Settings:
    """Settings from a TOML file; None: the defaults. Raises InputFileError or SettingsError."""
    if path is None:
        return Settings()
    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror or error}; give a readable TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
    return build(table, str(path))


def build(table: dict[str, Any], where: str = "settings") -> Settings:
    """Settings from a nested dict. Raises SettingsError that names the key, the value and what is allowed."""
    made: Settings = _build(Settings, table, where, "")
    return made


def _build(cls: Any, table: Any, where: str, prefix: str) -> Any:
    if not isinstance(table, dict):
        raise SettingsError(f"{where}: [{prefix}] must be a table, not {table!r}")
    fields = {f.name: f for f in dataclasses.fields(cls)}
    hints = get_type_hints(cls)
    values = {}
    for name, value in table.items():
        key = f"{prefix}.{name}" if prefix else name
        if name not in fields:
            raise SettingsError(f"{where}: unknown key {key!r}; {nearest(name, fields)}")
        kind = hints[name]
        values[name] = (
            _build(kind, value, where, key)
            if dataclasses.is_dataclass(kind)
            else _checked(fields[name], kind, value, where, key)
        )
    return cls(**values)


def _checked(spec: dataclasses.Field, kind: Any, value: Any, where: str, key: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    base = list if kind == list[str] else kind
    if type(value) is not base or (base is list and not all(isinstance(v, str) for v in value)):
        raise SettingsError(f"{where}: {key} = {value!r} must be {_kind_name(base)}")
    choices, low, high = (spec.metadata[k] for k in ("choices", "low", "high"))
    if choices is not None and value not in choices:
        raise SettingsError(f"{where}: {key} = {value!r}; {nearest(str(value), map(str, choices))}")
    if (low is not None and not value >= low) or (high is not None and not value <= high):
        raise SettingsError(f"{where}: {key} = {value!r} must be {allowed(spec)}")
    return value


def _kind_name(kind: type) -> str:
    return {
        str: "a string",
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        list: "a list of strings",
    }[kind]


def allowed(spec: dataclasses.Field) -> str:
    """What a key may be, in words; '' where its type says it all."""
    choices, low, high = (spec.metadata[k] for k in ("choices", "low", "high"))
    if choices is not None:
        return " | ".join(str(c) for c in choices)
    if low is not None and high is not None:
        return f"{low:g}..{high:g}"
    return f"{low:g} or more" if low is not None else ""


def to_toml(settings: Settings | None = None) -> str:
    """The settings as TOML, every key with its comment; the default ones make the documented sample file."""
    lines: list[str] = ["# ImprovBox settings. Every key may be left out; what stands here is what it then is."]
    _write(settings or Settings(), "", lines)
    return "\n".join(lines) + "\n"


def _write(table: Any, prefix: str, lines: list[str]) -> None:
    nested = []
    if prefix:
        doc = (type(table).__doc__ or "").strip()
        lines.extend(["", f"[{prefix}]  # {doc}"])
    for spec in dataclasses.fields(table):
        value = getattr(table, spec.name)
        if dataclasses.is_dataclass(value):
            nested.append((spec.name, value))
            continue
        may = allowed(spec)
        lines.append(f"{spec.name} = {_literal(value)}  # {spec.metadata['doc']}" + (f" ({may})" if may else ""))
    for name, value in nested:
        _write(value, f"{prefix}.{name}" if prefix else name, lines)


def _literal(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(_literal(v) for v in value) + "]"
    return repr(value)
