"""What a player has been told: it follows its last instruction until told otherwise."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from improvbox.band.roles import TABLE, Role
from improvbox.config import PlayerSettings
from improvbox.events import CONTROLS, PARTS, Command


@dataclass(slots=True)
class Steering:
    """A player's role and controls; `for` is `listens_to`."""

    role: str
    density: float
    order: float
    variation: float
    texture: float
    level: float
    listens_to: tuple[str, ...]

    @classmethod
    def of(cls, name: str, settings: PlayerSettings) -> Steering:
        """As the settings say; a player listens to everybody but itself."""
        others = tuple(part for part in PARTS if part != name)
        controls = {control: getattr(settings, control) for control in CONTROLS}
        return cls(role=settings.role, listens_to=others, **controls)

    @property
    def row(self) -> Role:
        """The role's row of the table."""
        return TABLE[self.role]

    @property
    def plays(self) -> bool:
        """False: whatever happens, it stays silent."""
        return self.row.plays and self.level > 0.0

    def take(self, name: str, command: Command) -> bool:
        """Applies a command to the player `name`. True: something changed."""
        field = "listens_to" if command.verb == "for" else command.verb
        value: object = command.value
        if command.verb == "for" and isinstance(command.value, tuple):
            value = tuple(part for part in command.value if part != name)
        elif command.verb not in (*CONTROLS, "role"):
            return False
        if getattr(self, field) == value:
            return False
        setattr(self, field, value)
        return True

    def state(self) -> dict[str, object]:
        """For `/improvbox/state` and the status line."""
        table = asdict(self)
        table["for"] = table.pop("listens_to")
        return table
