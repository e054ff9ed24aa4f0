"""Residual networks (He et al., 2016) up to stride 16, with their batch norms frozen."""

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn


class FrozenBatchNorm(nn.BatchNorm2d):
    """Batch normalisation that keeps its statistics as they are, in training too."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (N, C, h, w) by the stored statistics."""
        mean, variance = self.running_mean, self.running_var
        return F.batch_norm(x, mean, variance, self.weight, self.bias, training=False, eps=self.eps)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions."""

    expansion = 1

    def __init__(self, width_in: int, width: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = FrozenBatchNorm(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = FrozenBatchNorm(width)
        self.downsample = _shortcut(width_in, width, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C', h / stride, w / stride)."""
        y = F.relu_(self.bn1(self.conv1(x)))
        return F.relu_(self.bn2(self.conv2(y)).add_(self.downsample(x)))


class Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolutions; the last one widens four times."""

    expansion = 4

    def __init__(self, width_in: int, width: int, *, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width_in, width, 1, bias=False)
        self.bn1 = FrozenBatchNorm(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = FrozenBatchNorm(width)
        self.conv3 = nn.Conv2d(width, width * 4, 1, bias=False)
        self.bn3 = FrozenBatchNorm(width * 4)
        self.downsample = _shortcut(width_in, width * 4, stride=stride)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C', h / stride, w / stride)."""
        y = F.relu_(self.bn1(self.conv1(x)))
        y = F.relu_(self.bn2(self.conv2(y)))
        return F.relu_(self.bn3(self.conv3(y)).add_(self.downsample(x)))


def _shortcut(width_in: int, width_out: int, *, stride: int) -> nn.Module:
    if stride == 1 and width_in == width_out:
        return nn.Identity()
    convolution = nn.Conv2d(width_in, width_out, 1, stride=stride, bias=False)
    return nn.Sequential(convolution, FrozenBatchNorm(width_out))


def stage(
    block: type[BasicBlock] | type[Bottleneck],
    width_in: int,
    width: int,
    *,
    blocks: int,
    stride: int,
) -> nn.Sequential:
    """Return `blocks` blocks; the first strides, the last ends `width * block.expansion` wide."""
    width_out = width * block.expansion
    rest = (block(width_out, width, stride=1) for _ in range(blocks - 1))
    return nn.Sequential(block(width_in, width, stride=stride), *rest)


class ResNetEncoder(nn.Module):
    """Image features of a ResNet-18 or ResNet-50, named as in the official weights."""

    multiple = 16

    def __init__(self, *, layers: Literal[18, 50]) -> None:
        super().__init__()
        block = Bottleneck if layers == 50 else BasicBlock
        depths = (3, 4, 6) if layers == 50 else (2, 2, 2)
        wide = block.expansion
        self.channels = (256 * wide, 128 * wide, 64 * wide)
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = FrozenBatchNorm(64)
        self.res2 = stage(block, 64, 64, blocks=depths[0], stride=1)
        self.layer2 = stage(block, 64 * wide, 128, blocks=depths[1], stride=2)
        self.layer3 = stage(block, 128 * wide, 256, blocks=depths[2], stride=2)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map a normalised image (B, 3, H, W) to features at strides 16, 8 and 4."""
        x = F.relu_(self.bn1(self.conv1(image)))  # 1/2
        f4 = self.res2(F.max_pool2d(x, 3, stride=2, padding=1))
        f8 = self.layer2(f4)
        f16 = self.layer3(f8)
        return f16, f8, f4
