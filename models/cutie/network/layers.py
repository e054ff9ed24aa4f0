"""Blocks that several parts of the network share.

Shapes: B images, K objects, N = B * K with the objects of an image side by side, C channels,
h and w at the stride at hand. Object-wise maps are (N, C, h, w), shared maps (B, C, h, w).
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_GROUPS = 8


def add_shared(group: Tensor, shared: Tensor) -> Tensor:
    """Add a map (B, C, h, w) to those of each object (N, C, h, w), in place."""
    # A sum of two types takes a CPU much longer than a conversion and a sum.
    shared = shared.type_as(group).unsqueeze(1)
    torch.unflatten(group, 0, (shared.shape[0], -1)).add_(shared)
    return group


def flatten_objects(maps: Tensor) -> Tensor:
    """Bring each object's maps (B, K, ...) to (N, ...); a pixel's channels stay together."""
    # One object's would get a stride from `flatten` that hides their order from torch, which then
    # writes everything that follows in another order, and back: a quarter of a decoder's time.
    return maps.squeeze(1) if maps.shape[1] == 1 else maps.flatten(0, 1)


def split_objects(maps: Tensor, objects: int) -> Tensor:
    """Bring maps (N, ...) of K objects an image to (B, K, ...), as `flatten_objects` took them."""
    return maps.unsqueeze(1) if objects == 1 else torch.unflatten(maps, 0, (-1, objects))


def as_map(rows: Tensor, height: int) -> Tensor:
    """Bring one row per pixel, (N, hw, C), to maps (N, C, h, w)."""
    return torch.unflatten(rows, 1, (height, -1)).permute(0, 3, 1, 2)


def side_by_side(maps: Sequence[Tensor]) -> Tensor:
    """Stack maps (B, C, h, w), one an object, to (B, K, C, h, w), a pixel's channels together."""
    if len(maps) == 1:
        return maps[0].unsqueeze(1)
    return torch.stack([each.movedim(1, -1) for each in maps], dim=1).movedim(-1, 2)


def others(masks: Tensor) -> Tensor:
    """Return for each object the sum of all other objects' masks, (B, K, h, w), at most 1."""
    return (masks.sum(dim=1, keepdim=True) - masks).clamp(0, 1)


def aggregate(probabilities: Tensor) -> Tensor:
    """Join independent object probabilities (B, K, ...) into logits (B, K + 1, ...).

    Soft aggregation of STM (Oh et al., 2019): the background is where no object is. The softmax
    of the result over dim 1 sums to 1. Always float32.
    """
    probabilities = probabilities.float()
    background = torch.prod(1 - probabilities, dim=1, keepdim=True)
    joined = torch.cat([background, probabilities], dim=1).clamp_(1e-7, 1 - 1e-7)
    return torch.logit(joined)


def norm(width: int, *, on: bool) -> nn.Module:
    """Return group normalisation, or nothing."""
    return nn.GroupNorm(_GROUPS, width) if on else nn.Identity()


class ChannelAttentionBlock(nn.Module):
    """A residual block whose branch is weighted channel by channel (ECA-Net, Wang et al., 2020)."""

    def __init__(self, width: int, *, group_norm: bool) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, padding=1)
        self.norm1 = norm(width, on=group_norm)
        self.norm2 = norm(width, on=group_norm)
        size = int((math.log2(width) + 1) // 2) | 1  # odd
        self.conv = nn.Conv1d(1, 1, kernel_size=size, padding=size // 2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, h, w) to the same shape."""
        y = self.norm1(self.conv1(F.relu(x)))
        y = self.norm2(self.conv2(F.relu_(y)))
        gate = self.conv(y.mean(dim=(2, 3)).unsqueeze(1)).sigmoid()  # (N, 1, C)
        return torch.addcmul(x, y, gate.transpose(1, 2).unsqueeze(-1))


class ResidualBlock(nn.Module):
    """A pre-activation residual block that may change the width."""

    def __init__(self, width_in: int, width_out: int, *, group_norm: bool) -> None:
        super().__init__()
        self.downsample: nn.Module = nn.Identity()
        if width_in != width_out:
            self.downsample = nn.Conv2d(width_in, width_out, kernel_size=1)
        self.conv1 = nn.Conv2d(width_in, width_out, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(width_out, width_out, kernel_size=3, padding=1)
        self.norm1 = norm(width_out, on=group_norm)
        self.norm2 = norm(width_out, on=group_norm)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C', h, w)."""
        y = self.norm1(self.conv1(F.relu(x)))
        y = self.norm2(self.conv2(F.relu_(y)))
        total: Tensor = y.add_(self.downsample(x))
        return total


class Distributor(nn.Module):
    """Joins what objects share and what is theirs, in one space."""

    def __init__(self, shared: int, group: int, width: int) -> None:
        super().__init__()
        self.x_transform = nn.Conv2d(shared, width, kernel_size=1)
        self.g_transform = nn.Conv2d(group, width, kernel_size=1)

    def forward(self, shared: Tensor, group: Tensor) -> Tensor:
        """Map (B, C, h, w) and (N, C', h, w) to (N, width, h, w)."""
        return add_shared(self.g_transform(group), self.x_transform(shared))


class Fuser(nn.Module):
    """Fuses the image's features into each object's."""

    def __init__(self, shared: int, group: int, width: int, *, group_norm: bool) -> None:
        super().__init__()
        self.distributor = Distributor(shared, group, width)
        self.block1 = ChannelAttentionBlock(width, group_norm=group_norm)
        self.block2 = ChannelAttentionBlock(width, group_norm=group_norm)

    def forward(self, shared: Tensor, group: Tensor) -> Tensor:
        """Map (B, C, h, w) and (N, C', h, w) to (N, width, h, w)."""
        fused: Tensor = self.block2(self.block1(self.distributor(shared, group)))
        return fused


class PositionalEncoding(nn.Module):
    """Sines and cosines of both coordinates, each scaled to the map's size.

    The frequencies lie in the state dict, as in the official weights.
    """

    inv_freq: Tensor

    def __init__(self, width: int, *, scale: float = 32, temperature: float = 128) -> None:
        super().__init__()
        self.scale = scale
        axis = math.ceil(width / 4) * 2
        exponent = torch.arange(0, axis, 2).float() / axis
        self.register_buffer("inv_freq", 1.0 / temperature**exponent)

    def forward(self, height: int, width: int) -> Tensor:
        """Return (height * width, C): x in the first half of the channels, y in the second."""
        along_x = self._axis(width).expand(height, -1, -1)
        along_y = self._axis(height).unsqueeze(1).expand(-1, width, -1)
        return torch.cat([along_x, along_y], dim=-1).flatten(0, 1)

    def _axis(self, length: int) -> Tensor:
        steps = torch.arange(length, device=self.inv_freq.device, dtype=self.inv_freq.dtype)
        angles = (steps / (length - 1 + 1e-6) * self.scale).unsqueeze(1) * self.inv_freq
        return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)  # interleaved
