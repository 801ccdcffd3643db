"""Which SoundFont is found, and what is said when none is."""

from __future__ import annotations

from pathlib import Path

import pytest

from improvbox.errors import InputFileError
from improvbox.stage import soundfonts

HEADER = b"RIFF\x10\x00\x00\x00sfbk"


def made(path: Path, content: bytes = HEADER) -> str:
    path.write_bytes(content)
    return str(path)


def test_the_settings_come_first_then_the_environment_then_what_is_installed(tmp_path: Path) -> None:
    wanted, environment, installed = (made(tmp_path / f"{n}.sf2") for n in "abc")
    environ = {soundfonts.ENVIRONMENT: environment}
    assert soundfonts.find(wanted, [installed], environ) == Path(wanted)
    assert soundfonts.find("", [installed], environ) == Path(environment)
    assert soundfonts.find("", ["/absent.sf2", installed], {}) == Path(installed)


def test_none_installed_says_what_to_install() -> None:
    with pytest.raises(InputFileError, match="no SoundFont is installed; apt-get install timgm6mb-soundfont"):
        soundfonts.find("", [], {})


def test_a_missing_one_is_named_with_the_setting_it_came_from(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"absent\.sf2 \(stage\.soundfont\): No such file"):
        soundfonts.find(str(tmp_path / "absent.sf2"), [], {})


@pytest.mark.parametrize("content", [b"", b"RIFF", b"RIFF\x10\x00\x00\x00WAVE"])
def test_another_kind_of_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputFileError, match="is no SoundFont"):
        soundfonts.find(made(tmp_path / "a.sf2", content), [], {})
