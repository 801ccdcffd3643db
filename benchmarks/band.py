"""How the band plays with held-out humans: ten chorale sopranos that the event model never saw.

    python benchmarks/band.py --data ../shared/data/symbolic --scorer ../shared/bench/band/score_band.py --out /tmp/band

Each soprano is a session in virtual time through the same function as `improvbox jam`: hearing 20 ms late, tempo given,
phase found from the playing, all bands on accompany. The notes go to OUT as JSON lines and are scored by the scorer;
the chorale's own three lower parts are scored beside them. Then: density, rest, same seed, and how long a note of the
human takes until every player has a new plan. Prints a table and OUT/result.json; exit code 1 when a gate is missed.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.band_humans import ListTake, chorales
from improvbox.band.band import Band
from improvbox.band.event_model import EventModel
from improvbox.box.offline import jam
from improvbox.clock import Stopwatch
from improvbox.commands import parse_cue
from improvbox.config import Settings
from improvbox.events import BANDS, HumanEvent, NoteOn, PlayedNote
from improvbox.hearing.beat import BeatTracker
from improvbox.inference import store
from improvbox.memory.context import Memory
from improvbox.stage.notes import write

COLUMNS = (
    "notes_per_s",
    "in_range",
    "overlaps",
    "fit",
    "clash",
    "unison",
    "lock",
    "pitch_entropy",
    "ioi_entropy",
    "echo",
)
FIT = {"bass": 0.06, "mid": 0.065, "high": 0.006}  # half of what the real parts of 37 chorales reach
CLASH, LOCK, REST_S, DENSITY_RATIO = 0.14, 0.4, 0.15, 3.0


class TimedBand(Band):
    """Measures from a note of the human to new plans for all players."""

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        self.took_ms: list[float] = []

    def hear(self, event: HumanEvent, now: float) -> None:
        self._run(now)  # what was due before is not this note's work
        watch = Stopwatch()
        super().hear(event, now)
        if isinstance(event, NoteOn):
            self.took_ms.append(1e3 * watch.elapsed_s())


class Bench:
    """One model, many sessions."""

    def __init__(self, model: EventModel, scorer: ModuleType, out: Path) -> None:
        self._model, self._scorer, self._out = model, scorer, out
        self.took_ms: list[float] = []

    def session(
        self, take: ListTake, cues: tuple[str, ...] = (), seed: int = 1, *, tempo: bool = True
    ) -> list[PlayedNote]:
        """What was played. Raises AssertionError where a note hangs."""
        self._model.reset()
        settings, memory = Settings(), Memory()
        band = TimedBand(self._model, memory, settings.band, seed)
        beat = BeatTracker(take.tempo_bpm if tempo else 0.0)
        played = jam(settings, take, band, beat, cues=[parse_cue(cue) for cue in cues])
        assert played.hanging == 0, f"{played.hanging} notes hang after {take.name}"
        self.took_ms.extend(band.took_ms)
        return list(played.notes)

    def score(self, name: str, notes: list[PlayedNote]) -> dict[str, dict[str, float]]:
        path = self._out / f"{name}.jsonl"
        write(path, notes)
        scores: dict[str, dict[str, float]] = self._scorer.score(self._scorer.load(path))
        return scores


def load_scorer(path: Path) -> ModuleType:
    """The scorer as a module."""
    spec = importlib.util.spec_from_file_location("score_band", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def mean(rows: list[dict[str, dict[str, float]]]) -> dict[str, dict[str, float]]:
    """The mean over sessions, by band and column."""
    return {
        band: {c: float(np.nanmean([row[band][c] for row in rows if band in row] or [np.nan])) for c in COLUMNS}
        for band in BANDS
    }


def show(title: str, table: dict[str, dict[str, float]]) -> None:
    print(f"\n{title}\n{'':6}" + "".join(f"{c:>14}" for c in COLUMNS))
    for band, row in table.items():
        print(f"{band:6}" + "".join(f"{row[c]:14.3f}" for c in COLUMNS))


def rate(notes: list[PlayedNote], take: ListTake) -> dict[str, float]:
    """Notes a second of each band."""
    return {band: sum(n.part == band for n in notes) / take.duration_s for band in BANDS}


def rest(bench: Bench, takes: list[ListTake]) -> dict[str, Any]:
    """How long after `rest` a band still sounds; s, the worst and the median of many moments."""
    after = []
    for i, take in enumerate(takes):
        for k, band in enumerate(BANDS):
            at = 8.0 + 0.371 * (3 * i + k)
            notes = bench.session(take, (f"{at:.3f}:{band}:rest",))
            after.append(max([n.offset for n in notes if n.part == band and n.onset < at + 1.0], default=at) - at)
            assert not [n for n in notes if n.part == band and n.onset > at + REST_S], f"{band} plays after rest"
    return {"worst_s": max(after), "median_s": float(np.median(after)), "moments": len(after)}


def main() -> int:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--data", type=Path, required=True, help="folder with bach_chorales.jsonl.gz")
    args.add_argument("--scorer", type=Path, required=True, help="score_band.py")
    args.add_argument("--out", type=Path, required=True)
    args.add_argument("--model", default="band-v1", help="name or folder")
    args.add_argument("--pieces", type=int, default=10)
    args.add_argument("--delay-ms", type=float, default=20.0)
    a = args.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    bench = Bench(EventModel(store.find(a.model, "band")).start(), load_scorer(a.scorer), a.out)
    takes = chorales(a.data, a.pieces, a.delay_ms / 1e3)

    real = mean([bench.score(f"{take.name}.real", take.played()) for take in takes])
    sessions = [bench.session(take) for take in takes]
    took = list(bench.took_ms)
    ours = mean([bench.score(take.name, notes) for take, notes in zip(takes, sessions, strict=True)])
    found = mean([bench.score(f"{t.name}.found", bench.session(t, tempo=False)) for t in takes[:4]])
    show(f"real parts, {len(takes)} chorales", real)
    show("ours, all accompany, tempo given", ours)
    show("ours, tempo found from the playing (4 chorales)", found)

    density = {}
    for value in (0.1, 0.3, 0.5, 0.7, 0.9):
        rates = [rate(bench.session(t, (f"0:all:density={value}",)), t) for t in takes[:3]]
        density[value] = {band: float(np.mean([r[band] for r in rates])) for band in BANDS}
    print("\ndensity   " + "".join(f"{band:>8}" for band in BANDS) + "   notes/s (3 chorales)")
    for value, row in density.items():
        print(f"{value:<10}" + "".join(f"{row[band]:8.2f}" for band in BANDS))
    ratio = {band: density[0.9][band] / max(density[0.1][band], 1e-9) for band in BANDS}
    silence = rest(bench, takes[:4])
    same = bench.session(takes[0]) == sessions[0] and bench.session(takes[0], seed=2) != sessions[0]
    p50, p99 = (float(np.percentile(took, q)) for q in (50, 99))

    gates = {
        "in_range 1.0": all(ours[b]["in_range"] == 1.0 for b in BANDS),
        "overlaps 0": all(ours[b]["overlaps"] == 0 for b in BANDS),
        f"clash <= {CLASH}": all(ours[b]["clash"] <= CLASH for b in BANDS),
        f"lock >= {LOCK}": all(ours[b]["lock"] >= LOCK for b in BANDS),
        f"fit >= {FIT}": all(ours[b]["fit"] >= FIT[b] for b in BANDS),
        f"density x{DENSITY_RATIO:g}": all(r >= DENSITY_RATIO for r in ratio.values()),
        f"rest within {REST_S} s": silence["worst_s"] <= REST_S,
        "same seed, same notes": same,
    }
    print(f"\ndensity 0.9 against 0.1: {', '.join(f'{b} x{r:.1f}' for b, r in ratio.items())}")
    print(f"rest: silent after {1e3 * silence['worst_s']:.0f} ms at worst of {silence['moments']} moments")
    print(f"a note of the human to new plans for all: p50 {p50:.2f} ms, p99 {p99:.2f} ms ({len(took)} notes)")
    for gate, held in gates.items():
        print(f"{'ok  ' if held else 'MISS'} {gate}")
    result = {
        "real": real,
        "ours": ours,
        "tempo_found": found,
        "density": density,
        "rest": silence,
        "plans_ms": {"p50": p50, "p99": p99},
        "gates": gates,
        "pieces": [take.name for take in takes],
    }
    (a.out / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if all(gates.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
