"""A GRU over a sequence with a hand-written backward pass; the equations are those of torch.nn.GRU.

Torch's own adds up the weight gradient step by step, this one takes it in a single product at the end.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


class _Layer(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gates: Tensor, state: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """(T, B, 3H) input gates, (B, H), (3H, H), (3H,) -> (T, B, H)."""
        steps, batch, width = gates.shape
        n = width // 3
        low = weight.to(gates.dtype)
        turned = low.t().contiguous()
        held = torch.empty(steps + 1, batch, n)
        held[0] = state
        both, new, recurrent = (
            torch.empty(steps, batch, 2 * n),
            torch.empty(steps, batch, n),
            torch.empty(steps, batch, n),
        )
        bias = bias.to(gates.dtype)
        for t in range(steps):
            gh = torch.addmm(bias, held[t].to(gates.dtype), turned).float()
            torch.sigmoid(gates[t, :, : 2 * n].float().add_(gh[:, : 2 * n]), out=both[t])
            recurrent[t] = gh[:, 2 * n :]
            torch.tanh(torch.addcmul(gates[t, :, 2 * n :].float(), both[t, :, :n], gh[:, 2 * n :]), out=new[t])
            torch.lerp(new[t], held[t], both[t, :, n:], out=held[t + 1])
        ctx.save_for_backward(both, new, recurrent, held, low)
        return held[1:].clone()

    @staticmethod
    def backward(ctx, grad: Tensor):
        both, new, recurrent, held, low = ctx.saved_tensors
        steps, batch, n = new.shape
        reset, keep = both[..., :n], both[..., n:]
        slope_new = (1.0 - keep) * (1.0 - new * new)
        slope_keep = (held[:-1] - new) * keep * (1.0 - keep)
        slope_reset = recurrent * reset * (1.0 - reset)
        d_gates = torch.empty(steps, batch, 3 * n)
        d_hidden = torch.empty(steps, batch, 3 * n, dtype=low.dtype)
        back = torch.zeros(batch, n)
        for t in range(steps - 1, -1, -1):
            total = grad[t] + back
            d_new = total * slope_new[t]
            torch.mul(d_new, slope_reset[t], out=d_gates[t, :, :n])
            torch.mul(total, slope_keep[t], out=d_gates[t, :, n : 2 * n])
            d_gates[t, :, 2 * n :] = d_new
            d_hidden[t, :, : 2 * n] = d_gates[t, :, : 2 * n]
            d_hidden[t, :, 2 * n :] = d_new * reset[t]
            back = torch.addcmul(torch.mm(d_hidden[t], low).float(), total, keep[t])
        flat = d_hidden.view(-1, 3 * n)
        d_weight = torch.mm(flat.t(), held[:-1].reshape(-1, n).to(low.dtype)).float()
        return d_gates.to(low.dtype), back, d_weight, flat.float().sum(0)


def run(module: torch.nn.GRU, x: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
    """As `module(x, state)` for a batch-first GRU: (B, T, I) -> (B, T, H), (layers, B, H)."""
    sequence = x.transpose(0, 1)
    last = []
    for layer in range(module.num_layers):
        weights = [getattr(module, f"{name}_l{layer}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
        gates = F.linear(sequence, weights[0], weights[2])
        start = torch.zeros(x.shape[0], module.hidden_size) if state is None else state[layer]
        sequence = _Layer.apply(gates, start, weights[1], weights[3])
        last.append(sequence[-1])
    return sequence.transpose(0, 1), torch.stack(last)
