from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from improvbox.errors import ModelError
from improvbox.inference import store


def failed(folder: Path) -> store.Finding:
    last = store.verify(folder)[-1]
    assert not last.ok
    return last


def resign(model: Path) -> None:
    """Makes the card's hash agree with the file again."""
    card = model / "card.toml"
    old = next(line for line in card.read_text().splitlines() if line.startswith("sha256"))
    new = f'sha256 = "{hashlib.sha256((model / "model.tflite").read_bytes()).hexdigest()}"'
    card.write_text(card.read_text().replace(old, new))


def test_a_whole_model_passes_every_check(model: Path) -> None:
    findings = store.verify(model)
    assert [f.check for f in findings] == ["card", "hash", "load", "tensors", "contract", "step"]
    assert all(f.ok for f in findings)


def test_one_flipped_bit_is_found(model: Path) -> None:
    content = bytearray((model / "model.tflite").read_bytes())
    content[1000] ^= 1
    (model / "model.tflite").write_bytes(content)
    assert failed(model).check == "hash"
    with pytest.raises(ModelError, match="copy the model again"):
        store.open_checked(model)


def test_a_file_that_is_no_graph_is_found_though_its_hash_is_right(model: Path) -> None:
    (model / "model.tflite").write_bytes(b"garbage" * 100)
    resign(model)
    assert failed(model).check == "load"


def test_a_card_that_names_other_tensors_is_found(model: Path) -> None:
    card = model / "card.toml"
    card.write_text(card.read_text().replace('v = "float32[1,6]"', 'v = "float32[1,7]"'))
    finding = failed(model)
    assert finding.check == "tensors"
    assert "signatures.feed.inputs.v is float32[1,7]; the graph has float32[1,6]" in finding.detail


def test_a_contract_of_another_release_is_refused(model: Path) -> None:
    card = model / "card.toml"
    card.write_text(card.read_text().replace("contract = 0", "contract = 99"))
    assert "contract 99 of kind 'band' is unknown" in failed(model).detail


def test_a_model_without_the_contracts_tensors_is_refused(model: Path) -> None:
    card = model / "card.toml"
    card.write_text(card.read_text().replace("contract = 0", "contract = 1"))
    assert "signature 'feed' has no input 'cell'; it has h, v" in failed(model).detail


def test_a_missing_graph_is_found(model: Path) -> None:
    (model / "model.tflite").unlink()
    assert "model.tflite" in failed(model).detail


def test_an_installed_model_is_found_by_name_and_hides_a_shipped_one(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(model, tmp_path / "data" / "models" / "tiny-v1")
    shutil.copytree(model, tmp_path / "shipped" / "tiny-v1")
    shutil.copytree(model, tmp_path / "shipped" / "other-v1")
    monkeypatch.setattr(store, "SHIPPED", tmp_path / "shipped")
    assert [(e.name, e.shipped) for e in store.listing(tmp_path / "data")] == [("other-v1", True), ("tiny-v1", False)]
    assert store.find("tiny-v1", "band", tmp_path / "data") == tmp_path / "data" / "models" / "tiny-v1"
    assert store.find("tiny-v1", "band") == tmp_path / "shipped" / "tiny-v1"


def test_a_folder_is_its_own_address(model: Path) -> None:
    assert store.find(str(model)) == model


def test_an_unknown_name_lists_the_nearest(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SHIPPED", tmp_path)
    with pytest.raises(ModelError, match="no model 'tiny-v2'; did you mean 'tiny-v1'"):
        store.find("tiny-v2")


def test_a_model_of_another_kind_is_not_taken(model: Path) -> None:
    with pytest.raises(ModelError, match="a pitch model is wanted"):
        store.find(str(model), "pitch")


def test_a_model_about_to_be_used_is_not_taken_when_a_bit_is_wrong(model: Path) -> None:
    content = bytearray((model / "model.tflite").read_bytes())
    content[1000] ^= 1
    (model / "model.tflite").write_bytes(content)
    assert store.find(str(model)) == model
    with pytest.raises(ModelError, match="copy the model again"):
        store.find(str(model), "band")
