"""InternImage-T as VMOS has it: the fourth stage keeps the third one's width and stride."""

from collections.abc import Sequence
from typing import cast

import torch.nn.functional as F
from torch import Tensor, nn

from models.vmos.config import VmosConfig
from models.vmos.network.deformable import DeformableConv, ToLast

_EPS = 1e-6


class ToFirst(nn.Module):
    """Maps (B, H, W, C) to (B, C, H, W)."""

    def forward(self, maps: Tensor) -> Tensor:
        """Move the channels behind the batch."""
        return maps.permute(0, 3, 1, 2)


class Stem(nn.Module):
    """Two convolutions that bring an image to stride 4."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.conv1 = nn.Conv2d(3, half, 3, stride=2, padding=1)
        self.norm1 = nn.Sequential(ToLast(), nn.LayerNorm(half, eps=_EPS), ToFirst())
        self.conv2 = nn.Conv2d(half, channels, 3, stride=2, padding=1)
        self.norm2 = nn.Sequential(ToLast(), nn.LayerNorm(channels, eps=_EPS))

    def forward(self, image: Tensor) -> Tensor:
        """Map (B, 3, H, W) to (B, H / 4, W / 4, C)."""
        x: Tensor = self.norm2(self.conv2(F.gelu(self.norm1(self.conv1(image)))))
        return x


class Mlp(nn.Module):
    """Two linear layers with a GELU between them, four times as wide inside."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(channels, 4 * channels)
        self.fc2 = nn.Linear(4 * channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (..., C) to (..., C)."""
        result: Tensor = self.fc2(F.gelu(self.fc1(x)))
        return result


class Block(nn.Module):
    """A deformable convolution and a perceptron, each scaled and added to what came in."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.norm1 = nn.Sequential(nn.LayerNorm(channels, eps=_EPS))
        self.dcn = DeformableConv(channels, groups, eps=_EPS)
        self.norm2 = nn.Sequential(nn.LayerNorm(channels, eps=_EPS))
        self.mlp = Mlp(channels)
        self.gamma1 = nn.Parameter(self.mlp.fc1.weight.new_ones(channels))
        self.gamma2 = nn.Parameter(self.mlp.fc1.weight.new_ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, H, W, C) to (B, H, W, C)."""
        x = x + self.gamma1 * self.dcn(self.norm1(x))
        return x + self.gamma2 * cast("Tensor", self.mlp(self.norm2(x)))


class Downsample(nn.Module):
    """A convolution that halves the map."""

    def __init__(self, channels: int, channels_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels_out, 3, stride=2, padding=1, bias=False)
        self.norm = nn.Sequential(ToLast(), nn.LayerNorm(channels_out, eps=_EPS))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, H, W, C) to (B, H / 2, W / 2, C')."""
        return cast("Tensor", self.norm(self.conv(x.permute(0, 3, 1, 2))))


class Stage(nn.Module):
    """Blocks of one width, and what leads to the next stage."""

    def __init__(self, channels: int, depth: int, groups: int, following: int | None) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(Block(channels, groups) for _ in range(depth))
        self.norm = nn.Sequential(nn.LayerNorm(channels, eps=_EPS))
        if following is not None:
            self.downsample: Downsample = Downsample(channels, following)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, H, W, C) to (B, H, W, C), normalised."""
        for block in self.blocks:
            x = block(x)
        return cast("Tensor", self.norm(x))


class Encoder(nn.Module):
    """The image encoder. `levels.2.downsample` lies in the official weights and is never used."""

    def __init__(self, config: VmosConfig) -> None:
        super().__init__()
        self.patch_embed = Stem(config.channels[0])
        following: Sequence[int | None] = (*config.channels[1:3], 2 * config.channels[2], None)
        # The official downsampling of the third stage was made for a fourth one of twice its width.
        self.levels = nn.ModuleList(
            Stage(*each)
            for each in zip(config.channels, config.depths, config.groups, following, strict=True)
        )

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map a normalised image (B, 3, H, W) to (B, C, h, w) at strides 4, 8 and 16."""
        first, second, third, fourth = (cast("Stage", level) for level in self.levels)
        s4 = first(self.patch_embed(image))
        s8 = second(first.downsample(s4))
        s16 = fourth(third(second.downsample(s8)))
        return s4.permute(0, 3, 1, 2), s8.permute(0, 3, 1, 2), s16.permute(0, 3, 1, 2)
