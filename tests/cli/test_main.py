from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from improvbox import __version__, config
from improvbox.cli.main import COMMANDS, main


def test_every_command_explains_itself_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        assert main([name, "--help"]) == 0
        text = capsys.readouterr().out
        assert "example" in text, name
        assert f"improvbox {name}" in text, name


def test_the_top_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert all(f"    {name}" in text for name in COMMANDS)


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "the following arguments are required: COMMAND; see improvbox --help"),
        (["transcrib"], "no command 'transcrib'; did you mean 'transcribe'?"),
        (["config"], "config: the following arguments are required: check|show"),
        (["config", "check"], "config check: the following arguments are required: file"),
        (["config", "check", "/nowhere.toml"], "/nowhere.toml: No such file or directory"),
        (["models", "bench", "--steps", "x", "m"], "argument --steps: invalid int value: 'x'"),
    ],
)
def test_a_usage_error_is_one_line_and_exits_with_2(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("improvbox: ")
    assert says in err
    assert err.count("\n") == 1


def test_a_bug_is_told_in_one_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("improvbox.config.to_toml", lambda settings: 1 / 0)
    monkeypatch.delenv("IMPROVBOX_TRACE", raising=False)
    assert main(["config", "show"]) == 1
    assert "improvbox: ZeroDivisionError: division by zero (a bug" in capsys.readouterr().err


def test_the_module_runs_and_a_start_imports_neither_numpy_nor_a_driver() -> None:
    code = (
        "import sys; from improvbox.cli.main import main; main(['config', 'show', '--json']);"
        "print(','.join(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["audio"]["period_frames"] == 64
    assert not {"numpy", "alsaaudio", "fluidsynth", "rich", "matplotlib"} & set(done.stderr.strip().split(","))
    version = subprocess.run(
        [sys.executable, "-m", "improvbox", "--version"], capture_output=True, text=True, check=True
    )
    assert version.stdout == f"improvbox {__version__}\n"


def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m improvbox config show | head -n 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_config_show_prints_a_file_that_config_check_accepts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["config", "show"]) == 0
    path = tmp_path / "settings.toml"
    path.write_text(capsys.readouterr().out)
    assert config.load(path) == config.Settings()
    assert main(["config", "check", str(path)]) == 0


def test_config_check_names_the_key_and_the_nearest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "settings.toml"
    path.write_text("[band]\nhumen = 'mid'\n")
    assert main(["config", "check", str(path)]) == 2
    assert "unknown key 'band.humen'; did you mean 'human'?" in capsys.readouterr().err
