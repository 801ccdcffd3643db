"""Which SoundFont plays: the one in the settings, the one in the environment, or the best that is installed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from improvbox.errors import InputFileError

ENVIRONMENT = "IMPROVBOX_SOUNDFONT"
INSTALLED = (
    "/usr/share/sounds/sf2/FluidR3_GM.sf2",  # fluid-soundfont-gm: 148 MB, the better samples
    "/usr/share/sounds/sf2/TimGM6mb.sf2",  # timgm6mb-soundfont: 6 MB
    "/usr/share/sounds/sf2/default-GM.sf2",
    "/usr/share/sounds/sf3/default-GM.sf3",
    "/usr/share/soundfonts/default.sf2",
    "/usr/share/soundfonts/FluidR3_GM.sf2",
)
REMEDY = f"apt-get install timgm6mb-soundfont, or name one in stage.soundfont or {ENVIRONMENT}"


def find(wanted: str = "", installed: Sequence[str] = INSTALLED, environ: Mapping[str, str] = os.environ) -> Path:
    """The SoundFont to use, checked. `wanted` is stage.soundfont of the settings.

    Raises InputFileError: none installed, or the wanted one is missing or no SoundFont.
    """
    for source, name in (("stage.soundfont", wanted), (ENVIRONMENT, environ.get(ENVIRONMENT, ""))):
        if name:
            return check(Path(name).expanduser(), source)
    for name in installed:
        if Path(name).is_file():
            return check(Path(name), "installed")
    raise InputFileError(f"no SoundFont is installed; {REMEDY}")


def check(path: Path, source: str = "SoundFont") -> Path:
    """`path`, if it starts as a SoundFont does. Raises InputFileError."""
    try:
        with path.open("rb") as stream:
            head = stream.read(12)
    except OSError as error:
        raise InputFileError(f"{path} ({source}): {error.strerror}; {REMEDY}") from None
    if head[:4] != b"RIFF" or head[8:] != b"sfbk":
        raise InputFileError(f"{path} ({source}) is no SoundFont (no RIFF sfbk header); give an .sf2 or .sf3 file")
    return path
