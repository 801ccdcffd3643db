"""Writes card.toml beside a converted model: what it takes, gives, was made from and scored."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from improvbox.hearing.frontend import CHANNELS, FIRST_ROW, LEVELS, RATE_HZ, ROWS
from improvbox.inference.interpreter import Interpreter
from models.training.pitch.mix import HOP, PITCHES
from models.training.pitch.playing import LOWEST

DATA = (
    ("egreen, Gretsch Anniversary (karoryfer black-and-green guitars)", "CC0"),
    ("aarchtop and earchtop, archtop (karoryfer.shinyguitar)", "CC0"),
    ("ebass6, Squier Bass VI (karoryfer.pastabass)", "CC0"),
    ("bgrowly, Squier Jazz Bass (karoryfer.growlybass)", "CC0"),
    ("FluidR3_GM, plucked programs without its guitars (Debian fluid-soundfont-gm)", "MIT"),
    ("modal strings made by the program", "MIT"),
)


@dataclass(frozen=True, slots=True)
class Made:
    """How a model came about."""

    parameters: int
    command: str
    seed: int


def write(folder: Path, made: Made, scores: dict[str, str | float], timing: dict[str, str | float]) -> None:
    """card.toml for `folder`/model.tflite."""
    model = folder / "model.tflite"
    signature = Interpreter(model).start().signature("step")
    lines = [
        f'name = "{folder.name}"',
        'kind = "pitch"',
        "contract = 1",
        f'sha256 = "{hashlib.sha256(model.read_bytes()).hexdigest()}"',
        f"parameters = {made.parameters}",
        'quantization = "int8 weights (per channel), activations, inputs, outputs and states"',
        "",
        "[signatures.step.inputs]",
        *(f'{n} = "{t}"' for n, t in signature.inputs.items()),
        "",
        "[signatures.step.outputs]",
        *(f'{n} = "{t}"' for n, t in signature.outputs.items()),
        "",
        "[audio]",
        f"rate_hz = {RATE_HZ}",
        f"frame_frames = {HOP * RATE_HZ // 24_000}  # one step of the net",
        f"rows = {ROWS}",
        f"first_row = {FIRST_ROW}  # MIDI",
        f"channels = {CHANNELS}",
        f"levels = {LEVELS}",
        f"lowest = {LOWEST}  # MIDI",
        f"pitches = {PITCHES}",
        "",
        "[training]",
        f'command = "{made.command}"',
        f"seed = {made.seed}",
        "data = [",
        *(f'  {{ name = "{n}", licence = "{licence}" }},' for n, licence in DATA),
        "]",
        "",
        "[scores]",
        *(f'{k} = "{v}"' if isinstance(v, str) else f"{k} = {v}" for k, v in scores.items()),
        "",
        "[timing]",
        *(f'{k} = "{v}"' if isinstance(v, str) else f"{k} = {v}" for k, v in timing.items()),
    ]
    (folder / "card.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
