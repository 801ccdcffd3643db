"""Debounce as a pure function of (t, level): act on the first edge, ignore what follows for 20 ms, then read again.

Acting first and ignoring after costs no delay. What it cannot catch: a spike on the line counts as a stomp of 20 ms;
the resistor and capacitor at each switch are there for that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

IGNORE_S = 0.020  # footswitches bounce for 1 to 10 ms, worn ones longer; a foot cannot stomp again in 20 ms


@dataclass(frozen=True, slots=True)
class Contact:
    """What is believed of one switch."""

    down: bool = False
    ignore_until: float = -math.inf
    """s, samples before it are bounces"""
    look_at: float = math.inf
    """s, when the line must be read again; inf: no need"""


def sample(contact: Contact, t: float, down: bool, edge: bool) -> tuple[Contact, bool]:
    """The contact after the switch was seen `down` or up at `t` (s), and whether that is a change to act on.

    `edge`: this sample comes with an edge, not from reading again. An edge that shows the old level (the contact had
    bounced back before it was read) asks for another look.
    """
    if t < contact.ignore_until:
        return contact, False
    if down != contact.down:
        return Contact(down, t + IGNORE_S, t + IGNORE_S), True
    return Contact(contact.down, contact.ignore_until, t + IGNORE_S if edge else math.inf), False
