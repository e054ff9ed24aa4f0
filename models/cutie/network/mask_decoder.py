"""The mask decoder: from the enriched readout at stride 16 to mask logits at stride 4, or 2."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.cutie.config import NetworkConfig
from models.cutie.network.layers import ResidualBlock, add_shared
from models.cutie.network.sensory import ShallowUpdate


class SkipConnections(nn.Module):
    """Brings the image's finer features to the decoder's widths."""

    def __init__(self, widths_in: tuple[int, int], widths: tuple[int, int]) -> None:
        super().__init__()
        pairs = zip(widths_in, widths, strict=True)
        self.transforms = nn.ModuleList(nn.Conv2d(a, b, kernel_size=1) for a, b in pairs)

    def forward(self, f8: Tensor, f4: Tensor) -> tuple[Tensor, Tensor]:
        """Map the features at strides 8 and 4, each (B, C, ...)."""
        return self.transforms[0](f8), self.transforms[1](f4)


class Upsample(nn.Module):
    """Doubles the size and adds what the image shows there."""

    def __init__(self, width_in: int, width_out: int, *, group_norm: bool) -> None:
        super().__init__()
        self.out_conv = ResidualBlock(width_in, width_out, group_norm=group_norm)

    def forward(self, group: Tensor, skip: Tensor) -> Tensor:
        """Map (N, C, h, w) and the image's (B, C, 2h, 2w) to (N, C', 2h, 2w)."""
        with torch.autocast(group.device.type, enabled=False):  # which would widen the map first
            group = F.interpolate(group, scale_factor=2, mode="bilinear", align_corners=False)
        finer: Tensor = self.out_conv(add_shared(group, skip))
        return finer


class EdgeDecoder(nn.Module):
    """Doubles the size of logits once more, by what the image itself shows at stride 2.

    A dancer's true mask, averaged over cells of stride 4 and drawn from these, has J .92; .97 from
    stride 2 (DAVIS, 640x352).
    """

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(3, width, kernel_size=3, stride=2, padding=1)
        self.spread = nn.Conv2d(width_in, 4 * width, kernel_size=1)
        self.conv = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.pred = nn.Conv2d(width, 1, kernel_size=3, padding=1, bias=False)
        # At first nothing changes, so that learned weights can be given edges later.
        nn.init.zeros_(self.pred.weight)

    def forward(self, p4: Tensor, logits: Tensor, edges: Tensor) -> Tensor:
        """Map p4 (N, C, h, w), logits (N, 1, h, w) and the image's `look` (B, E, 2h, 2w).

        Returns logits (N, 1, 2h, 2w).
        """
        finer = F.pixel_shuffle(self.spread(F.relu(p4)), 2)
        finer = F.relu_(self.conv(F.relu_(add_shared(finer, edges))))
        coarse = F.interpolate(logits, scale_factor=2, mode="bilinear", align_corners=False)
        change: Tensor = self.pred(finer)
        return coarse + change.float()


class MaskDecoder(nn.Module):
    """Two upsampling steps, the mask's logits, and the sensory memory after them.

    A third step where the config asks for it; the sensory memory has no use for that.
    """

    def __init__(self, config: NetworkConfig, channels: tuple[int, int, int]) -> None:
        super().__init__()
        w16, w8, w4 = config.decoder_widths
        self.sensory_update = ShallowUpdate(config.decoder_widths, config.sensory_dim)
        self.decoder_feat_proc = SkipConnections((channels[1], channels[2]), (w16, w8))
        self.up_16_8 = Upsample(w16, w8, group_norm=config.group_norm)
        self.up_8_4 = Upsample(w8, w4, group_norm=config.group_norm)
        self.pred = nn.Conv2d(w4, 1, kernel_size=3, padding=1)
        self.edges = EdgeDecoder(w4, config.edge_dim) if config.edge_dim else None

    def image_edges(self, image: Tensor) -> Tensor | None:
        """Map normalised images (B, 3, H, W) to what the edges are drawn by, at stride 2."""
        return None if self.edges is None else self.edges.look(image)

    def forward(
        self,
        skips: tuple[Tensor, Tensor],
        edges: Tensor | None,
        readout: Tensor,
        sensory: Tensor | None,
    ) -> tuple[Tensor, Tensor | None]:
        """Map readout (N, C, h, w), the image's skip connections and its `look` to logits.

        These are (N, 1, 4h, 4w), or (N, 1, 8h, 8w) with edges. The second result is the new sensory
        memory (N, S, h, w), where one was given.
        """
        p16 = readout
        p8 = self.up_16_8(p16, skips[0])
        p4 = self.up_8_4(p8, skips[1])
        with torch.autocast(p4.device.type, enabled=False):
            logits = self.pred(F.relu(p4.float()))
        if sensory is not None:
            sensory = self.sensory_update(p16, p8, p4, logits, sensory)
        if self.edges is not None:
            assert edges is not None
            logits = self.edges(p4, logits, edges)
        return logits, sensory
