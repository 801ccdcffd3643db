"""The one adapter of the TFLite runtime: `ai-edge-litert`, or `tflite-runtime` where a user has that.

Both are one library under two names. One thread: a box has other work for its cores, and these graphs are too
small to gain from more.

Live, graphs run through the XNNPACK delegate: two to four times faster, and it rounds its own way. `exact` runs a graph
of integers on the library's own kernels instead: their arithmetic is fixed, so both runtimes agree bit for bit, which
is how it is shown that a file means the same on both.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from improvbox.errors import MissingDriverError, ModelError, nearest
from improvbox.inference.card import SignatureSpec, Tensor

RUNTIMES = ("ai_edge_litert", "tflite_runtime")


class Interpreter:
    """A loaded graph with one or more signatures.

    Contract: `start` reads the file and allocates (milliseconds, once); everything after that belongs to one thread
    at a time, because the signatures of a graph share its memory.
    """

    def __init__(self, path: str | Path, exact: bool = False) -> None:
        """exact: slower kernels whose arithmetic is fixed, where the graph has no floats."""
        self.path = Path(path)
        self.exact = exact
        self.runtime = ""
        self._interpreter: Any = None
        self._signatures: dict[str, Signature] = {}

    def start(self) -> Interpreter:
        """Loads the graph. Raises MissingDriverError without a runtime, ModelError on a file that is no model."""
        self.runtime, library = _runtime()
        try:
            content = self.path.read_bytes()
        except OSError as error:
            raise ModelError(f"{self.path}: {error.strerror or error}") from None
        try:
            with _native_chatter_hidden():
                self._interpreter = _make(library, content, self.exact)
                self._interpreter.allocate_tensors()
                names = list(self._interpreter.get_signature_list())
                self._signatures = {
                    n: Signature(n, self._interpreter.get_signature_runner(n), self.path) for n in names
                }
        except ImportError as error:
            raise MissingDriverError(f"{self.runtime} does not load: {error}; tflite-runtime needs numpy < 2") from None
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"{self.path}: {self.runtime} cannot load it: {_one_line(error)}") from None
        if not self._signatures:
            raise ModelError(f"{self.path}: the graph has no signature; convert it with named inputs and outputs")
        return self

    @property
    def signatures(self) -> Mapping[str, Signature]:
        return MappingProxyType(self._signatures)

    def signature(self, name: str) -> Signature:
        """An entry point by name. Raises ModelError with the names there are."""
        if name not in self._signatures:
            raise ModelError(f"{self.path}: no signature {name!r}; {nearest(name, self._signatures)}")
        return self._signatures[name]


class Signature:
    """One entry point: arrays by name in, arrays by name out."""

    def __init__(self, name: str, runner: Any, path: Path) -> None:
        self.name = name
        self._runner = runner
        self._path = path
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        self.spec = SignatureSpec(_tensors(inputs), _tensors(outputs))
        self.scales: Mapping[str, tuple[float, int]] = {
            n: (float(d["quantization"][0]), int(d["quantization"][1])) for n, d in {**inputs, **outputs}.items()
        }
        """(scale, zero point) of each tensor; scale 0: not quantized"""
        self._wanted = tuple((n, t.shape, np.dtype(t.dtype)) for n, t in self.spec.inputs.items())

    @property
    def inputs(self) -> Mapping[str, Tensor]:
        return self.spec.inputs

    @property
    def outputs(self) -> Mapping[str, Tensor]:
        return self.spec.outputs

    def run(self, arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One step. The outputs are fresh arrays. Raises ModelError naming the tensor whose shape or dtype is wrong.

        Real-time: allocates the outputs, does not block, releases the GIL while the graph runs.
        """
        for name, shape, dtype in self._wanted:
            array = arrays.get(name)
            if array is None or array.shape != shape or array.dtype != dtype:
                got = "missing" if array is None else f"{array.dtype}{list(array.shape)}"
                raise ModelError(f"{self._path}: {self.name}.{name} is {got}, wanted {dtype}{list(shape)}")
        if len(arrays) != len(self._wanted):
            extra = sorted(set(arrays) - set(self.inputs))
            raise ModelError(f"{self._path}: {self.name} takes no {', '.join(extra)}; {nearest(extra[0], self.inputs)}")
        result: dict[str, np.ndarray] = self._runner(**arrays)
        return result

    def zeros(self) -> dict[str, np.ndarray]:
        """Inputs of the right shapes that say nothing: zero in real terms, so the zero point where quantized."""
        return {n: np.full(t.shape, self.scales[n][1], t.dtype) for n, t in self.inputs.items()}


def _tensors(details: Mapping[str, Any]) -> dict[str, Tensor]:
    return {
        n: Tensor(n, tuple(int(s) for s in d["shape"]), np.dtype(d["dtype"]).name) for n, d in sorted(details.items())
    }


def _runtime() -> tuple[str, Any]:
    for name in RUNTIMES:
        try:
            return name, importlib.import_module(f"{name}.interpreter")
        except ImportError:
            continue
    raise MissingDriverError("no TFLite runtime: pip install ai-edge-litert (or tflite-runtime with numpy < 2)")


def _make(library: Any, content: bytes, exact: bool) -> Any:
    if exact:
        plain = library.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        made = library.Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=plain)
        if not any(np.issubdtype(detail["dtype"], np.floating) for detail in made.get_input_details()):
            return made
    return library.Interpreter(model_content=content, num_threads=1)


@contextlib.contextmanager
def _native_chatter_hidden() -> Iterator[None]:
    """Sends file descriptor 2 away while the runtime loads: it announces its delegate there, and our errors are one
    line. Another thread's line in those milliseconds would be lost too; models load before threads start.
    """
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
