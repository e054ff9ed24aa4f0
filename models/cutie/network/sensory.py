"""Sensory memory: what an object looked like just now, at stride 16, renewed by gates."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class _Gates(nn.Module):
    """One step of the recurrence; its state is float32 whatever the network around it is."""

    def __init__(self, width_in: int, sensory_dim: int) -> None:
        super().__init__()
        self.transform = nn.Conv2d(width_in + sensory_dim, sensory_dim * 3, 3, padding=1)
        nn.init.xavier_normal_(self.transform.weight)

    def step(self, x: Tensor, sensory: Tensor) -> Tensor:
        sensory = sensory.float()
        gates = self._gates(torch.cat([x.float(), sensory], dim=1)).float()
        forget, update, new = gates.chunk(3, dim=1)
        update = update.sigmoid()
        kept = forget.sigmoid() * sensory * (1 - update)
        return torch.addcmul(kept, update, new.tanh())

    def _gates(self, x: Tensor) -> Tensor:
        """Return the gates, in half precision on a CPU alone: J&F stays, a tenth of the time goes.

        On a GPU in float32, as the official weights were trained.
        """
        half = x.device.type == "cpu" and torch.is_autocast_enabled("cpu")
        with torch.autocast(x.device.type, enabled=half):
            gates: Tensor = self.transform(x)
        return gates


class DeepUpdate(_Gates):
    """Renews the sensory memory from a mask's value, on frames that are remembered."""

    def forward(self, value: Tensor, sensory: Tensor) -> Tensor:
        """Map value (N, C, h, w) and sensory (N, S, h, w) to the new sensory."""
        return self.step(value, sensory)


class ShallowUpdate(_Gates):
    """Renews the sensory memory from the decoder's maps, on frames in between."""

    def __init__(self, widths: tuple[int, int, int], sensory_dim: int) -> None:
        super().__init__(sensory_dim, sensory_dim)
        self.g16_conv = nn.Conv2d(widths[0], sensory_dim, kernel_size=1)
        self.g8_conv = nn.Conv2d(widths[1], sensory_dim, kernel_size=1)
        self.g4_conv = nn.Conv2d(widths[2] + 1, sensory_dim, kernel_size=1)

    def forward(
        self, p16: Tensor, p8: Tensor, p4: Tensor, logits: Tensor, sensory: Tensor
    ) -> Tensor:
        """Map the decoder's maps (N, C, ...) and logits (N, 1, 4h, 4w) to the new sensory."""
        finest = torch.cat([F.avg_pool2d(p4, 4), F.avg_pool2d(logits, 4).type_as(p4)], dim=1)
        x = self.g16_conv(p16) + self.g8_conv(F.avg_pool2d(p8, 2)) + self.g4_conv(finest)
        return self.step(x, sensory)
