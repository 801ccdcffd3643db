"""Files that are either the old one or the whole new one, never half of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from improvbox.errors import InputFileError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A path beside `path` to write to; synced and renamed over it at the end, removed after an error.

    Raises InputFileError where the folder is missing or not writable, OSError (ENOSPC) where the disk is full.
    """
    path = Path(path)
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.open("wb").close()
    except OSError as error:
        raise InputFileError(f"{path}: {error.strerror}; give a path in a folder that exists and is writable") from None
    try:
        yield draft
        handle = os.open(draft, os.O_RDWR)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def replace_file(path: str | Path, write: Callable[[BinaryIO], object]) -> None:
    """`replacing` for what writes to a stream."""
    with replacing(path) as draft, draft.open("wb") as stream:
        write(stream)


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
