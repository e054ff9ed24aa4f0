"""The image encoder that a config names."""

from typing import Protocol, cast

from torch import Tensor, nn

from models.cutie.config import EncoderConfig, EncoderKind
from models.cutie.resnet import ResNetEncoder


class PixelEncoder(Protocol):
    """An image encoder: `channels` at strides 16, 8 and 4; H and W are multiples of `multiple`."""

    channels: tuple[int, int, int]
    multiple: int

    def __call__(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map a normalised image (B, 3, H, W) to features at strides 16, 8 and 4."""


def build_pixel_encoder(config: EncoderConfig) -> nn.Module:
    """Return the encoder, with random weights; it is a PixelEncoder."""
    if config.kind is not EncoderKind.HIERA:
        return ResNetEncoder(config.kind)
    from models.encoders.fusion import build_encoder  # noqa: PLC0415

    return cast("nn.Module", build_encoder(config.size, depth=config.depth, widths=config.widths))
