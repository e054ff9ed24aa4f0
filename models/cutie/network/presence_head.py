"""The presence head: how likely an object is on a frame, by the evidence of it."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

PRESENCE = "presence_head."  # what begins the names of its parameters in a weights file

_FAR = 5.0  # deviations, beyond which evidence counts no more


class PresenceHead(nn.Module):
    """Weighs `width` numbers of evidence, each brought to a mean of 0 and a deviation of 1."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("deviation", torch.ones(width))
        self.weigh = nn.Linear(width, 1)

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> "PresenceHead | None":
        """Return the head that a weights file holds, or None where it holds none."""
        own = {
            name.removeprefix(PRESENCE): part
            for name, part in state.items()
            if name.startswith(PRESENCE)
        }
        if not own:
            return None
        head = cls(own["mean"].numel())
        head.load_state_dict(own)
        return head

    def forward(self, evidence: Tensor) -> Tensor:
        """Map evidence (K, width) to probabilities (K,)."""
        likely: Tensor = self.weigh(self.scaled(evidence))
        return likely[:, 0].sigmoid()

    def scaled(self, evidence: Tensor) -> Tensor:
        """Return evidence (K, width) in deviations from its mean."""
        return ((evidence - self.mean) / self.deviation).clamp(-_FAR, _FAR)
