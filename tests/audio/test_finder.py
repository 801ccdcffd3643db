"""Cards by id, from the kernel's own listing."""

from __future__ import annotations

from pathlib import Path

import pytest

from improvbox.audio.finder import capture_card, cards
from improvbox.errors import DeviceError

LISTING = """\
 0 [Headphones     ]: bcm2835_headpho - bcm2835 Headphones
                      bcm2835 Headphones
 1 [M2             ]: USB-Audio - M2
                      MOTU M2 at usb-0000:01:00.0-1.3, high speed
10 [Solo           ]: USB-Audio - Scarlett Solo USB
                      Focusrite Scarlett Solo USB
"""


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "cards").write_text(LISTING)
    for folder, card_id, devices in [
        ("card0", "Headphones", ["pcm0p"]),
        ("card1", "M2", ["pcm0c", "pcm0p"]),
        ("card10", "Solo", ["pcm1c", "pcm0p"]),
    ]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "id").write_text(card_id + "\n")
        for device in devices:
            (tmp_path / folder / device).mkdir()
    return tmp_path


def test_cards_come_in_the_kernels_order_with_id_name_and_devices(proc: Path) -> None:
    assert [(c.id, c.name, c.capture, c.playback) for c in cards(proc)] == [
        ("Headphones", "bcm2835 Headphones", (), (0,)),
        ("M2", "M2", (0,), (0,)),
        ("Solo", "Scarlett Solo USB", (1,), (0,)),
    ]


def test_the_first_that_captures_is_picked(proc: Path) -> None:
    assert capture_card("", proc).id == "M2"


def test_a_card_is_found_by_id(proc: Path) -> None:
    assert capture_card("Solo", proc).capture == (1,)


def test_a_wrong_id_names_what_is_here_and_the_nearest(proc: Path) -> None:
    with pytest.raises(DeviceError, match=r"'Solos' is not here: cards here: M2 \(M2\), Solo .*did you mean 'Solo'"):
        capture_card("Solos", proc)


def test_a_card_that_only_plays_is_no_capture_card(proc: Path) -> None:
    with pytest.raises(DeviceError, match="'Headphones' is not here"):
        capture_card("Headphones", proc)


def test_a_machine_without_cards_says_so(tmp_path: Path) -> None:
    assert cards(tmp_path / "absent") == []
    with pytest.raises(DeviceError, match="no sound card that captures: no such card is connected; plug"):
        capture_card("", tmp_path)
