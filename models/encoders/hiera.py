"""SAM 2's image encoder: a Hiera trunk with a feature pyramid, out of the `sam2` package.

Hiera: Ryali et al., ICML 2023. As used in SAM 2: Ravi et al., 2024, section 4.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from models.encoders.shape import check_multiple

_PYRAMID_WIDTH = 256


class Levels(Enum):
    """Which feature maps the encoder gives at strides 16, 8 and 4."""

    TRUNK = "trunk"  # the trunk's own stages
    PYRAMID = "pyramid"  # the feature pyramid, 256 channels each
    DECODER = "decoder"  # what SAM 2's mask decoder reads: the pyramid at 256, 64, 32 channels


@dataclass(frozen=True, slots=True)
class HieraSize:
    """The trunk of one SAM 2 size; blocks, windows and widths are per stage of strides 4 to 32."""

    width: int  # of the first stage; it doubles from stage to stage, as the heads do
    heads: int
    blocks: tuple[int, int, int, int]
    global_blocks: tuple[int, int, int]  # those that attend to the whole image, all of stage 3
    windows: tuple[int, int, int, int] = (8, 4, 14, 7)
    background: int = 7  # side of the coarse position embedding

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Channels at strides 4, 8, 16 and 32."""
        return (self.width, self.width * 2, self.width * 4, self.width * 8)


SIZES = {
    "tiny": HieraSize(96, 1, (1, 2, 7, 2), (5, 7, 9)),
    "small": HieraSize(96, 1, (1, 2, 11, 2), (7, 10, 13)),
    "base-plus": HieraSize(112, 2, (2, 3, 16, 3), (12, 16, 20), background=14),
    "large": HieraSize(144, 2, (2, 6, 36, 4), (23, 33, 43), windows=(8, 4, 16, 8)),
}


class HieraEncoder(nn.Module):
    """SAM 2's image encoder as a pixel encoder; parameter names are the official ones.

    The stage at stride 32 is built only where the pyramid needs it.
    """

    multiple = 32

    def __init__(self, size: str, levels: Levels) -> None:
        super().__init__()
        chosen = SIZES[size]
        stages = 3 if levels is Levels.TRUNK else 4
        self._levels = levels
        self._left_out = tuple(
            f"trunk.blocks.{block}."
            for block in range(sum(chosen.blocks[:stages]), sum(chosen.blocks))
        )
        self.trunk = _trunk(chosen, stages=stages)
        w4, w8, w16, w32 = chosen.widths
        self.channels: tuple[int, int, int] = (w16, w8, w4)
        if levels is Levels.TRUNK:
            return
        self.channels = (_PYRAMID_WIDTH,) * 3
        self.neck = _Neck((w32, w16, w8, w4))
        if levels is Levels.DECODER:
            self.channels = (_PYRAMID_WIDTH, 64, 32)
            self.conv_s1 = nn.Conv2d(_PYRAMID_WIDTH, 64, 1)
            self.conv_s0 = nn.Conv2d(_PYRAMID_WIDTH, 32, 1)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map a normalised image (B, 3, H, W) to features at strides 16, 8 and 4."""
        check_multiple(image, self.multiple)
        stages: list[Tensor] = self.trunk(image)
        if self._levels is Levels.TRUNK:
            f4, f8, f16 = stages
            return f16, f8, f4
        f16, f8, f4 = self.neck(stages)
        if self._levels is Levels.DECODER:
            return f16, self.conv_s1(f8), self.conv_s0(f4)
        return f16, f8, f4

    def outlets(self) -> list[nn.Module]:
        """Return what leads from the trunk's stages to the features, finest first.

        Each maps (..., C) by channel. With four stages the last two results are to be added up,
        the coarser one enlarged. Layers that follow each other are joined into one.
        """
        if self._levels is Levels.TRUNK:
            return [nn.Identity() for _ in range(3)]
        w4, w8, w16, w32 = (_linear(level) for level in self.neck.convolutions())
        if self._levels is Levels.DECODER:
            return [
                _joined(w4, _linear(self.conv_s0)),
                _joined(w8, _linear(self.conv_s1)),
                w16,
                w32,
            ]
        return [w4, w8, w16, w32]

    def select(self, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return this encoder's part of a SAM 2 state dict, under this encoder's names."""
        return {
            name: tensor
            for name, tensor in _renamed(state)
            if name.partition(".")[0] in self._modules and not name.startswith(self._left_out)
        }


def _linear(convolution: nn.Conv2d) -> nn.Linear:
    """Return a 1x1 convolution as a layer over the last axis."""
    layer = nn.Linear(convolution.in_channels, convolution.out_channels)
    assert convolution.bias is not None
    layer.load_state_dict({"weight": convolution.weight.flatten(1), "bias": convolution.bias})
    return layer


@torch.no_grad()
def _joined(first: nn.Linear, second: nn.Linear) -> nn.Linear:
    """Return the one layer that does what two do."""
    layer = nn.Linear(first.in_features, second.out_features)
    bias = second.bias + second.weight @ first.bias
    layer.load_state_dict({"weight": second.weight @ first.weight, "bias": bias})
    return layer


class _Neck(nn.Module):
    """The feature pyramid: SAM 2 adds stride 32 to stride 16 and leaves 8 and 4 as they are."""

    def __init__(self, widths: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.convs = nn.ModuleList(
            nn.Sequential(OrderedDict(conv=nn.Conv2d(width, _PYRAMID_WIDTH, 1))) for width in widths
        )

    def convolutions(self) -> list[nn.Conv2d]:
        """Return the convolution of each stage, finest first."""
        return [each for each in self.convs.modules() if isinstance(each, nn.Conv2d)][::-1]

    def forward(self, stages: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        f32, f16, f8, f4 = (
            conv(stage) for conv, stage in zip(self.convs, reversed(stages), strict=True)
        )
        # In float32, as SAM 2 was trained, also under autocast.
        return f16 + interpolate(f32.float(), scale_factor=2.0, mode="nearest"), f8, f4


def _trunk(size: HieraSize, *, stages: int) -> nn.Module:
    from sam2.modeling.backbones.hieradet import Hiera  # noqa: PLC0415

    trunk: nn.Module = Hiera(
        embed_dim=size.width,
        num_heads=size.heads,
        q_pool=stages - 1,
        stages=size.blocks[:stages],
        window_spec=size.windows[:stages],
        global_att_blocks=size.global_blocks,
        window_pos_embed_bkg_spatial_size=(size.background, size.background),
    )
    return trunk


def _renamed(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    for name, tensor in state.items():
        yield name.removeprefix("image_encoder.").removeprefix("sam_mask_decoder."), tensor
