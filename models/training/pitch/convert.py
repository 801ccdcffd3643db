"""Rebuilds one step of the trained net in TensorFlow and converts it to int8 TFLite, calibrated with streamed states.

The graph keeps nothing: `past_<d>` goes in as it came out `d` steps before. All tensors are int8; their scales are in
the file. Everything is a 1x1 convolution over [1, pitches, 1, channels], quantized per channel, which both TFLite
runtimes run.
"""

from __future__ import annotations

import os
import tempfile
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from improvbox.hearing.frontend import CHANNELS, FIRST_ROW, LEVELS, ROWS
from models.training.pitch.mix import PITCHES
from models.training.pitch.net import CROSS_AFTER, DILATIONS, HARMONICS, RELATIVES
from models.training.pitch.playing import LOWEST

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
SIGNATURE = "step"
OUTPUTS = ("onset", "frame", "deviation", "release")


def past_name(dilation: int) -> str:
    return f"past_{dilation}"


class Step:
    """One step in TensorFlow from a torch state dict: `Step(weights)(inputs) -> outputs`, dicts of float32 tensors."""

    def __init__(self, weights: dict[str, torch.Tensor]) -> None:
        import tensorflow as tf

        self._tf = tf
        self._w = {k: v.numpy().astype(np.float32) for k, v in weights.items()}
        self.channels = self._w["mix.weight"].shape[0]

    def input_shapes(self) -> dict[str, tuple[int, ...]]:
        state = (1, PITCHES, 1, self.channels)
        return {
            "local": (1, ROWS, 1, CHANNELS),
            "levels": (1, 1, 1, 2 * LEVELS),
            **{past_name(d): state for d in DILATIONS},
        }

    def __call__(self, x: dict) -> dict:
        tf, w = self._tf, self._w
        kernel = w["local.weight"].transpose(2, 1, 0)[:, None]
        local = tf.nn.relu(tf.nn.conv2d(x["local"], kernel, 1, "SAME") + w["local.bias"])
        # The net was trained on the levels and their rise; the graph gets the levels now and a step ago.
        now, rise = np.split(w["level_in.weight"], 2, axis=1)
        level = tf.nn.relu(self._dense(x["levels"], np.concatenate([now + rise, -rise], 1), w["level_in.bias"]))
        level = self._linear(level, "level_out")
        place = w["place"][None, :, None]
        h = tf.nn.relu(self._spread(local, "stack", [LOWEST - FIRST_ROW + o for o in HARMONICS]) + (level + place))
        h = tf.nn.relu(self._linear(h, "mix") + h)
        out, crosses = {}, 0
        for i, d in enumerate(DILATIONS):
            past = past_name(d)
            out[past] = h
            both = np.concatenate([w[f"now.{i}.weight"], w[f"past.{i}.weight"]], 1)
            inner = tf.nn.relu(self._dense(tf.concat([h, x[past]], -1), both, w[f"now.{i}.bias"]))
            h = tf.nn.relu(self._linear(inner, f"out.{i}") + h)
            if i in CROSS_AFTER:
                name = f"cross.{crosses}"
                crosses += 1
                context = self._mean(h, f"{name}.all")
                narrow = tf.nn.relu(self._linear(h, f"{name}.down"))
                h = h + tf.nn.relu(self._spread(narrow, f"{name}.relatives", list(RELATIVES)) + context)
        inner = tf.nn.relu(self._linear(h, "head_in"))
        for k, name in enumerate(OUTPUTS[:3]):
            y = self._dense(inner, w["head.weight"][k : k + 1], w["head.bias"][k : k + 1])
            out[name] = tf.reshape(y, [1, PITCHES])
        pooled = self._mean(tf.nn.relu(self._linear(h, "release_in")), "release")
        out["release"] = tf.reshape(pooled, [1, 1])
        return out

    def _dense(self, x, weight: np.ndarray, bias: np.ndarray):
        return self._tf.nn.conv2d(x, weight.T[None, None], 1, "VALID") + bias

    def _linear(self, x, name: str):
        return self._dense(x, self._w[f"{name}.weight"], self._w[f"{name}.bias"])

    def _mean(self, x, name: str):
        """A linear layer of the mean over the pitches, as one convolution over all of them.

        The runtimes disagree about the rounding of MEAN, and a depthwise convolution this long is slow.
        """
        weight = self._w[f"{name}.weight"].T[None, None] / PITCHES
        kernel = np.repeat(weight, PITCHES, axis=0)
        return self._tf.nn.conv2d(x, kernel, 1, "VALID") + self._w[f"{name}.bias"]

    def _spread(self, x, name: str, offsets: list[int]):
        """As net.Spread: the rows at each offset from each pitch side by side, then one product."""
        rows = x.shape[1]
        before, after = max(0, -min(offsets)), max(0, max(offsets) + PITCHES - rows)
        padded = self._tf.pad(x, [[0, 0], [before, after], [0, 0], [0, 0]])
        stacked = self._tf.concat([padded[:, before + o : before + o + PITCHES] for o in offsets], -1)
        weight = self._w[f"{name}.weight"]
        return self._dense(stacked, weight.reshape(-1, weight.shape[2]).T, self._w[f"{name}.bias"])


def streamed(step: Step, clips: list[tuple[np.ndarray, np.ndarray]], every: int = 1) -> Iterator[tuple[dict, dict]]:
    """(inputs, outputs) of every `every`-th step over clips of (local, levels) uint8 frames, states carried along."""
    import tensorflow as tf

    run = tf.function(step)
    shapes = step.input_shapes()
    for local, levels in clips:
        rings = {d: deque([np.zeros(shapes[past_name(d)], np.float32)] * d) for d in DILATIONS}
        before = np.full(LEVELS, -128 / 127.5, np.float32)
        for i in range(len(local)):
            level = scaled(levels[i])
            inputs = {
                "local": scaled(local[i])[None, :, None],
                "levels": np.concatenate([level, before])[None, None, None],
                **{past_name(d): ring.popleft() for d, ring in rings.items()},
            }
            outputs = {k: v.numpy() for k, v in run({k: tf.constant(v) for k, v in inputs.items()}).items()}
            for d, ring in rings.items():
                ring.append(outputs[past_name(d)])
            before = level
            if i % every == 0:
                yield inputs, outputs


def scaled(steps: np.ndarray) -> np.ndarray:
    """Features as the net sees them: int8 with scale 1 / 127.5 and zero point 0 says exactly this."""
    return (steps.astype(np.float32) - 128) / np.float32(127.5)


def convert(weights: dict[str, torch.Tensor], clips: list[tuple[np.ndarray, np.ndarray]]) -> bytes:
    """The int8 model file, calibrated on `clips`."""
    import tensorflow as tf

    step = Step(weights)
    samples = [inputs for inputs, _ in streamed(step, clips, every=3)]
    # Both ends of the feature scale, so that its int8 steps are exactly the front end's.
    for end in (-128 / 127.5, 127 / 127.5):
        samples.append({k: np.full_like(v, end) if "past" not in k else v for k, v in samples[0].items()})
    specs = {k: tf.TensorSpec(s, tf.float32, name=k) for k, s in step.input_shapes().items()}
    module = tf.Module()
    module.step = tf.function(lambda **x: step(x), input_signature=None)
    concrete = module.step.get_concrete_function(**specs)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={SIGNATURE: concrete})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder, signature_keys=[SIGNATURE])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ((SIGNATURE, s) for s in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
        converter._experimental_disable_per_channel_quantization_for_dense_layers = True
        return converter.convert()


def check(model: Path) -> None:
    """A past must come out in the scale it goes in with: rings hold the int8 numbers as they are."""
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(str(model)).get_signature_runner(SIGNATURE)
    told, heard = runner.get_output_details(), runner.get_input_details()
    for name in map(past_name, DILATIONS):
        if told[name]["quantization"] != heard[name]["quantization"]:
            raise ValueError(
                f"{model}: {name} comes out as {told[name]['quantization']}, goes in as {heard[name]['quantization']}"
            )


def main(checkpoint: Path, shard: Path, out: Path, clips: int = 10, frames: int = 240) -> None:
    """`checkpoint` to `out`, calibrated on the first clips of a training shard."""
    data = np.load(shard)
    local = np.load(str(shard)[:-4] + "-local.npy", mmap_mode="r")
    picked = [(local[i, :frames], data["levels"][i, :frames]) for i in range(clips)]
    out.write_bytes(convert(torch.load(checkpoint, weights_only=True), picked))
    check(out)
