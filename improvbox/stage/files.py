"""Files that are either the old one or the whole new one, never half of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from improvbox.errors import InputFileError


def replace_file(path: str | Path, write: Callable[[BinaryIO], object]) -> None:
    """Writes beside `path`, syncs, renames over it. A crash or a full disk leaves what was there before.

    Raises InputFileError where the folder is missing or not writable, OSError (ENOSPC) where the disk is full.
    """
    path = Path(path)
    draft = path.with_name(f".{path.name}.part")
    try:
        stream = open(draft, "wb")  # noqa: SIM115  # closed below, before the rename
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}; give a path in a folder that exists and is writable") from None
    try:
        with stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself survive a power cut; file systems that cannot sync a folder are left alone."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(handle)
    except OSError:
        return
    finally:
        os.close(handle)
