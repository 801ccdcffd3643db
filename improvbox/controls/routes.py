"""The OSC addresses that the box understands, as one table made from the table of commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from improvbox.commands import VERBS, Verb, parse
from improvbox.errors import CommandError, nearest
from improvbox.events import Command

ROOT = "/improvbox"

MAX_TEXT = 64  # characters of an address or argument; the longest right ones have 30


@dataclass(frozen=True, slots=True)
class Route:
    """One address."""

    address: str
    target: str
    verb: str
    takes: str
    """the argument in words; '' for none"""
    help: str


def address(target: str, verb: str) -> str:
    """Where a command is sent: players live under /band, the human under /human, the box at the root."""
    if target == "box":
        return f"{ROOT}/{verb}"
    return f"{ROOT}/human/{verb}" if target == "human" else f"{ROOT}/band/{target}/{verb}"


def _route(target: str, verb: str, row: Verb) -> Route:
    return Route(address(target, verb), target, verb, row.takes, row.help)


ROUTES: Mapping[str, Route] = MappingProxyType(
    {
        address(target, verb): _route(target, verb, row)
        for verb, row in VERBS.items()
        for target in row.targets
    }
)  # fmt: skip


def command(where: str, arguments: Sequence[object], t: float, hint: bool = True) -> Command | None:
    """The Command of an OSC message, given at `t` (s). Raises CommandError.

    None for the release of a button: a single 0 to an address that takes no value, which control surfaces send after
    the 1 of the press. `hint`: an unknown address is answered with the nearest one, which takes milliseconds to find.
    """
    route = ROUTES.get(where)
    if route is None:
        known = f"; {nearest(where, ROUTES)}" if hint and len(where) <= MAX_TEXT else ""
        raise CommandError(f"no OSC address {where[:MAX_TEXT]!r}{known}")
    for argument in arguments:
        if not isinstance(argument, bool | int | float | str):
            raise CommandError(f"{where}: {type(argument).__name__} is no value; {route.takes or 'it takes none'}")
        if isinstance(argument, str) and len(argument) > MAX_TEXT:
            raise CommandError(f"{where}: a text of {len(argument)} characters; {route.takes or 'it takes none'}")
    try:
        value = _value(route, arguments)
        return None if value is _RELEASED else parse(route.target, route.verb, value, t, "osc")
    except CommandError as error:
        raise CommandError(f"{where}: {error}") from None


_RELEASED = object()


def _value(route: Route, arguments: Sequence[object]) -> object:
    if not route.takes:
        if len(arguments) == 1 and not isinstance(arguments[0], str) and arguments[0] == 0:
            return _RELEASED
        return arguments[0] if arguments else None
    if route.verb == "for" and arguments:
        return tuple(name for text in arguments for name in str(text).replace("+", ",").split(","))
    if len(arguments) != 1:
        raise CommandError(f"takes one value ({route.takes}), got {len(arguments)}")
    # OSC floats have 32 bits: 0.8 arrives as 0.800000011920929.
    return round(arguments[0], 6) if isinstance(arguments[0], float) else arguments[0]
