"""A model's card: what `model.tflite` is, takes and gives, where it comes from and how well it does.

A tensor is written as `dtype[d0,d1,...]`, e.g. `int8[1,49,19]`. A card is a TOML file:

    name = "pitch-v1"
    kind = "pitch"                 # pitch, band or drums
    contract = 1                   # version of the tensor contract of that kind
    sha256 = "..."                 # of model.tflite
    parameters = 68253
    quantization = "int8 weights and activations, float32 states"

    [signatures.step.inputs]
    features = "int8[1,49,19]"
    [signatures.step.outputs]
    onset = "int8[1,49]"

    [audio]                        # pitch: whatever the code that runs it has to know
    [vocabulary]                   # band and drums: as above
    [training]                     # command, seed, data = [{ name, licence }]
    [scores]                       # held out
    [timing]                       # measured ms a step, by board
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from improvbox.errors import ModelError, nearest

KINDS = ("pitch", "band", "drums")
MODEL_FILE = "model.tflite"
CARD_FILE = "card.toml"
DTYPES = ("float32", "float16", "int8", "uint8", "int16", "int32", "int64", "bool")

_TENSOR = re.compile(r"(\w+)\[((?:\d+(?:,\d+)*)?)\]")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Tensor:
    """One input or output of a signature."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    """a numpy dtype name, one of DTYPES"""

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class SignatureSpec:
    """One entry point of the graph: its tensors by name."""

    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True)
class Card:
    """A parsed `card.toml`. The free tables keep what they say; their readers know their keys."""

    folder: Path
    name: str
    kind: str
    """one of KINDS"""
    contract: int
    """version of the tensor contract of this kind"""
    sha256: str
    """of model.tflite, lower-case hex"""
    parameters: int
    """trained numbers"""
    quantization: str
    """in words"""
    signatures: Mapping[str, SignatureSpec]
    audio: Mapping[str, Any] = field(default_factory=dict)
    vocabulary: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    scores: Mapping[str, Any] = field(default_factory=dict)
    timing: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model_path(self) -> Path:
        return self.folder / MODEL_FILE


FREE_TABLES = ("audio", "vocabulary", "training", "scores", "timing")
_REQUIRED: dict[str, type] = {
    "name": str,
    "kind": str,
    "contract": int,
    "sha256": str,
    "parameters": int,
    "quantization": str,
    "signatures": dict,
}


def load(folder: str | Path, kind: str | None = None) -> Card:
    """The card in `folder`; `kind` is what the caller needs. Raises ModelError naming the file, key and value."""
    path = Path(folder) / CARD_FILE
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(
            f"{path}: {error.strerror or error}; a model is a folder with {MODEL_FILE} and {CARD_FILE}"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: not TOML: {error}") from None
    card = parse(table, Path(folder), str(path))
    if kind is not None and card.kind != kind:
        raise ModelError(f"{path}: kind = {card.kind!r}, but a {kind} model is wanted")
    return card


def parse(table: Mapping[str, Any], folder: Path, where: str = CARD_FILE) -> Card:
    """A Card from a parsed TOML table. Raises ModelError."""
    known = (*_REQUIRED, *FREE_TABLES)
    for key in table:
        if key not in known:
            raise ModelError(f"{where}: unknown key {key!r}; {nearest(key, known)}")
    for key, kind in _REQUIRED.items():
        if type(table.get(key)) is not kind:
            raise ModelError(f"{where}: {key} = {table.get(key)!r} must be {_WORDS[kind]}")
    for key in FREE_TABLES:
        if not isinstance(table.get(key, {}), dict):
            raise ModelError(f"{where}: {key} must be a table")
    if table["kind"] not in KINDS:
        raise ModelError(f"{where}: kind = {table['kind']!r}; {nearest(table['kind'], KINDS)}")
    if not _SHA256.fullmatch(table["sha256"]):
        raise ModelError(f"{where}: sha256 = {table['sha256']!r} must be 64 lower-case hex digits")
    signatures = {name: _signature(name, spec, where) for name, spec in table["signatures"].items()}
    if not signatures:
        raise ModelError(f"{where}: [signatures] is empty; every entry point of the graph is listed there")
    free = {key: table.get(key, {}) for key in FREE_TABLES}
    plain = {key: table[key] for key in _REQUIRED if key != "signatures"}
    return Card(folder=folder, signatures=signatures, **plain, **free)


_WORDS = {str: "a string", int: "a whole number", dict: "a table"}


def _signature(name: str, spec: Any, where: str) -> SignatureSpec:
    if not isinstance(spec, dict) or set(spec) != {"inputs", "outputs"}:
        raise ModelError(f"{where}: signatures.{name} must hold the tables inputs and outputs")
    sides = {}
    for side, tensors in spec.items():
        if not isinstance(tensors, dict):
            raise ModelError(f"{where}: signatures.{name}.{side} must be a table")
        sides[side] = {n: _tensor(n, text, f"{where}: signatures.{name}.{side}.{n}") for n, text in tensors.items()}
    return SignatureSpec(**sides)


def _tensor(name: str, text: Any, where: str) -> Tensor:
    match = _TENSOR.fullmatch(text) if isinstance(text, str) else None
    if match is None or match[1] not in DTYPES:
        raise ModelError(f"{where} = {text!r} must be dtype[shape], e.g. 'int8[1,49,19]'; dtypes: {', '.join(DTYPES)}")
    return Tensor(name, tuple(int(d) for d in match[2].split(",") if d), match[1])
