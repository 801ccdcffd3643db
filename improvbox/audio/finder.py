"""Which sound cards are here, by id. Numbers change from one start to the next; ids do not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from improvbox.errors import DeviceError, nearest

PROC = Path("/proc/asound")


@dataclass(frozen=True, slots=True)
class Card:
    """A card as the kernel lists it."""

    id: str
    """as in `hw:CARD=id`"""
    name: str
    """what the kernel calls it, for people"""
    capture: tuple[int, ...]
    """device numbers that capture, ascending"""
    playback: tuple[int, ...]
    """device numbers that play, ascending"""


def cards(proc: Path = PROC) -> list[Card]:
    """Every card, in the kernel's order; empty where there is none, or no ALSA in the kernel."""
    folders = sorted(proc.glob("card[0-9]*"), key=lambda p: int(p.name[4:]))
    return [_card(folder, proc) for folder in folders if (folder / "id").is_file()]


def capture_card(wanted: str = "", proc: Path = PROC) -> Card:
    """The card `wanted` by id, or the first that captures. Raises DeviceError naming what is here."""
    found = [card for card in cards(proc) if card.capture]
    if not wanted and found:
        return found[0]
    for card in found:
        if card.id == wanted:
            return card
    here = describe(found)
    if not wanted:
        raise DeviceError(f"no sound card that captures: {here}; plug an interface in, or name a PCM in audio.pcm")
    hint = nearest(wanted, [card.id for card in found]) if found else "plug it in"
    raise DeviceError(f"audio.card {wanted!r} is not here: {here}; {hint}")


def describe(found: list[Card]) -> str:
    """One phrase for an error message or a status line."""
    return "cards here: " + ", ".join(f"{c.id} ({c.name})" for c in found) if found else "no such card is connected"


def _card(folder: Path, proc: Path) -> Card:
    card_id = (folder / "id").read_text().strip()
    return Card(card_id, _name(folder, proc) or card_id, _devices(folder, "c"), _devices(folder, "p"))


def _devices(folder: Path, direction: str) -> tuple[int, ...]:
    """From folders such as pcm0c, pcm1p."""
    return tuple(sorted(int(p.name[3:-1]) for p in folder.glob(f"pcm[0-9]*{direction}")))


def _name(folder: Path, proc: Path) -> str:
    """From a line such as ` 1 [Scarlett       ]: USB-Audio - Scarlett Solo USB`."""
    try:
        lines = (proc / "cards").read_text().splitlines()
    except OSError:
        return ""
    number = folder.name[4:]
    for line in lines:
        head, separator, tail = line.partition("]:")
        if separator and head.split("[")[0].strip() == number:
            return tail.partition(" - ")[2].strip() or tail.strip()
    return ""
