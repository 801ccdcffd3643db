from __future__ import annotations

from pathlib import Path

import pytest

from improvbox.errors import ModelError
from improvbox.inference import card as cards
from improvbox.inference.card import Tensor
from improvbox.inference.publish import rewrite_tables


def edit(model: Path, old: str, new: str) -> Path:
    path = model / "card.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return model


def test_a_card_gives_shapes_and_dtypes(model: Path) -> None:
    assert cards.load(model).signatures["feed"].inputs["v"] == Tensor("v", (1, 6), "float32")


def test_free_tables_survive_the_way_through_the_file(model: Path) -> None:
    card = cards.load(model)
    assert card.training["data"] == [{"name": "noise", "licence": "CC0-1.0"}]
    assert card.timing == {"x86 ms": 0.01}


def test_scores_are_added_to_a_card_without_touching_the_rest(model: Path) -> None:
    before = cards.load(model)
    after = rewrite_tables(model, {"scores": {"f1": 0.9}})
    assert after.scores == {"f1": 0.9}
    assert (after.sha256, after.training, after.signatures) == (before.sha256, before.training, before.signatures)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('kind = "band"', 'kind = "bend"', "did you mean 'band'"),
        ('quantization = "', 'quantisation = "', "unknown key 'quantisation'; did you mean 'quantization'"),
        ("parameters = 52", 'parameters = "52"', "parameters = '52' must be a whole number"),
        ('sha256 = "', 'sha256 = "x', "64 lower-case hex digits"),
        ('v = "float32[1,6]"', 'v = "float31[1,6]"', "signatures.feed.inputs.v = 'float31[1,6]' must be dtype[shape]"),
        (
            "[signatures.feed.outputs]",
            "[signatures.feed.outs]",
            "signatures.feed must hold the tables inputs and outputs",
        ),
        ("contract = 0", "contract = ", "not TOML"),
    ],
)
def test_a_wrong_card_is_refused_by_key_and_value(model: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(ModelError, match=r"card\.toml") as error:
        cards.load(edit(model, old, new))
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_another_kind_than_wanted_is_refused(model: Path) -> None:
    with pytest.raises(ModelError, match="a pitch model is wanted"):
        cards.load(model, "pitch")


def test_a_folder_without_a_card_says_what_a_model_is(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"a model is a folder with model\.tflite and card\.toml"):
        cards.load(tmp_path)
