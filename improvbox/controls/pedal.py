"""The pedal as a pure machine: debounced switches and knob counts in, commands out. Time is a parameter, no threads."""

from __future__ import annotations

from improvbox.controls.actions import SELECTED, Bank, Cycle, Order, Select, Send, Targets
from improvbox.controls.bindings import Bindings
from improvbox.controls.gestures import Gesture, Recognizer
from improvbox.controls.knobs import Knob
from improvbox.controls.mirror import Mirror
from improvbox.events import PLAYERS, Command

# Verbs that mean the moment of the foot, not the moment when the gesture was understood.
AT_THE_DOWN_EDGE = ("tap",)

STEPS = ("first", "second", "third")  # LED states of the steps of a cycle


class Pedal:
    """What the bindings say, applied. `selected` and `bank` are its own; what players were told is the mirror's."""

    def __init__(self, bindings: Bindings, switches: tuple[str, ...], mirror: Mirror) -> None:
        self.bindings = bindings
        self.switches = switches
        self.mirror = mirror
        self.selected: Targets = bindings.select
        self.bank = next(iter(bindings.banks))
        self._recognizer = Recognizer(bindings.wants(self.bank, switches))
        self._knobs = {name: Knob() for name in bindings.knobs}
        self._notices: list[tuple[str, tuple[str, ...]]] = []

    @property
    def in_first_bank(self) -> bool:
        """The switches mean what they mean at power-on."""
        return self.bank == next(iter(self.bindings.banks))

    def due(self) -> float:
        """When `advance` has something to say (s); inf: not before the next change."""
        return self._recognizer.due()

    def change(self, switch: str, down: bool, t: float) -> list[Command]:
        """A switch went down or up at `t` (s)."""
        return self._do(self._recognizer.change(switch, down, t))

    def advance(self, t: float) -> list[Command]:
        """What time alone has decided by `t` (s): holds, and presses that waited for more."""
        return self._do(self._recognizer.advance(t))

    def turn(self, knob: str, raw: int, t: float) -> list[Command]:
        """A knob reads `raw` counts at `t` (s)."""
        turn = self.bindings.knobs[knob]
        targets = self._resolve(turn.targets)
        known = self.mirror.value(targets, turn.control)
        value = self._knobs[knob].turn(raw, known if isinstance(known, float) else None)
        return [] if value is None else self._tell(Order(turn.targets, turn.control, value), t, "knob")

    def shows(self, switch: str) -> str | None:
        """The LED state of a switch: which step of its press is in force; None: none."""
        binding = self.bindings.banks[self.bank].get((switch,))
        press = binding.actions.get("press") if binding else None
        if not isinstance(press, Send | Cycle):
            return None
        order = press.orders[0]
        value = self.mirror.value(self._resolve(order.targets), order.verb)
        steps = press if isinstance(press, Cycle) else Cycle((order,))
        at = None if value is None else steps.index(value)
        return None if at is None else STEPS[min(at, len(STEPS) - 1)]

    def notices(self) -> list[tuple[str, tuple[str, ...]]]:
        """What happened since the last call that the LEDs should show: (LED state, LEDs)."""
        notices, self._notices = self._notices, []
        return notices

    def _do(self, gestures: list[Gesture]) -> list[Command]:
        commands: list[Command] = []
        for gesture in gestures:
            names = tuple(name for name in self.switches if name in gesture.switches)
            binding = self.bindings.banks[self.bank].get(names)
            action = binding.actions.get(gesture.name) if binding else None
            if action is None:
                continue
            self._notices.append(("acted", names))
            if isinstance(action, Send):
                for order in action.orders:
                    commands += self._tell(order, gesture.t, "footswitch", gesture.down)
            elif isinstance(action, Cycle):
                first = action.orders[0]
                order = action.after(self.mirror.value(self._resolve(first.targets), first.verb))
                commands += self._tell(order, gesture.t, "footswitch")
            elif isinstance(action, Select):
                self.selected = action.after(self.selected)
                self._show_selected()
            else:
                self._change_bank(action)
        return commands

    def _tell(self, order: Order, t: float, source: str, down: float | None = None) -> list[Command]:
        if down is not None and order.verb in AT_THE_DOWN_EDGE:
            t = down
        if order.verb == "panic":
            self._notices.append(("panic", ("status", *self.switches)))
        told = [Command(target, order.verb, order.value, t, source) for target in self._resolve(order.targets)]
        for command in told:
            self.mirror.observe(command)
        return told

    def _resolve(self, targets: Targets) -> Targets:
        return self.selected if targets == SELECTED else targets

    def _show_selected(self) -> None:
        who = PLAYERS if self.selected == ("all",) else self.selected
        chosen = {led for led, player in zip(self.switches, PLAYERS, strict=False) if player in who}
        self._notices.append(("chosen", tuple(led for led in self.switches if led in chosen)))
        self._notices.append(("not chosen", tuple(led for led in self.switches if led not in chosen)))

    def _change_bank(self, action: Bank) -> None:
        banks = list(self.bindings.banks)
        at = (banks.index(self.bank) + 1) % len(banks) if action.name == "next" else banks.index(action.name)
        self.bank = banks[at]
        self._recognizer.rebind(self.bindings.wants(self.bank, self.switches))
        self._notices.append(("bank", self.switches[at : at + 1]))
