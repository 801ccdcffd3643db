from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from improvbox.errors import ModelError
from improvbox.inference.interpreter import Interpreter

TINY = Path(__file__).parent / "data" / "tiny.tflite"


@pytest.fixture(scope="module")
def tiny() -> Interpreter:
    return Interpreter(TINY).start()


def test_state_goes_in_and_comes_out(tiny: Interpreter) -> None:
    feed = tiny.signature("feed")
    v = np.ones((1, 6), np.float32)
    first = feed.run({"v": v, "h": np.zeros((1, 4), np.float32)})["h_next"]
    second = feed.run({"v": v, "h": first})["h_next"]
    assert first.shape == (1, 4)
    assert not np.allclose(first, second)


def test_an_output_stays_what_it_was_when_the_graph_runs_again(tiny: Interpreter) -> None:
    query = tiny.signature("query")
    first = query.run({"h": np.ones((1, 4), np.float32)})["logits"]
    kept = first.copy()
    query.run({"h": -np.ones((1, 4), np.float32)})
    assert np.array_equal(first, kept)


def test_signatures_share_a_graph_without_disturbing_each_other(tiny: Interpreter) -> None:
    h = np.full((1, 4), 0.3, np.float32)
    alone = tiny.signature("query").run({"h": h})["logits"]
    tiny.signature("feed").run({"v": np.ones((1, 6), np.float32), "h": h})
    assert np.array_equal(alone, tiny.signature("query").run({"h": h})["logits"])


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"h": np.zeros((1, 4), np.float32)}, "feed.v is missing, wanted float32[1, 6]"),
        ({"v": np.zeros((1, 5), np.float32), "h": np.zeros((1, 4), np.float32)}, "feed.v is float32[1, 5]"),
        ({"v": np.zeros((1, 6)), "h": np.zeros((1, 4), np.float32)}, "feed.v is float64[1, 6]"),
        ({"v": np.zeros((1, 6), np.float32), "h": np.zeros((1, 4), np.float32), "x": np.zeros(1)}, "feed takes no x"),
    ],
)
def test_a_wrong_array_is_refused_by_name(tiny: Interpreter, arrays: dict[str, np.ndarray], says: str) -> None:
    with pytest.raises(ModelError) as error:
        tiny.signature("feed").run(arrays)
    assert says in str(error.value)


def test_an_unknown_signature_names_the_nearest(tiny: Interpreter) -> None:
    with pytest.raises(ModelError, match="did you mean 'query'"):
        tiny.signature("quary")


def test_a_file_that_is_no_graph_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(b"not a flatbuffer, but long enough to be looked at")
    with pytest.raises(ModelError, match="cannot load it") as error:
        Interpreter(path).start()
    assert "\n" not in str(error.value)


def test_loading_is_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Interpreter(TINY).start()
    assert capfd.readouterr().err == ""
