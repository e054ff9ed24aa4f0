"""Object memory: a few vectors that sum up how an object looks."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.cutie.config import NetworkConfig
from models.cutie.network.layers import PositionalEncoding


class ObjectSummarizer(nn.Module):
    """Pools a value into Q vectors, half of them from inside the mask, half from outside."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width, queries = config.embed_dim, config.transformer.queries
        self.queries = queries
        self.pos_enc = PositionalEncoding(width)
        self.input_proj = nn.Linear(config.value_dim, width)
        self.feature_pred = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(inplace=True), nn.Linear(width, width)
        )
        self.weights_pred = nn.Sequential(
            nn.Linear(width, width), nn.ReLU(inplace=True), nn.Linear(width, queries)
        )

    def forward(self, value: Tensor, masks: Tensor) -> Tensor:
        """Map value (N, V, h, w) and masks (N, 1, H, W) to summaries (N, Q, E + 1), float32.

        The last channel is the sum of the weights, so that summaries of frames can be added up.
        """
        height, width = value.shape[-2:]
        inside = F.interpolate(masks, size=(height, width), mode="area").flatten(1).unsqueeze(-1)
        half = (-1, -1, self.queries // 2)
        allowed = torch.cat([inside.expand(half), (1 - inside).expand(half)], dim=-1)  # (N, hw, Q)
        x = self.input_proj(value.flatten(2).transpose(1, 2)) + self.pos_enc(height, width)
        with torch.autocast(x.device.type, enabled=False):
            x = x.float()
            weights = self.weights_pred(x).sigmoid() * allowed.float()  # (N, hw, Q)
            sums = weights.transpose(1, 2) @ self.feature_pred(x)  # (N, Q, E)
        return torch.cat([sums, weights.sum(dim=1).unsqueeze(-1)], dim=-1)
