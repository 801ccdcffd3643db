"""What a gesture or a knob can do, read from the words of the bindings file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from improvbox.commands import VERBS, Value, parse
from improvbox.controls.strict import Table
from improvbox.errors import CommandError, SettingsError, nearest
from improvbox.events import BANDS, PLAYERS, ROLES

Targets = tuple[str, ...]

SELECTED: Targets = ("selected",)  # stands for whoever is selected when it happens

GROUPS = {"bands": BANDS}


@dataclass(frozen=True, slots=True)
class Order:
    """A command but for its time; the targets may be SELECTED."""

    targets: Targets
    verb: str
    value: Value


@dataclass(frozen=True, slots=True)
class Send:
    """All orders, one after the other."""

    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Cycle:
    """The order after the present state; the first where that is none of them. All have the same targets and verb."""

    orders: tuple[Order, ...]

    def after(self, value: Value) -> Order:
        """The order that follows `value`."""
        at = self.index(value)
        return self.orders[0 if at is None else (at + 1) % len(self.orders)]

    def index(self, value: Value) -> int | None:
        """Which order brought `value` about; None: none of them."""
        return next((i for i, order in enumerate(self.orders) if order.value == value), None)


@dataclass(frozen=True, slots=True)
class Select:
    """Whom orders to SELECTED go to: the choice after the present one."""

    choices: tuple[Targets, ...]

    def after(self, present: Targets) -> Targets:
        """The choice that follows `present`."""
        at = self.choices.index(present) + 1 if present in self.choices else 0
        return self.choices[at % len(self.choices)]


@dataclass(frozen=True, slots=True)
class Bank:
    """Another meaning of the switches."""

    name: str
    """'next', or a bank's"""


Action = Send | Cycle | Select | Bank


def targets(text: str) -> Targets:
    """'bass', 'all', 'bands', 'bass+mid' -> the targets. Raises CommandError."""
    found: list[str] = []
    for name in text.split("+"):
        if name not in ("all", *PLAYERS, *GROUPS):
            raise CommandError(f"{name!r} is nobody; {nearest(name, (*PLAYERS, 'all', *GROUPS))}")
        found += [n for n in GROUPS.get(name, (name,)) if n not in found]
    return tuple(found)


def order(text: str) -> Order:
    """'[TARGET:]COMMAND' -> an order whose value is right. Raises CommandError."""
    who, colon, what = text.rpartition(":")
    verb, _, value = what.partition("=")
    if not value and verb in ROLES:
        verb, value = "role", verb
    if verb not in VERBS:
        raise CommandError(f"{verb!r} is no command; {nearest(verb, [*VERBS, *ROLES])}")
    owners = VERBS[verb].targets
    to_players = "bass" in owners
    if not colon:
        addressed: Targets = SELECTED if to_players else owners[:1]
    else:
        addressed = targets(who) if to_players else (who,)
    probe = PLAYERS[:1] if addressed == SELECTED else addressed
    checked = [parse(target, verb, value or None, 0.0).value for target in probe]
    return Order(addressed, verb, checked[0])


def action(table: Table, key: str) -> Action | None:
    """The action under `key`; None where it is left out. Raises SettingsError."""
    if key not in table:
        return None
    value = table.content[key]
    try:
        if isinstance(value, str):
            return Send((order(value),))
        if isinstance(value, list):
            return Send(tuple(order(text) for text in table.texts(key)))
        return _table_action(table.table(key))
    except CommandError as error:
        raise table.wrong(key, f"is not right: {error}") from None


def _table_action(table: Table) -> Action:
    table.only("cycle", "select", "bank")
    if len(table.content) != 1:
        raise SettingsError(f"{table.file}: {table.place} must have one of cycle, select, bank, and one only")
    if "bank" in table:
        return Bank(table.text("bank"))
    if "select" in table:
        return Select(tuple(targets(text) for text in table.texts("select")))
    cycle = Cycle(tuple(order(text) for text in table.texts("cycle")))
    if len({(o.targets, o.verb) for o in cycle.orders}) > 1:
        raise table.wrong("cycle", "must tell the same players the same kind of thing at every step")
    return cycle


def orders_of(actions: Iterable[Action]) -> Iterator[Order]:
    """Every order that the actions may give."""
    for item in actions:
        if isinstance(item, Send | Cycle):
            yield from item.orders
