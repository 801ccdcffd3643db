from __future__ import annotations

from pathlib import Path

import pytest

from improvbox.inference import contracts
from improvbox.inference.contracts import Entrance
from improvbox.inference.publish import publish

TINY = Path(__file__).parent / "data" / "tiny.tflite"


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole model folder around the tiny graph, and the contract that it keeps."""
    kept = {"feed": Entrance(("v", "h"), ("h_next",)), "query": Entrance(("h",), ("logits",))}
    broken = {"feed": Entrance(("v", "cell"), ("h_next",))}
    monkeypatch.setattr(contracts, "CONTRACTS", {("band", 0): kept, ("band", 1): broken})
    publish(
        tmp_path / "tiny-v1",
        TINY.read_bytes(),
        kind="band",
        contract=0,
        parameters=52,
        quantization="int8 weights",
        tables={"training": {"seed": 1, "data": [{"name": "noise", "licence": "CC0-1.0"}]}, "timing": {"x86 ms": 0.01}},
    )
    return tmp_path / "tiny-v1"
