"""Do the project's models say the same on ai-edge-litert and on tflite-runtime?

    python -m venv /tmp/old && /tmp/old/bin/pip install 'numpy<2' tflite-runtime==2.14.0     # Python 3.11
    python benchmarks/runtimes.py --other /tmp/old/bin/python

Both get the same inputs, step by step; inputs that are states (an output of the same name, or NAME_next, or NAME_out)
are the first runtime's own, so that each step is compared by itself. One LSB is one step of a quantized output; of a
float output it is 1/255 of the range that the output took over the run, which is what an int8 tensor would resolve.
Exit code 1 when a model differs by more than one LSB.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from improvbox.inference import store
from improvbox.inference.interpreter import Interpreter, Signature

ROOT = Path(__file__).parent.parent
SEED = 20260101


def state_outputs(signature: Signature) -> dict[str, str]:
    """input -> the output that is its next value."""
    pairs = {}
    for name, tensor in signature.inputs.items():
        for output in (name, f"{name}_next", f"{name}_out", f"next_{name}"):
            if output in signature.outputs and signature.outputs[output].shape == tensor.shape:
                pairs[name] = output
                break
    return pairs


def random_input(signature: Signature, name: str, rng: np.random.Generator) -> np.ndarray:
    """Values over the whole range that a quantized tensor can hold, or a unit normal."""
    tensor = signature.inputs[name]
    if tensor.dtype.startswith(("int", "uint")):
        limits = np.iinfo(tensor.dtype)
        return rng.integers(limits.min, limits.max, tensor.shape, dtype=tensor.dtype, endpoint=True)
    return rng.standard_normal(tensor.shape).astype(tensor.dtype)


def lead(model: Path, steps: int, out: Path) -> None:
    """Runs the model, feeding states back; keeps every input and output, stacked over steps."""
    kept: dict[str, list[np.ndarray]] = {}
    for name, signature in Interpreter(model, exact=True).start().signatures.items():
        rng = np.random.default_rng(SEED)
        states = state_outputs(signature)
        arrays = signature.zeros()
        for _ in range(steps):
            arrays |= {n: random_input(signature, n, rng) for n in signature.inputs if n not in states}
            result = signature.run(arrays)
            for side, values in (("in", arrays), ("out", result)):
                for tensor, array in values.items():
                    kept.setdefault(f"{name}/{side}/{tensor}", []).append(array.copy())
            arrays |= {n: result[o] for n, o in states.items()}
    np.savez(out, **{k: np.stack(v) for k, v in kept.items()})


def follow(model: Path, given: Path, out: Path) -> None:
    """Runs the model on inputs that another runtime had."""
    runs = np.load(given)
    kept: dict[str, list[np.ndarray]] = {}
    interpreter = Interpreter(model, exact=True).start()
    for name, signature in interpreter.signatures.items():
        inputs = {t: runs[f"{name}/in/{t}"] for t in signature.inputs}
        for step in range(len(next(iter(inputs.values())))):
            for tensor, array in signature.run({t: a[step] for t, a in inputs.items()}).items():
                kept.setdefault(f"{name}/out/{tensor}", []).append(array.copy())
    np.savez(out, **{k: np.stack(v) for k, v in kept.items()})


def compare(model: Path, ours: Path, theirs: Path) -> list[dict[str, object]]:
    """One row an output tensor."""
    a, b = np.load(ours), np.load(theirs)
    rows: list[dict[str, object]] = []
    for name, signature in Interpreter(model, exact=True).start().signatures.items():
        for tensor in signature.outputs:
            x, y = (f[f"{name}/out/{tensor}"].astype(np.float64) for f in (a, b))
            quantized = signature.scales[tensor][0] > 0
            lsb = 1.0 if quantized else max(float(np.ptp(x)) / 255, 1e-12)
            difference = np.abs(x - y) / lsb
            rows.append({"signature": name, "output": tensor, "dtype": signature.outputs[tensor].dtype})
            rows[-1] |= {"steps": len(x), "max_lsb": float(difference.max()), "mean_lsb": float(difference.mean())}
    return rows


def runtime_of(python: str) -> str:
    """Name and version of the runtime that a Python has."""
    code = (
        "import importlib.metadata as m\n"
        "for n in ('ai-edge-litert', 'tflite-runtime'):\n"
        "    try: print(n, m.version(n)); break\n"
        "    except m.PackageNotFoundError: pass"
    )
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--other", required=True, help="the Python that has the other runtime")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--follow", nargs=3, metavar=("MODEL", "GIVEN", "OUT"), help=argparse.SUPPRESS)
    parser.add_argument("models", nargs="*", help="names or folders; none: every shipped model")
    args = parser.parse_args()
    if args.follow:
        follow(*map(Path, args.follow))
        return 0
    folders = [store.find(m) for m in args.models] or [e.folder for e in store.listing()]
    report: dict[str, object] = {"runtimes": [runtime_of(sys.executable), runtime_of(args.other)], "models": {}}
    agree = True
    for folder in folders:
        with tempfile.TemporaryDirectory() as scratch:
            model, ours, theirs = folder / "model.tflite", Path(scratch, "ours.npz"), Path(scratch, "theirs.npz")
            lead(model, args.steps, ours)
            command = [args.other, __file__, "--other", "-", "--follow", str(model), str(ours), str(theirs)]
            subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)})
            rows = compare(model, ours, theirs)
        worst = max(float(str(r["max_lsb"])) for r in rows)
        agree &= worst <= 1.0 + 1e-9
        report["models"][folder.name] = {"worst_lsb": worst, "outputs": rows}  # type: ignore[index]
    report["agree"] = agree
    if args.json:
        print(json.dumps(report, indent=2))
        return 0 if agree else 1
    print(" against ".join(report["runtimes"]))  # type: ignore[arg-type]
    for name, found in report["models"].items():  # type: ignore[attr-defined]
        for row in found["outputs"]:
            print(
                f"{name:12} {row['signature']:8} {row['output']:14} {row['dtype']:8} "
                f"max {row['max_lsb']:.3f} LSB, mean {row['mean_lsb']:.4f} LSB over {row['steps']} steps"
            )
    print("agree within 1 LSB" if agree else "DIFFER by more than 1 LSB")
    return 0 if agree else 1


if __name__ == "__main__":
    sys.exit(main())
