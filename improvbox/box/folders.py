"""Where the box keeps what it writes: jams, installed models, its status file where no volatile folder is."""

from __future__ import annotations

import os
from pathlib import Path

from improvbox.config import BoxSettings

SYSTEM = Path("/var/lib/improvbox")  # what the service unit makes (StateDirectory)


def data_folder(settings: BoxSettings) -> Path:
    """The data folder of the settings; unset: the system's where we may write, else the user's. It may not exist."""
    if settings.data:
        return Path(settings.data).expanduser()
    if SYSTEM.is_dir() and os.access(SYSTEM, os.W_OK):
        return SYSTEM
    return Path(os.environ.get("XDG_DATA_HOME") or "~/.local/share").expanduser() / "improvbox"
