"""Heads that only training looks at; they lie in the official weights."""

import torch
from torch import Tensor, nn

from models.cutie.config import NetworkConfig
from models.cutie.network.layers import flatten_objects, split_objects


class SensoryHead(nn.Module):
    """Reads a mask from the sensory memory alone."""

    def __init__(self, sensory_dim: int, pixel_dim: int) -> None:
        super().__init__()
        self.projection = nn.Conv2d(sensory_dim, pixel_dim + 1, kernel_size=1)

    def forward(self, pix_feat: Tensor, sensory: Tensor) -> Tensor:
        """Map pix_feat (B, P, h, w) and sensory (B, K, S, h, w) to logits (B, K, h, w)."""
        x = split_objects(self.projection(flatten_objects(sensory)), sensory.shape[1])
        weighted = torch.einsum("bchw,bkchw->bkhw", pix_feat, x[:, :, :-1])
        return weighted + x[:, :, -1]


class Auxiliary(nn.Module):
    """All training-only heads."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.sensory_aux = SensoryHead(config.sensory_dim, config.pixel_dim)
