"""Makes tiny.tflite, the 2 kB graph that these tests load: python tests/inference/data/make_tiny.py (extra `train`)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

RNG = np.random.default_rng(1)
W, U = (tf.constant(RNG.normal(size=shape).astype(np.float32) * 0.5) for shape in ((6, 4), (4, 4)))
V = tf.constant(RNG.normal(size=(4, 3)).astype(np.float32))


class Tiny(tf.Module):
    """A recurrent step with its state in and out, and a head."""

    @tf.function(input_signature=[tf.TensorSpec([1, 6], name="v"), tf.TensorSpec([1, 4], name="h")])
    def feed(self, v: tf.Tensor, h: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"h_next": tf.tanh(tf.matmul(v, W) + tf.matmul(h, U))}

    @tf.function(input_signature=[tf.TensorSpec([1, 4], name="h")])
    def query(self, h: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"logits": tf.matmul(h, V)}


def main() -> None:
    module = Tiny()
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={"feed": module.feed, "query": module.query})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=["feed", "query"])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
        Path(__file__).with_name("tiny.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main()
