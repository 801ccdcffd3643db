"""Logits as sums of views and the loss of each field, on batches of queries; twin of improvbox.band.sampling."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from improvbox.band import vocabulary as v
from improvbox.band.sampling import STRONGEST
from models.training.band.net import Net, one_hot

_TIME = v.slices(v.TIME_OUTPUTS)
_PITCH = v.slices(v.PITCH_OUTPUTS)
_OFFSETS = torch.as_tensor(STRONGEST)  # (12, 65) ticks of the candidates by phase
_LOW = torch.as_tensor(v.LOWEST)
_COUNT = torch.as_tensor(v.HIGHEST - v.LOWEST + 1)
_OTHERS = torch.tensor(v.OTHERS) + 1
UNKNOWN = -999  # of own_on, own_end: the player has not played
Batch = dict[str, Tensor]
FIELDS = ("time", "pitch", "velocity", "duration")


def query_rows(q: Batch, condition: Tensor) -> Tensor:
    """(N, QUERY_INPUTS)."""
    return one_hot(q["query"], v.QUERY_CATEGORIES, [q["query_floats"], q["profile"], condition])


def step_logits(out: Tensor, q: Batch) -> Tensor:
    """Metered onsets; (N, STEPS)."""
    ticks = _OFFSETS[q["phase"]]  # N, 65
    on, end = q["own_on"][:, None], q["own_end"][:, None]
    since = torch.where(on == UNKNOWN, v.VIEW_SINCE_NONE, (ticks - on).clamp(0, 97))
    gap = (ticks - end).clamp(v.VIEW_END_LOW, v.VIEW_END_HIGH) - v.VIEW_END_LOW
    gap = torch.where(end == UNKNOWN, v.VIEW_END_NONE, gap)
    phase = (q["phase"][:, None] + ticks) % 12
    views = (
        out[:, _TIME["since"]].gather(1, since)
        + out[:, _TIME["end"]].gather(1, gap)
        + out[:, _TIME["phase"]].gather(1, phase)
    )
    return out[:, _TIME["step"]] + F.pad(views, (0, 1))


def gap_logits(out: Tensor, q: Batch) -> Tensor:
    """Free onsets; (N, GAPS)."""
    own = q["own_gap"][:, None]
    place = (torch.arange(v.GAP_NONE)[None] - own).clamp(-8, 8) + 8
    place = torch.where(own < 0, v.VIEW_FREE_END_NONE, place)
    return out[:, _TIME["gap"]] + F.pad(out[:, _TIME["free_end"]].gather(1, place), (0, 1))


def time_logits(out: Tensor, q: Batch) -> Tensor:
    """Both worlds side by side, the wrong one ruled out; (N, STEPS + GAPS)."""
    metered = q["metered"][:, None]
    step = step_logits(out, q).masked_fill(~metered, -1e4)
    return torch.cat([step, gap_logits(out, q).masked_fill(metered, -1e4)], 1)


def time_targets(q: Batch) -> Tensor:
    """Index into `time_logits`."""
    return torch.where(q["metered"], step_bin(q["step"]), v.STEPS + q["gap"])


def step_bin(ticks: Tensor) -> Tensor:
    """As `vocabulary.step_bin`."""
    coarse = 49 + (ticks - 49).clamp(min=0) // 3
    return torch.where(ticks <= 48, ticks, torch.where(ticks <= 96, coarse, v.STEP_NONE))


def onset_rows(q: Batch) -> Tensor:
    """What the pitch head knows of the true onset; (N, ONSET_ONE_HOT)."""
    metered, step = q["metered"], q["step"]
    end = (step - q["own_end"]).clamp(v.VIEW_END_LOW, v.VIEW_END_HIGH) - v.VIEW_END_LOW
    end = torch.where(q["own_end"] == UNKNOWN, v.VIEW_END_NONE, end)
    columns = (
        torch.where(metered, step_bin(step), v.STEPS),
        torch.where(metered, (q["phase"] + step) % 12, v.PHASE_FREE),
        torch.where(metered, end, v.VIEW_END),
        torch.where(metered, v.GAPS, q["gap"]),
    )
    return one_hot(torch.stack(columns, 1), v.ONSET_CATEGORIES, [])


def pitch_logits(out: Tensor, q: Batch) -> Tensor:
    """(N, PITCHES), what lies above the register ruled out."""
    band, last = q["band"], q["last"]
    pitches = _LOW[band][:, None] + torch.arange(v.PITCHES)[None]
    own = last.gather(1, band[:, None] + 1)
    interval = torch.where(own < 0, v.INTERVAL_NONE, (pitches - own).clamp(-24, 24) + 24)
    logits = out[:, _PITCH["absolute"]] + out[:, _PITCH["interval"]].gather(1, interval)
    streams = torch.cat([torch.zeros_like(band)[:, None], _OTHERS[band]], 1)
    for i, name in enumerate(("human", "other", "third")):
        theirs = last.gather(1, streams[:, i : i + 1])
        logits = logits + out[:, _PITCH[name]].gather(1, torch.where(theirs < 0, 12, (pitches - theirs) % 12))
    classes = (pitches - q["reference"][:, None]) % 12
    profiles = q["profile"].float().unflatten(1, (len(v.HALF_LIVES_S), 12))
    views = profiles.gather(2, classes[:, None].expand(-1, len(v.HALF_LIVES_S), -1))
    logits = logits + (out[:, _PITCH["profile"]][:, :, None] * views).sum(1)
    return logits.masked_fill(torch.arange(v.PITCHES)[None] >= _COUNT[band][:, None], -1e4)


def duration_logits(out: Tensor, q: Batch) -> Tensor:
    """(N, 24): of ticks or of seconds."""
    return torch.where(q["metered"][:, None], out[:, _PITCH["duration_ticks"]], out[:, _PITCH["duration_s"]])


def nats(net: Net, h: Tensor, q: Batch, condition: Tensor) -> dict[str, Tensor]:
    """Per query and field, the cost of what was really played next; pitch, velocity, duration NaN where nothing was."""
    z = query_rows(q, condition)
    target = time_targets(q)
    costs = {"time": F.cross_entropy(time_logits(net.time(h, z).float(), q), target, reduction="none")}
    out = net.pitch(h, z, onset_rows(q)).float()
    played = (target != v.STEP_NONE) & (target != v.STEPS + v.GAP_NONE)
    for name, logits, goal in (
        ("pitch", pitch_logits(out, q), q["pitch"]),
        ("velocity", out[:, _PITCH["velocity"]], q["velocity"]),
        ("duration", duration_logits(out, q), q["length"]),
    ):
        cost = F.cross_entropy(logits, goal, reduction="none")
        costs[name] = torch.where(played, cost, torch.nan)
    return costs
