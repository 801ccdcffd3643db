"""What the band can be told, as one table. Footswitches, knobs, OSC, cues and settings all go through `parse`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from improvbox.errors import CommandError, nearest
from improvbox.events import BANDS, CONTROLS, PARTS, PLAYERS, ROLES, Command
from improvbox.tempo import MAX_BPM, MIN_BPM

Value = str | float | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Verb:
    """One row: who can be told, what value it takes, and what a reader should know."""

    targets: tuple[str, ...]
    check: Callable[[object], Value]
    takes: str
    help: str


def _one_of(*names: str) -> Callable[[object], Value]:
    def check(value: object) -> Value:
        if value not in names:
            raise CommandError(f"{value!r} is not known; {nearest(str(value), names)}")
        return str(value)

    return check


def _number(low: float, high: float) -> Callable[[object], Value]:
    def check(value: object) -> Value:
        try:
            number = float(value)  # type: ignore[arg-type]  # anything float() refuses is refused below
        except (TypeError, ValueError):
            number = math.nan
        if not low <= number <= high:  # NaN fails too
            raise CommandError(f"{value!r} is not a number in {low:g}..{high:g}")
        return number

    return check


def _listeners(value: object) -> Value:
    names = value if isinstance(value, tuple | list) else str(value).replace("+", ",").split(",")
    for name in names:
        if name not in PARTS:
            raise CommandError(f"{name!r} is no part to listen to; {nearest(str(name), PARTS)}")
    return tuple(str(n) for n in names)


def _sound(value: object) -> Value:
    if isinstance(value, str) and not value.isdigit() and value:
        return value  # a name; the stage knows which
    return _number(0, 127)(value)


def _nothing(value: object) -> Value:
    if value not in (None, "", 1, 1.0, "1", True):
        raise CommandError(f"{value!r}: this command takes no value")
    return None


_ALL = (*PLAYERS, "all")
_BOX = ("box",)

VERBS: MappingProxyType[str, Verb] = MappingProxyType(
    {
        "role": Verb(_ALL, _one_of(*ROLES), " | ".join(ROLES), "what the player does until told otherwise"),
        "density": Verb(_ALL, _number(0, 1), "0..1", "simple, sparse .. busy"),
        "order": Verb(_ALL, _number(0, 1), "0..1", "chaotic .. orderly"),
        "variation": Verb(_ALL, _number(0, 1), "0..1", "echoes you .. strays from you"),
        "texture": Verb(_ALL, _number(0, 1), "0..1", "harmonic .. contrapuntal"),
        "level": Verb(_ALL, _number(0, 1), "0..1", "silent .. loud"),
        "for": Verb(_ALL, _listeners, "human,bass,mid,high,drums", "whom the player listens to"),
        "sound": Verb(_ALL, _sound, "name or General MIDI program 0..127", "the player's sound"),
        "band": Verb(("human",), _one_of("auto", *BANDS), "auto | bass | mid | high", "the human's band"),
        "tempo": Verb(_BOX, _number(MIN_BPM, MAX_BPM), f"{MIN_BPM:.0f}..{MAX_BPM:.0f}", "beats a minute"),
        "tap": Verb(_BOX, _nothing, "", "one tap of the tempo"),
        "time": Verb(_BOX, _one_of("auto", "free", "metered"), "auto | free | metered", "which rhythmic world"),
        "return": Verb(_BOX, _nothing, "", "players in takeover answer now, on the next beat when there is one"),
        "panic": Verb(_BOX, _nothing, "", "every note ends at once"),
        "state": Verb(_BOX, _nothing, "", "asks for the state of every player"),
    }
)

# `accompany` is also a verb of its own in cues and bindings: `0:bass:accompany` means role=accompany.
_SHORTHAND = MappingProxyType({role: ("role", role) for role in ROLES})


def parse(target: str, verb: str, value: object, t: float, source: str = "api") -> Command:
    """A validated Command. Raises CommandError naming the wrong word and the nearest right one."""
    if value is None and verb in _SHORTHAND:
        verb, value = _SHORTHAND[verb]
    row = VERBS.get(verb)
    if row is None:
        raise CommandError(f"{verb!r} is no command; {nearest(verb, [*VERBS, *ROLES])}")
    if target not in row.targets:
        raise CommandError(f"{target!r} cannot take {verb!r}; {nearest(target, row.targets)}")
    try:
        return Command(target, verb, row.check(value), t, source)
    except CommandError as error:
        raise CommandError(f"{verb}: {error}") from None


def parse_cue(text: str) -> Command:
    """`TIME:PART:COMMAND` where COMMAND is a role, `verb=value` or a verb without a value.

    `human:` also takes the verbs of the box, so `30:human:tempo=96` works as a user would write it.
    """
    pieces = text.split(":", 2)
    if len(pieces) != 3:
        raise CommandError(f"cue {text!r} is not TIME:PART:COMMAND, e.g. 12.5:high:fight or 20:mid:density=0.8")
    when, target, what = pieces
    try:
        t = float(when)
    except ValueError:
        t = math.nan
    if not 0 <= t < math.inf:
        raise CommandError(f"cue {text!r}: {when!r} is not a time in seconds, 0 or more")
    verb, _, value = what.partition("=")
    if target == "human" and verb in VERBS and VERBS[verb].targets == _BOX:
        target = "box"
    try:
        return parse(target, verb, value or None, t, "cue")
    except CommandError as error:
        raise CommandError(f"cue {text!r}: {error}") from None


def players(target: str) -> tuple[str, ...]:
    """The players that a target names."""
    return PLAYERS if target == "all" else (target,)


__all__ = ["CONTROLS", "VERBS", "Verb", "parse", "parse_cue", "players"]
