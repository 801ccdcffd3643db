"""Where models are (shipped inside the package, installed under the data folder) and whether they are whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import improvbox
from improvbox.errors import ImprovBoxError, ModelError, nearest
from improvbox.inference import card as cards
from improvbox.inference.card import CARD_FILE, Card
from improvbox.inference.contracts import check_contract
from improvbox.inference.interpreter import Interpreter

SHIPPED = Path(improvbox.__file__).parent / "data" / "models"


@dataclass(frozen=True, slots=True)
class Entry:
    """A model that the store knows."""

    name: str
    folder: Path
    shipped: bool
    """came with the package; False: installed under the data folder"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One check of `verify`."""

    check: str
    """card, hash, load, tensors, contract, step"""
    ok: bool
    detail: str
    """what was found; on failure also what would be right"""


def listing(data: Path | None = None) -> list[Entry]:
    """Every model folder, by name; an installed model hides the shipped one of its name. `data`: the data folder."""
    found = {e.name: e for e in _entries(SHIPPED, True)}
    if data is not None:
        found.update({e.name: e for e in _entries(data / "models", False)})
    return [found[name] for name in sorted(found)]


def _entries(root: Path, shipped: bool) -> list[Entry]:
    if not root.is_dir():
        return []
    return [Entry(p.name, p, shipped) for p in sorted(root.iterdir()) if (p / CARD_FILE).is_file()]


def find(name_or_folder: str | Path, kind: str | None = None, data: Path | None = None) -> Path:
    """The folder of a model by name, or the folder itself. Raises ModelError with the names there are.

    With `kind`, the model is about to be used: one of another kind, or whose file is not as its card says, is refused.
    """
    if "/" in str(name_or_folder) or Path(name_or_folder, CARD_FILE).is_file():
        folder = Path(name_or_folder)
        if not folder.is_dir():
            raise ModelError(f"{folder}: no such folder; a model is a folder with {cards.MODEL_FILE} and {CARD_FILE}")
    else:
        entries = {e.name: e.folder for e in listing(data)}
        if str(name_or_folder) not in entries:
            known = nearest(str(name_or_folder), entries) if entries else "none is installed"
            raise ModelError(f"no model {str(name_or_folder)!r}; {known}")
        folder = entries[str(name_or_folder)]
    if kind is not None:
        _check_hash(cards.load(folder, kind))
    return folder


def open_checked(folder: str | Path, kind: str | None = None) -> tuple[Card, Interpreter]:
    """Card and started interpreter of a model that is whole: hash, tensors and contract hold. Raises ModelError."""
    card = cards.load(folder, kind)
    _check_hash(card)
    interpreter = Interpreter(card.model_path).start()
    _check_tensors(card, interpreter)
    check_contract(card)
    return card, interpreter


def verify(folder: str | Path) -> list[Finding]:
    """Every check in order, stopping at the first that fails: what comes after it would mean nothing."""
    findings: list[Finding] = []
    held: dict[str, Card | Interpreter] = {}

    def card() -> Card:
        return held["card"]  # type: ignore[return-value]

    def interpreter() -> Interpreter:
        return held["interpreter"]  # type: ignore[return-value]

    def load_card() -> str:
        held["card"] = cards.load(folder)
        return f"{card().name}, kind {card().kind}, contract {card().contract}"

    def load_graph() -> str:
        held["interpreter"] = Interpreter(card().model_path).start()
        return f"{card().model_path.stat().st_size} bytes on {interpreter().runtime}"

    checks: tuple[tuple[str, Callable[[], str]], ...] = (
        ("card", load_card),
        ("hash", lambda: _check_hash(card())),
        ("load", load_graph),
        ("tensors", lambda: _check_tensors(card(), interpreter())),
        ("contract", lambda: check_contract(card())),
        ("step", lambda: _check_step(interpreter())),
    )
    for name, check in checks:
        try:
            findings.append(Finding(name, True, check()))
        except ImprovBoxError as error:
            findings.append(Finding(name, False, str(error)))
            break
    return findings


def sha256(path: Path) -> str:
    """Of a file, lower-case hex. Raises ModelError when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from None


def _check_hash(card: Card) -> str:
    found = sha256(card.model_path)
    if found != card.sha256:
        raise ModelError(
            f"{card.model_path}: sha256 is {found[:12]}..., its card says {card.sha256[:12]}...; copy the model again"
        )
    return found


def _check_tensors(card: Card, interpreter: Interpreter) -> str:
    """The card and the graph name the same tensors."""
    where = f"{card.folder / CARD_FILE}: signatures"
    graph = interpreter.signatures
    if set(graph) != set(card.signatures):
        raise ModelError(f"{where} are {', '.join(sorted(card.signatures))}; the graph has {', '.join(sorted(graph))}")
    count = 0
    for name, spec in card.signatures.items():
        for side, said, found in (
            ("inputs", spec.inputs, graph[name].inputs),
            ("outputs", spec.outputs, graph[name].outputs),
        ):
            for tensor in sorted(set(said) | set(found)):
                if said.get(tensor) != found.get(tensor):
                    raise ModelError(
                        f"{where}.{name}.{side}.{tensor} is {said.get(tensor)}; the graph has {found.get(tensor)}"
                    )
                count += 1
    return f"{count} tensors in {len(graph)} signature{'s' if len(graph) > 1 else ''}"


def _check_step(interpreter: Interpreter) -> str:
    """Every signature runs once, and what comes out is numbers."""
    for name, signature in interpreter.signatures.items():
        for tensor, array in signature.run(signature.zeros()).items():
            if not np.isfinite(array.astype(np.float64)).all():
                raise ModelError(f"{interpreter.path}: {name}.{tensor} is not finite after one step from zeros")
    return ", ".join(interpreter.signatures)
