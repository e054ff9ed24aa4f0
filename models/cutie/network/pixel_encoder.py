"""The image encoder that a config names, and the keys that its features are looked up by."""

from typing import Protocol, cast

from torch import Tensor, nn

from models.cutie.config import EncoderConfig, EncoderKind
from models.encoders.resnet import ResNetEncoder


class PixelEncoder(Protocol):
    """An image encoder: `channels` at strides 16, 8 and 4; H and W are multiples of `multiple`."""

    channels: tuple[int, int, int]
    multiple: int

    def __call__(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map a normalised image (B, 3, H, W) to features at strides 16, 8 and 4."""


def build_pixel_encoder(config: EncoderConfig) -> nn.Module:
    """Return the encoder, with random weights; it is a PixelEncoder."""
    if config.kind is not EncoderKind.HIERA:
        return ResNetEncoder(layers=50 if config.kind is EncoderKind.RESNET50 else 18)
    from models.encoders.fusion import build_encoder  # noqa: PLC0415

    return cast("nn.Module", build_encoder(config.size, depth=config.depth, widths=config.widths))


class KeyProjection(nn.Module):
    """Keys, shrinkage and selection for the anisotropic L2 similarity of XMem."""

    def __init__(self, width_in: int, width: int, key_dim: int) -> None:
        super().__init__()
        self.pix_feat_proj = nn.Conv2d(width_in, width, kernel_size=1)
        self.key_proj = nn.Conv2d(width, key_dim, kernel_size=3, padding=1)
        self.d_proj = nn.Conv2d(width, 1, kernel_size=3, padding=1)
        self.e_proj = nn.Conv2d(width, key_dim, kernel_size=3, padding=1)
        nn.init.orthogonal_(self.key_proj.weight)

    def forward(self, f16: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map (B, C, h, w) to key (B, D, h, w), shrinkage (B, 1, h, w) >= 1, selection 0 to 1."""
        x = self.pix_feat_proj(f16)
        shrinkage: Tensor = self.d_proj(x).square() + 1
        return self.key_proj(x), shrinkage, self.e_proj(x).sigmoid()
