"""The fused encoder of appearance and geometry: Hiera's features and Depth Anything V2's.

THU-Warwick, EPIC-KITCHENS VISOR challenge 2025 (arXiv 2506.06748), section 3: at strides 4, 8 and
16 the features of both are concatenated and fused by a learnable MLP. The report leaves open which
Hiera levels and how wide: here the trunk's stages, and as wide as the result.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from models.encoders.depth import DepthEncoder
from models.encoders.hiera import HieraEncoder, Levels
from models.weights.checkpoint import load_strict, read_state


class FusedEncoder(nn.Module):
    """A visual and a depth encoder, fused at each stride by a two-layer MLP per pixel.

    Depth starts silent: its columns of the first layer are zero, so that adding the branch to a
    network changes nothing until it is trained.
    """

    def __init__(
        self, visual: HieraEncoder, depth: DepthEncoder, widths: tuple[int, int, int]
    ) -> None:
        super().__init__()
        self.multiple = max(visual.multiple, depth.multiple)
        self.channels = widths
        self.visual = visual
        self.depth = depth
        self.mixers = nn.ModuleList(
            _Mixer(seen, felt, width)
            for seen, felt, width in zip(visual.channels, depth.channels, widths, strict=True)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map a normalised image (B, 3, H, W) to features at strides 16, 8 and 4."""
        seen, felt = self.visual(image), self.depth(image)
        f16, f8, f4 = (torch.cat(pair, dim=1) for pair in zip(seen, felt, strict=True))
        return self.mix((f16, f8, f4))

    def mix(self, levels: tuple[Tensor, Tensor, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Fuse both encoders' maps, concatenated at strides 16, 8 and 4."""
        f16, f8, f4 = (mixer(level) for mixer, level in zip(self.mixers, levels, strict=True))
        return f16, f8, f4


class _Mixer(nn.Module):
    """Two 1x1 convolutions over two concatenated feature maps."""

    def __init__(self, seen: int, felt: int, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(seen + felt, width, 1)
        self.second = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.first.weight[:, seen:])

    def forward(self, both: Tensor) -> Tensor:
        return torch.as_tensor(self.second(self.first(both).relu()))


def build_encoder(
    size: str,
    *,
    depth: str | None = None,
    widths: tuple[int, int, int] = (1024, 512, 256),
    levels: Levels | None = None,
) -> HieraEncoder | FusedEncoder:
    """Return the encoder with random weights.

    `size`: tiny, small, base-plus or large. `depth`: small, base, large, or None for no depth
    branch; only with it `widths` (channels at strides 16, 8, 4) matter. `levels` defaults to the
    trunk's stages with depth, and to what SAM 2's mask decoder reads without, so that one pass of
    the encoder serves propagation and clicks.
    """
    chosen = levels or (Levels.TRUNK if depth else Levels.DECODER)
    visual = HieraEncoder(size, chosen)
    return FusedEncoder(visual, DepthEncoder(depth), widths) if depth else visual


def load_published(encoder: HieraEncoder | DepthEncoder, path: Path) -> None:
    """Load the encoder from a published SAM 2 or Depth Anything V2 file.

    Raises WeightsInvalidError where the file is not of this encoder.
    """
    load_strict(encoder, encoder.select(read_state(path)), path)
