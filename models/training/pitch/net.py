"""The net: per-semitone features -> harmonic stack -> causal dilated layers, all weights shared over the pitches.

Written so that one step is plain 1x1 convolutions over [pitches, channels] with the past given from outside: each
dilated layer sees its input now and `d` steps ago, and nothing else of the past is needed.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from improvbox.hearing.frontend import CHANNELS, FIRST_ROW, LEVELS, ROWS
from models.training.pitch.mix import PITCHES
from models.training.pitch.playing import LOWEST

# Rows that describe a pitch, in semitones from it: the octave below, partials 1 to 10 and 12.
HARMONICS = (-12, 0, 12, 19, 24, 28, 31, 34, 36, 38, 43)
# Other pitches whose partials coincide with this one's, or that it is mistaken for.
RELATIVES = (-24, -19, -16, -12, -7, -5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 7, 12, 16, 19, 24)
DILATIONS = (1, 2, 4, 8, 16)  # steps of 5.33 ms; together 165 ms of the past
CROSS_AFTER = (1, 3)  # dilated layers after which pitches see each other


class _Spread(torch.autograd.Function):
    """Weights [offsets, C, D] shared by all pitches as one matrix [rows * C, PITCHES * D], zero elsewhere.

    Row p + offset feeds pitch p. One large product wins over slices of a few channels by far on a CPU.
    """

    @staticmethod
    def forward(ctx, weight: Tensor, offsets: tuple[int, ...], rows: int, dtype: torch.dtype) -> Tensor:
        ctx.offsets, ctx.shape = offsets, (rows, weight.shape[1], PITCHES, weight.shape[2])
        matrix = torch.zeros(ctx.shape, dtype=dtype)
        for one, offset in zip(weight, offsets, strict=True):
            matrix.diagonal(-offset, 0, 2).copy_(one[..., None])
        return matrix.reshape(rows * weight.shape[1], -1)

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None, None, None]:
        spread = grad.reshape(ctx.shape)
        return torch.stack([spread.diagonal(-o, 0, 2).float().sum(-1) for o in ctx.offsets]), None, None, None


class Spread(nn.Module):
    """[N, rows, C] -> [N, PITCHES, D]: each pitch sees the rows at `offsets` from it, with the same weights."""

    def __init__(self, channels: int, out: int, rows: int, offsets: tuple[int, ...]) -> None:
        super().__init__()
        self.offsets, self.rows, self.out = offsets, rows, out
        bound = (channels * len(offsets)) ** -0.5
        self.weight = nn.Parameter(torch.empty(len(offsets), channels, out).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(out))

    def forward(self, x: Tensor) -> Tensor:
        matrix = _Spread.apply(self.weight, self.offsets, self.rows, x.dtype)
        spread = (x.flatten(1) @ matrix).unflatten(1, (PITCHES, self.out))
        return spread.add_(self.bias.to(x.dtype))


class _Ago(torch.autograd.Function):
    """x [B, T, ...] as it was `steps` ago, 0 before the start."""

    @staticmethod
    def forward(ctx, x: Tensor, steps: int) -> Tensor:
        ctx.steps = steps
        out = torch.empty_like(x)
        out[:, :steps], out[:, steps:] = 0, x[:, :-steps]
        return out

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[Tensor, None]:
        out = torch.empty_like(grad)
        out[:, -ctx.steps :], out[:, : -ctx.steps] = 0, grad[:, ctx.steps :]
        return out, None


class Cross(nn.Module):
    """Lets every pitch see its relatives, and the mean over all pitches."""

    def __init__(self, channels: int, narrow: int = 8) -> None:
        super().__init__()
        self.down = nn.Linear(channels, narrow)
        self.relatives = Spread(narrow, channels, PITCHES, RELATIVES)
        self.all = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """x [N, PITCHES, channels], not negative."""
        return x + self.relatives(self.down(x).relu_()).add_(self.all(x.mean(1)).unsqueeze(1)).relu_()


class Net(nn.Module):
    """local [B, T, ROWS, CHANNELS] and levels [B, T, LEVELS], both (uint8 - 128) / 127.5, to logits.

    Returns onset, frame, deviation (semitones), each [B, T, PITCHES], and release [B, T]: a string was let go just now.
    """

    def __init__(self, channels: int = 48, local: int = 16) -> None:
        super().__init__()
        self.local = nn.Conv1d(CHANNELS, local, 3, padding=1)
        self.stack = Spread(local, channels, ROWS, tuple(LOWEST - FIRST_ROW + h for h in HARMONICS))
        self.level_in, self.level_out = nn.Linear(2 * LEVELS, 32), nn.Linear(32, channels)
        self.place = nn.Parameter(torch.zeros(PITCHES, channels))
        self.mix = nn.Linear(channels, channels)
        self.now = nn.ModuleList([nn.Linear(channels, channels) for _ in DILATIONS])
        self.past = nn.ModuleList([nn.Linear(channels, channels, bias=False) for _ in DILATIONS])
        self.out = nn.ModuleList([nn.Linear(channels, channels) for _ in DILATIONS])
        self.cross = nn.ModuleList([Cross(channels) for _ in CROSS_AFTER])
        self.head_in = nn.Linear(channels, channels)
        self.head = nn.Linear(channels, 3)
        self.release_in, self.release = nn.Linear(channels, 16), nn.Linear(16, 1)
        nn.init.constant_(self.head.bias[:2], -4.0)
        for layer in self.out:
            nn.init.normal_(layer.weight, std=0.05)

    def forward(self, local: Tensor, levels: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        b, t = local.shape[:2]
        x = F.relu(self.local(local.flatten(0, 1).transpose(1, 2))).transpose(1, 2)
        rise = levels - F.pad(levels[:, :-1], (0, 0, 1, 0), value=-1.0)
        level = self.level_out(F.relu(self.level_in(torch.cat([levels, rise], -1)))).flatten(0, 1)
        x = self.stack(x).add_(self.place.to(level.dtype) + level.unsqueeze(1)).relu_()
        x = self.mix(x).add_(x).relu_()
        crosses = iter(self.cross)
        for i, d in enumerate(DILATIONS):
            ago = _Ago.apply(self.past[i](x).unflatten(0, (b, t)), d).flatten(0, 1)
            x = self.out[i](self.now[i](x).add_(ago).relu_()).add_(x).relu_()
            if i in CROSS_AFTER:
                x = next(crosses)(x)
        y = self.head(self.head_in(x).relu_()).unflatten(0, (b, t))
        release = self.release(self.release_in(x).relu_().mean(1)).unflatten(0, (b, t))
        return y[..., 0], y[..., 1], y[..., 2], release[..., 0]
