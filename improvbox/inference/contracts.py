"""What the code asks of a model's tensors, by kind and contract version: one table.

A card that names an unknown version is refused: it was made for another release. Names ending in `*` ask for at least
one tensor that begins so. Sizes are the model's own business; the card states them and the code reads them there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from improvbox.errors import ModelError
from improvbox.inference.card import Card, Tensor


@dataclass(frozen=True, slots=True)
class Entrance:
    """What a signature must at least have."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


CONTRACTS: MappingProxyType[tuple[str, int], MappingProxyType[str, Entrance]] = MappingProxyType(
    {
        ("pitch", 1): MappingProxyType(
            {"step": Entrance(("local", "levels", "past_*"), ("onset", "frame", "deviation", "release", "past_*"))}
        ),
        ("band", 1): MappingProxyType(
            {
                "core": Entrance(("x", "h*"), ("h*",)),
                "time": Entrance(("h", "z"), ("logits",)),
                "pitch": Entrance(("h", "z", "onset"), ("logits",)),
            }
        ),
    }
)


def check_contract(card: Card) -> str:
    """One line of what holds. Raises ModelError naming the signature and tensor that is missing."""
    wanted = CONTRACTS.get((card.kind, card.contract))
    if wanted is None:
        known = sorted(v for k, v in CONTRACTS if k == card.kind)
        raise ModelError(
            f"{card.name}: contract {card.contract} of kind {card.kind!r} is unknown to this release; it knows {known}"
        )
    for name, entrance in wanted.items():
        if name not in card.signatures:
            raise ModelError(
                f"{card.name}: a {card.kind} model needs the signature {name!r}; it has {', '.join(card.signatures)}"
            )
        spec = card.signatures[name]
        for side, names, tensors in (
            ("input", entrance.inputs, spec.inputs),
            ("output", entrance.outputs, spec.outputs),
        ):
            for tensor in names:
                if not _has(tensors, tensor):
                    raise ModelError(
                        f"{card.name}: signature {name!r} has no {side} {tensor!r}; it has {', '.join(tensors)}"
                    )
    return f"{card.kind} contract {card.contract}"


def _has(tensors: Mapping[str, Tensor], name: str) -> bool:
    return any(t.startswith(name[:-1]) for t in tensors) if name.endswith("*") else name in tensors
