"""docs/footswitches.md, made from the bindings, the pin map and the tables: `python -m improvbox.controls.card`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from improvbox.commands import VERBS
from improvbox.controls import bindings, pinmap
from improvbox.controls.actions import SELECTED, Action, Cycle, Order, Select, Send, Targets
from improvbox.controls.bindings import Binding, Bindings
from improvbox.controls.gestures import DOUBLE_S, GESTURES, HOLD_S, TOGETHER_S, Wants
from improvbox.controls.leds import DARK, LOST, LOST_MEANING, STATES
from improvbox.controls.pinmap import PinMap
from improvbox.controls.routes import ROUTES, address
from improvbox.events import BANDS

ROLE_WORDS = {
    "rest": "stop",
    "room": "make room",
    "takeover": "take over",
    "fight": "fight",
    "accompany": "accompany",
}
SAID_WORDS = {"tap": "tap the tempo", "return": "answer now", "panic": "panic: every note ends"}
SET_WORDS = {"role": "", "band": "you are: "}  # what goes before a value


def who(targets: Targets) -> str:
    """Targets in a word or two."""
    if targets == SELECTED:
        return "the chosen"
    return "bands" if targets == BANDS else " + ".join(targets)


def what(action: Action) -> str:
    """An action in words."""
    if isinstance(action, Send):
        return ", ".join(_before(order) + _value(order) for order in action.orders)
    if isinstance(action, Cycle):
        steps = [_value(order) for order in action.orders]
        return _before(action.orders[0]) + (" ↔ " if len(steps) == 2 else " → ").join(steps)
    if isinstance(action, Select):
        return "whom: " + " → ".join(who(targets) for targets in action.choices)
    return "next bank" if action.name == "next" else f"bank {action.name}"


def _before(order: Order) -> str:
    to = "" if order.targets in (SELECTED, ("box",), ("human",)) else f"{who(order.targets)}: "
    return to if order.value is None else to + SET_WORDS.get(order.verb, f"{order.verb}: ")


def _value(order: Order) -> str:
    if order.value is None:
        return SAID_WORDS.get(order.verb, order.verb)
    if order.verb == "role":
        return ROLE_WORDS[str(order.value)]
    return f"{order.value:g}" if isinstance(order.value, float) else str(order.value)


def when(wants: Wants) -> str:
    """When a press acts."""
    if wants.at_once or not wants.longer:
        return "as the foot lands"
    if wants.double:
        return f"{DOUBLE_S * 1e3:.0f} ms later"
    return "as the foot lifts" if wants.hold else f"{TOGETHER_S * 1e3:.0f} ms later, or as the foot lifts"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A Markdown table."""
    names = list(head)
    yield "| " + " | ".join(names) + " |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield "| " + " | ".join(row) + " |"
    yield ""


def _bank(name: str, bound: Bindings, pins: PinMap) -> Iterator[str]:
    bank = bound.banks[name]
    wants = bound.wants(name, tuple(pins.switches))
    empty = Binding("", {})
    singles = {switch: bank.get((switch,), empty) for switch in pins.switches}
    yield f"### Bank `{name}`"
    yield ""
    rows = [
        [gesture, *(what(b.actions[gesture]) if gesture in b.actions else "–" for b in singles.values())]
        for gesture in GESTURES
        if any(gesture in b.actions for b in singles.values())
    ]
    acts = ["the press acts", *(when(wants[switch]) if "press" in b.actions else "–" for switch, b in singles.items())]
    yield from table(["", *(f"{switch.upper()} {b.label}" for switch, b in singles.items())], [*rows, acts])
    for switches, binding in bank.items():
        if len(switches) == 2 and "press" in binding.actions:
            names = " and ".join(switch.upper() for switch in switches)
            yield f"{names} at once: {binding.label}, {what(binding.actions['press'])}."
            yield ""


def render(bound: Bindings, pins: PinMap) -> str:
    """The whole page."""
    lines = [
        "# The footswitch card",
        "",
        "<!-- Made by `python -m improvbox.controls.card > docs/footswitches.md` from the bindings. -->",
        "",
        f"At power-on the switches and knobs address {who(bound.select)}; the *bands* are bass, mid and high together.",
        "The LEDs show for a moment whom you chose. What names a player goes to that player, whoever is chosen.",
        "",
    ]
    for name in bound.banks:
        lines += _bank(name, bound, pins)
    lines += [
        f"Hold: {HOLD_S:g} s. Double: twice within {DOUBLE_S:g} s. At once: within {TOGETHER_S * 1e3:.0f} ms.",
        "A press acts as the foot lands where nothing longer waits behind it.",
        "",
        "## Knobs",
        "",
        *table(
            ["knob", "moves", "of", "from .. to"],
            ([k.upper(), t.control, who(t.targets), VERBS[t.control].help] for k, t in bound.knobs.items()),
        ),
        "A knob that stands elsewhere than its value, after another choice or a command from elsewhere, does nothing",
        "until it has passed the value (pick-up): nothing jumps.",
        "",
        "## LEDs",
        "",
        "The first state that holds is shown. Each is forgotten after its time unless its owner says it again, so that",
        "no LED can lie for long. `#` lit, `.` dark, an eighth of a second each.",
        "",
        *table(
            ["state", "pattern", "owner", "forgotten after", "means"],
            [
                *([s.name, f"`{s.pattern}`", s.owner, f"{s.timeout_s:g} s", s.meaning] for s in STATES),
                ["(status LED, none)", f"`{LOST}`", "–", "–", LOST_MEANING],
                ["(switch LED, none)", f"`{DARK}`", "–", "–", "what this switch gives is not in force"],
            ],
        ),
        "## Pins",
        "",
        "From `hardware/pinmap.toml`, the only place where pins are named.",
        "",
        *table(["what", "BCM", "header pin", "on a Jetson", "active"], _pins(pins)),
        "## The same over OSC",
        "",
        "UDP to `osc.listen_port` (9000), from this machine unless the settings allow more. `PLAYER` is bass, mid,",
        "high, drums or all. An address without a value also takes a button's 1; its 0 is ignored.",
        "",
        *table(["address", "value", "means"], _osc()),
        "`/improvbox/state` is answered with the messages that would bring the present state about.",
        "",
    ]
    return "\n".join(lines)


def _pins(pins: PinMap) -> Iterator[list[str]]:
    for group, lines in (("footswitch", pins.switches), ("LED", pins.leds), ("converter", pins.spi.wires)):
        for line in lines.values():
            active = "" if group == "converter" else "high" if line.active_high else "low"
            yield [f"{group} {line.name}", str(line.bcm), str(line.pin), line.jetson, active]
    for knob, channel in pins.knobs.items():
        yield [f"knob {knob}", "–", f"converter channel {channel}", "", ""]
    for name, holes in pins.supply.items():
        yield [name, "–", ", ".join(str(hole) for hole in holes), "", ""]


def _osc() -> Iterator[list[str]]:
    for route in ROUTES.values():
        if route.target in ("bass", "human", "box"):
            shown = address("PLAYER", route.verb) if route.target == "bass" else route.address
            yield [f"`{shown}`", route.takes.replace("|", "\\|") or "–", route.help]


def main() -> None:
    """Prints the page for the shipped files."""
    pins = pinmap.load()
    sys.stdout.write(render(bindings.load(pins), pins))


if __name__ == "__main__":
    main()
