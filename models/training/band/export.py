"""Torch weights -> one quantized TFLite file with the signatures core, time and pitch, and its card.

    python -m models.training.band.export [--weights W.pt] [--out models/tflite/band-v1]

Dynamic range: weights int8, one scale a tensor (the per-channel dense op is too new for tflite-runtime 2.14),
activations float.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf
import torch

from improvbox.band import vocabulary as v
from improvbox.inference.publish import publish
from models.training.band import net as nets


class Graph(tf.Module):
    """Single-step twin of `nets.Net`: state explicit in and out, GRU written out as dense, sigmoid, tanh."""

    def __init__(self, net: nets.Net) -> None:
        super().__init__()
        self.w = {name: tf.constant(p.detach().float().numpy().T.copy()) for name, p in net.state_dict().items()}

    def _dense(self, x, name: str):
        made = tf.matmul(x, self.w[f"{name}.weight"])
        bias = self.w.get(f"{name}.bias")
        return made if bias is None else made + bias

    def _cell(self, x, h, layer: int):
        n = h.shape[1]
        gi = tf.matmul(x, self.w[f"gru.weight_ih_l{layer}"]) + self.w[f"gru.bias_ih_l{layer}"]
        gh = tf.matmul(h, self.w[f"gru.weight_hh_l{layer}"]) + self.w[f"gru.bias_hh_l{layer}"]
        reset = tf.sigmoid(gi[:, :n] + gh[:, :n])
        keep = tf.sigmoid(gi[:, n : 2 * n] + gh[:, n : 2 * n])
        new = tf.tanh(gi[:, 2 * n :] + reset * gh[:, 2 * n :])
        return (1.0 - keep) * new + keep * h

    def core(self, x, h0, h1):
        low = self._cell(x, h0, 0)
        return {"h0": low, "h1": self._cell(low, h1, 1)}

    def time(self, h, z):
        return {
            "logits": self._dense(tf.nn.relu(self._dense(h, "time_state") + self._dense(z, "time_query")), "time_out")
        }

    def pitch(self, h, z, onset):
        hidden = self._dense(h, "pitch_state") + self._dense(z, "pitch_query") + self._dense(onset, "pitch_onset")
        return {"logits": self._dense(tf.nn.relu(hidden), "pitch_out")}


def signatures(hidden: int) -> dict[str, dict[str, list[int]]]:
    """Inputs of each signature."""
    return {
        "core": {"x": [1, v.CORE_INPUTS], "h0": [1, hidden], "h1": [1, hidden]},
        "time": {"h": [1, hidden], "z": [1, v.QUERY_INPUTS]},
        "pitch": {"h": [1, hidden], "z": [1, v.QUERY_INPUTS], "onset": [1, v.ONSET_ONE_HOT]},
    }


def convert(net: nets.Net, quantized: bool = True) -> bytes:
    """The TFLite file."""
    graph = Graph(net)
    concrete = {}
    for name, inputs in signatures(net.hidden).items():
        specs = [tf.TensorSpec(shape, tf.float32, name=key) for key, shape in inputs.items()]
        concrete[name] = tf.function(getattr(graph, name), input_signature=specs)
        setattr(graph, f"_{name}", concrete[name])
    calls = {name: f.get_concrete_function() for name, f in concrete.items()}
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"band-saved-{os.getpid()}"
    tf.saved_model.save(graph, str(folder), signatures=calls)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder), signature_keys=list(calls))
    if quantized:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    made = converter.convert()
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    folder.rmdir()
    return made


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--weights", type=Path, help="a checkpoint of train.py; none: random weights, to test the frame")
    args.add_argument("--out", type=Path, default=Path("models/tflite/band-v1"))
    a = args.parse_args()
    torch.manual_seed(0)
    net = nets.Net()
    if a.weights:
        net.load_state_dict(torch.load(a.weights, weights_only=True)["net"])
    training = {"command": "none: random weights, seed 0"}
    publish_model(net, a.out, training)


def publish_model(net: nets.Net, out: Path, training: dict, scores: dict | None = None) -> None:
    """Writes the model folder `out`: the graph and its card."""
    publish(
        out,
        convert(net),
        kind="band",
        contract=v.CONTRACT,
        parameters=sum(p.numel() for p in net.parameters()),
        quantization="int8 weights, one scale a tensor; float32 activations and states",
        tables={"vocabulary": v.check(), "training": training, "scores": scores or {}},
    )


if __name__ == "__main__":
    main()
