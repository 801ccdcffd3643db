"""The status file: how the running box is doing, rewritten once a second, read by `improvbox status`."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from improvbox.clock import monotonic_s
from improvbox.errors import StreamError

STALE_S = 5.0  # five missed writes: the box that wrote it hangs or is gone
VOLATILE = Path("/run/improvbox")  # RuntimeDirectory of the unit: memory, no wear of the card


def places(data: Path) -> list[Path]:
    """Where the file may be, the first writable one is written."""
    folders = [VOLATILE, data]
    if runtime := os.environ.get("RUNTIME_DIRECTORY"):
        folders.insert(0, Path(runtime))
    return [folder / "status.json" for folder in folders]


def place(data: Path) -> Path | None:
    """Where this process writes it; None: nowhere."""
    return next((p for p in places(data) if os.access(p.parent, os.W_OK)), None)


def write(path: Path, table: dict[str, Any]) -> bool:
    """Whole or not at all. Not synced: after a power cut nobody asks for it. False: the disk would not take it."""
    draft = path.with_name(".status.json.part")
    try:
        draft.write_text(json.dumps(table | {"monotonic_s": monotonic_s()}, default=_plain), encoding="utf-8")
        os.replace(draft, path)
    except OSError:
        return False
    return True


def read(data: Path) -> dict[str, Any]:
    """The newest status with `age_s` added. Raises StreamError where no box runs, or the one that did has stopped."""
    found = [p for p in places(data) if p.is_file()]
    if not found:
        raise StreamError(f"no box is running here (no {places(data)[-1]}); start it with: improvbox run")
    path = max(found, key=lambda p: p.stat().st_mtime)
    try:
        table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        table["age_s"] = monotonic_s() - float(table["monotonic_s"])
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise StreamError(f"{path}: unreadable ({error}); is the box that writes it of this release?") from None
    if table["age_s"] < 0:
        raise StreamError(f"{path}: left over from before the last power-up; no box runs; start it with: improvbox run")
    if table["age_s"] > STALE_S:
        age = f"{table['age_s']:.0f} s"
        raise StreamError(f"{path}: written {age} ago: the box hangs or is gone; see journalctl -u improvbox")
    return table


def remove(path: Path) -> None:
    """The box has stopped in good order."""
    path.unlink(missing_ok=True)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return str(value)
