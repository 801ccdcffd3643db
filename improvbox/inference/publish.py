"""Makes a model folder from a converted graph: what training calls last."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from improvbox.inference import card as cards
from improvbox.inference.card import CARD_FILE, MODEL_FILE, Card
from improvbox.inference.interpreter import Interpreter
from improvbox.inference.store import sha256


def publish(
    folder: str | Path,
    graph: bytes,
    *,
    kind: str,
    contract: int,
    parameters: int,
    quantization: str,
    tables: Mapping[str, Mapping[str, Any]],
) -> Card:
    """Writes `model.tflite` and `card.toml` into `folder`, whose name is the model's. Returns the card as read back.

    Tensors and hash are taken from the graph itself. `tables`: the free tables of the card (audio, vocabulary,
    training, scores, timing). Raises ModelError.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / MODEL_FILE, graph)
    signatures = {
        name: {
            "inputs": {n: str(t) for n, t in s.inputs.items()},
            "outputs": {n: str(t) for n, t in s.outputs.items()},
        }
        for name, s in Interpreter(folder / MODEL_FILE).start().signatures.items()
    }
    card = {
        "name": folder.name,
        "kind": kind,
        "contract": contract,
        "sha256": sha256(folder / MODEL_FILE),
        "parameters": parameters,
        "quantization": quantization,
        "signatures": signatures,
        **tables,
    }
    cards.parse(card, folder, str(folder / CARD_FILE))
    _replace(folder / CARD_FILE, _toml(card).encode())
    return cards.load(folder, kind)


def rewrite_tables(folder: str | Path, tables: Mapping[str, Mapping[str, Any]]) -> Card:
    """Replaces whole free tables of a card, e.g. [scores] after scoring, and keeps everything else."""
    card = cards.load(folder)
    signatures = {
        name: {
            side: {n: str(t) for n, t in tensors.items()}
            for side, tensors in (("inputs", s.inputs), ("outputs", s.outputs))
        }
        for name, s in card.signatures.items()
    }
    plain = {k: getattr(card, k) for k in ("name", "kind", "contract", "sha256", "parameters", "quantization")}
    free = {k: tables.get(k, getattr(card, k)) for k in cards.FREE_TABLES}
    table = {**plain, "signatures": signatures, **{k: v for k, v in free.items() if v}}
    cards.parse(table, card.folder, str(card.folder / CARD_FILE))
    _replace(card.folder / CARD_FILE, _toml(table).encode())
    return cards.load(folder)


def _replace(path: Path, content: bytes) -> None:
    """Old or new, never half: temp, fsync, rename."""
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _toml(table: Mapping[str, Any], prefix: str = "") -> str:
    """TOML of nested tables with strings, numbers, booleans and lists (of those, or of tables)."""
    plain = [f"{_key(k)} = {_value(v)}" for k, v in table.items() if not isinstance(v, Mapping)]
    text = "\n".join(plain) + "\n" if plain else ""
    for key, value in table.items():
        if isinstance(value, Mapping):
            name = f"{prefix}.{_key(key)}" if prefix else _key(key)
            header = f"\n[{name}]\n" if any(not isinstance(v, Mapping) for v in value.values()) else ""
            text += header + _toml(value, name)
    return text


def _key(key: str) -> str:
    return key if key and all(c.isascii() and (c.isalnum() or c in "_-") for c in key) else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(k)} = {_value(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_value(v) for v in value) + "]"
    if isinstance(value, int | float):
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False)
