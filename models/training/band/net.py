"""The event model in torch: a recurrent core and heads, shared by the players; sizes: improvbox.band.vocabulary."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from improvbox.band import vocabulary as v
from models.training.band import gru

HIDDEN = 256
TIME_HIDDEN = 192
PITCH_HIDDEN = 256


def one_hot(categories: Tensor, table, floats: list[Tensor]) -> Tensor:
    """Categories (N, C) of `table` and float blocks (N, F) as dense rows, in the order of the runtime's rows."""
    starts = torch.as_tensor(v.offsets(table))
    size = sum(table.values())
    made = torch.zeros(categories.shape[0], size, dtype=torch.float32)
    made.scatter_(1, categories.long() + starts, 1.0)
    return torch.cat([made, *[f.float() for f in floats]], 1)


class Net(nn.Module):
    """`core` over a sequence, `time` and `pitch` on single queries."""

    def __init__(self, hidden: int = HIDDEN) -> None:
        super().__init__()
        self.hidden = hidden
        self.gru = nn.GRU(v.CORE_INPUTS, hidden, 2, batch_first=True)
        self.time_state, self.time_query = (
            nn.Linear(hidden, TIME_HIDDEN),
            nn.Linear(v.QUERY_INPUTS, TIME_HIDDEN, bias=False),
        )
        self.time_out = nn.Linear(TIME_HIDDEN, v.TIME_LOGITS)
        self.pitch_state = nn.Linear(hidden, PITCH_HIDDEN)
        self.pitch_query = nn.Linear(v.QUERY_INPUTS, PITCH_HIDDEN, bias=False)
        self.pitch_onset = nn.Linear(v.ONSET_ONE_HOT, PITCH_HIDDEN, bias=False)
        self.pitch_out = nn.Linear(PITCH_HIDDEN, v.PITCH_LOGITS)

    def core(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B, T, CORE_INPUTS) -> (B, T, H), state."""
        return gru.run(self.gru, x, state)

    def time(self, h: Tensor, z: Tensor) -> Tensor:
        """(N, H), (N, QUERY_INPUTS) -> (N, TIME_LOGITS)."""
        return self.time_out(F.relu(self.time_state(h) + self.time_query(z)))

    def pitch(self, h: Tensor, z: Tensor, onset: Tensor) -> Tensor:
        """(N, H), (N, QUERY_INPUTS), (N, ONSET_ONE_HOT) -> (N, PITCH_LOGITS)."""
        return self.pitch_out(F.relu(self.pitch_state(h) + self.pitch_query(z) + self.pitch_onset(onset)))
