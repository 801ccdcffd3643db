"""The OSC space, as tables: what the box sends, and what it hears (made from the table of commands).

`python -m improvbox.stage.osc_space > docs/osc.md` writes the documentation; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

from improvbox.commands import VERBS
from improvbox.events import PARTS, PLAYERS
from improvbox.stage.sounds import CHANNELS

TYPES = MappingProxyType({"i": "int32", "h": "int64", "f": "float32", "s": "string", "fN": "float32 or nil"})

_CHANNEL = ("channel", "i", ", ".join(f"{part} {channel}" for part, channel in CHANNELS.items()))
_KEY = ("key", "i", "MIDI number 0..127")
_VELOCITY = ("velocity", "i", "1..127")
_PART = ("part", "s", " \\| ".join(PARTS))
_PLAYER = ("part", "s", " \\| ".join(PLAYERS))
_ID = ("id", "i", "unique within the part")
_PITCH = ("pitch", "f", "MIDI number; fractional for the human")


@dataclass(frozen=True, slots=True)
class Address:
    """One message that the box sends."""

    arguments: tuple[tuple[str, str, str], ...]
    """(name, type tag, meaning) each"""
    meaning: str

    @property
    def tags(self) -> tuple[str, ...]:
        return tuple(tag for _, tag, _ in self.arguments)


OUT: MappingProxyType[str, Address] = MappingProxyType(
    {
        "/gm/note": Address(
            (
                _CHANNEL,
                _KEY,
                _VELOCITY,
                ("duration_s", "f", "as planned; `/gm/off` comes all the same, perhaps sooner"),
            ),
            "a player's note begins",
        ),
        "/gm/off": Address((_CHANNEL, _KEY), "a player's note ends"),
        "/gm/program": Address((_CHANNEL, ("program", "i", "General MIDI program 0..127")), "a player's sound"),
        "/gm/bend": Address(
            (_CHANNEL, ("cents", "f", "from the key, 0 is none")), "bend of all that the channel sounds"
        ),
        "/gm/cc": Address(
            (_CHANNEL, ("number", "i", "0..127"), ("value", "i", "0..127")),
            "a controller: 7 is a player's level, 120 and 123 are panic",
        ),
        "/improvbox/note": Address((_PART, _ID, _PITCH, _VELOCITY), "a note begins, the human's included"),
        "/improvbox/note/off": Address((_PART, _ID), "a note ends"),
        "/improvbox/bend": Address(
            (_PART, _ID, ("cents", "f", "against the pitch of its note")), "a sounding note moved"
        ),
        "/improvbox/plan": Address(
            (
                _PLAYER,
                ("onset_in_s", "f", "from now"),
                ("pitch", "i", "MIDI number"),
                _VELOCITY,
                ("duration_s", "f", "s"),
            ),
            "a note that a player means to play; may be replaced",
        ),
        "/improvbox/beat": Address(
            (
                ("bar", "i", "from 0"),
                ("beat", "i", "within the bar, from 0"),
                ("tempo_bpm", "f", "beats a minute"),
                ("confidence", "f", "0..1"),
            ),
            "a beat falls now (metered time only)",
        ),
        "/improvbox/command": Address(
            (("target", "s", "player, all, human or box"), ("verb", "s", "see below"), ("value", "s", "'' for none")),
            "a command was carried out, wherever it came from",
        ),
        "/improvbox/state": Address(
            (("part", "s", "player, human or box"), ("name", "s", "role, density, ..."), ("value", "s", "as text")),
            "one item of the answer to `/improvbox/state`",
        ),
        "/improvbox/health": Address(
            (
                ("alive", "i", "1: frames advance, heartbeats are fresh, the synth lives"),
                ("frames", "h", "captured since the start"),
                ("xruns", "i", "since the start"),
                ("hearing", "s", "model \\| model half rate \\| dsp"),
                ("ladder", "s", "step of the degradation ladder; full: nothing is degraded"),
                ("cause", "s", "why; '' at the top"),
            ),
            "about once a second",
        ),
        "/improvbox/health/stage": Address(
            (
                ("stage", "s", "capture, hearing, band, stage, command, synth"),
                ("p50_ms", "fN", "nil: not measured, which is not zero"),
                ("p99_ms", "fN", "as above"),
                ("max_ms", "fN", "as above"),
                ("budget_ms", "f", "what it may take"),
                ("over_budget", "i", "times over budget since the start"),
            ),
            "one stage of the way from string to speaker, with each health message",
        ),
    }
)


def incoming() -> dict[str, tuple[str, str]]:
    """address pattern -> (what it takes, meaning), one row a verb."""
    rows = {}
    for verb, row in VERBS.items():
        where = "" if row.targets == ("box",) else "human/" if row.targets == ("human",) else "band/PLAYER/"
        rows[f"/improvbox/{where}{verb}"] = (row.takes.replace("|", "\\|") or "–", row.help)
    return rows


_HEAD = """# OSC

<!-- Made by `python -m improvbox.stage.osc_space > docs/osc.md` from the tables in the code. -->

UDP, one message a packet. Times are seconds, pitches MIDI numbers, channels count from 0. Types: {types}.

## What the box sends

To every `HOST:PORT` of `osc.send` in the settings. `/gm/…` is General MIDI over OSC: enough to drive any synth.
`/improvbox/…` is the music itself, for eyes, lights and other programs. A receiver that is not there costs nothing and
is not waited for.

| address | arguments | when |
|---|---|---|
"""

_MIDDLE = """
## What the box hears

On `osc.listen_host` and `osc.listen_port`; loopback only, unless `osc.allow` lists the peers. PLAYER is one of
{players}. The same commands as footswitches, knobs and cues; what is wrong is refused and counted, never fatal.

| address | value | meaning |
|---|---|---|
"""


def document() -> str:
    """docs/osc.md."""
    lines = []
    for address, row in OUT.items():
        arguments = "<br>".join(f"`{name}` {tag[0]}: {meaning}" for name, tag, meaning in row.arguments)
        lines.append(f"| `{address}` | {arguments} | {row.meaning} |")
    heard = [f"| `{address}` | {takes} | {meaning} |" for address, (takes, meaning) in incoming().items()]
    types = ", ".join(f"{tag} {name}" for tag, name in TYPES.items() if tag != "fN")
    players = ", ".join((*PLAYERS, "all"))
    return _HEAD.format(types=types) + "\n".join(lines) + "\n" + _MIDDLE.format(players=players) + "\n".join(heard)


if __name__ == "__main__":
    print(document())
