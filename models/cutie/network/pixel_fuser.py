"""The pixel fuser, which joins the readout of memory with what is known from just before."""

import torch
from torch import Tensor, nn

from models.cutie.config import NetworkConfig
from models.cutie.network.layers import Fuser


class PixelFuser(nn.Module):
    """Memory readout + sensory memory + last mask + the image, per object, at stride 16."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.fuser = Fuser(
            config.pixel_dim, config.value_dim, config.embed_dim, group_norm=config.group_norm
        )
        self.sensory_compress = nn.Conv2d(config.sensory_dim + 2, config.value_dim, kernel_size=1)

    def forward(
        self, pix_feat: Tensor, readout: Tensor, sensory: Tensor, last: Tensor, last_others: Tensor
    ) -> Tensor:
        """Map readout (N, V, h, w), sensory (N, S, h, w), last masks (N, 1, h, w) to (N, E, h, w).

        `pix_feat` is the image's, (B, P, h, w).
        """
        recent = torch.cat([sensory, last, last_others], dim=1)
        fused: Tensor = self.fuser(pix_feat, readout + self.sensory_compress(recent))
        return fused
