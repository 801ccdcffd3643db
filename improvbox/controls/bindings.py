"""The bindings file: which gesture and which knob does what, in banks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import improvbox
from improvbox.controls.actions import SELECTED, Action, Bank, Select, Targets, action, targets
from improvbox.controls.gestures import GESTURES, Wants
from improvbox.controls.pinmap import PinMap
from improvbox.controls.strict import Table, read
from improvbox.errors import CommandError, SettingsError, nearest
from improvbox.events import CONTROLS


@dataclass(frozen=True, slots=True)
class Binding:
    """What one switch, or two at once, does."""

    label: str
    """a word for the card"""
    actions: Mapping[str, Action]
    """by gesture"""
    at_once: bool = False
    """the press acts on the down edge although something longer is bound"""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one knob moves."""

    targets: Targets
    control: str
    """one of CONTROLS"""


@dataclass(frozen=True, slots=True)
class Bindings:
    """The whole file."""

    file: str
    select: Targets
    """who is selected at power-on"""
    banks: Mapping[str, Mapping[tuple[str, ...], Binding]]
    """name -> switches -> binding; the first bank is the one at power-on"""
    knobs: Mapping[str, Turn]

    def wants(self, bank: str, switches: tuple[str, ...]) -> dict[str, Wants]:
        """What the recognizer has to wait for in a bank, for every switch of the board."""
        bound = self.banks[bank]
        pairs = [pair for pair in bound if len(pair) == 2]
        return {
            name: _wants(bound.get((name,)), {n for pair in pairs if name in pair for n in pair} - {name})
            for name in switches
        }


def _wants(binding: Binding | None, partners: set[str]) -> Wants:
    if binding is None:
        return Wants(partners=frozenset(partners))
    longer = binding.actions.keys()
    return Wants("hold" in longer, "double" in longer, frozenset(partners), binding.at_once)


def shipped() -> Path:
    """The bindings file inside the package."""
    return Path(improvbox.__file__).parent / "data" / "bindings.toml"


def load(pinmap: PinMap, path: str | Path | None = None) -> Bindings:
    """The bindings of a file, for the switches and knobs of a pin map; None or '': the shipped ones.

    Raises InputFileError, or SettingsError naming the file, the key and the nearest right word.
    """
    top = read(path or shipped()).only("select", "knobs", "bank").need("bank")
    banks = {name: _bank(table, pinmap) for name, table in top.table("bank").tables()}
    if not banks:
        raise SettingsError(f"{top.file}: bank must have at least one table, e.g. [bank.band.fs1]")
    made = Bindings(
        file=top.file,
        select=_targets(top, "select", top.text("select", "bands")),
        banks=MappingProxyType(banks),
        knobs=_knobs(top.table("knobs").only(*pinmap.knobs)),
    )
    for name, bank in banks.items():
        for switches, binding in bank.items():
            for gesture, what in binding.actions.items():
                if isinstance(what, Bank) and what.name not in ("next", *banks):
                    key = f"bank.{name}.{'+'.join(switches)}.{gesture}.bank"
                    raise SettingsError(
                        f"{top.file}: {key} = {what.name!r} is no bank; {nearest(what.name, ('next', *banks))}"
                    )
    return made


def _bank(table: Table, pinmap: PinMap) -> Mapping[tuple[str, ...], Binding]:
    bound: dict[tuple[str, ...], Binding] = {}
    for key, switch in table.tables():
        names = tuple(sorted(key.split("+"), key=list(pinmap.switches).index if _known(key, pinmap) else None))
        if not _known(key, pinmap) or len(names) > 2 or len(set(names)) != len(names):
            pairs = " or two of them joined by +"
            raise SettingsError(
                f"{table.file}: unknown switch {table.key(key)!r}; {nearest(key, pinmap.switches)}{pairs}"
            )
        gestures = GESTURES if len(names) == 1 else GESTURES[:1]
        switch.only("label", "at_once", *gestures)
        actions = {g: found for g in gestures if (found := action(switch, g)) is not None}
        bound[names] = Binding(switch.text("label"), MappingProxyType(actions), switch.flag("at_once"))
    return MappingProxyType(bound)


def _known(key: str, pinmap: PinMap) -> bool:
    return all(name in pinmap.switches for name in key.split("+"))


def _targets(table: Table, key: str, text: str) -> Targets:
    try:
        return targets(text)
    except CommandError as error:
        raise table.wrong(key, f"is not right: {error}") from None


def _knobs(table: Table) -> Mapping[str, Turn]:
    turns = {}
    for name in table:
        who, colon, control = table.text(name).rpartition(":")
        if control not in CONTROLS:
            raise table.wrong(name, f"is no control; {nearest(control, CONTROLS)}")
        turns[name] = Turn(_targets(table, name, who) if colon else SELECTED, control)
    return MappingProxyType(turns)


__all__ = ["Binding", "Bindings", "Select", "Turn", "load", "shipped"]
