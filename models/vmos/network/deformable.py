"""Deformable convolution, version 3 (Wang et al., "InternImage", 2023), without compiled code."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_POINTS = 9
# Elements of one sampled map: a larger one is sampled in parts, which bounds the memory.
_MOST_SAMPLES = 1 << 25


class ToLast(nn.Module):
    """Maps (B, C, H, W) to (B, H, W, C)."""

    def forward(self, maps: Tensor) -> Tensor:
        """Move the channels last."""
        return maps.permute(0, 2, 3, 1)


class DeformableConv(nn.Module):
    """DCNv3, 3x3, stride 1: each group of channels samples nine points that it chooses itself.

    For a group g: y(q) = sum over points p of m(q, p) * x(q + d(p) + o(q, p)), where the weights m
    sum to 1, the offsets o are in pixels, and x is zero outside the map.
    """

    def __init__(self, channels: int, groups: int, *, eps: float = 1e-6) -> None:
        super().__init__()
        self.groups = groups
        self.dw_conv = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels),
            nn.Sequential(ToLast(), nn.LayerNorm(channels, eps=eps)),
            nn.GELU(),
        )
        self.offset = nn.Linear(channels, groups * _POINTS * 2)
        self.mask = nn.Linear(channels, groups * _POINTS)
        self.input_proj = nn.Linear(channels, channels)
        self.output_proj = nn.Linear(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, H, W, C) to (B, H, W, C)."""
        seen = self.dw_conv(x.permute(0, 3, 1, 2))
        weights = self.mask(seen).unflatten(-1, (self.groups, _POINTS)).softmax(dim=-1)
        sampled = deform(self.input_proj(x), self.offset(seen), weights.flatten(-2), self.groups)
        result: Tensor = self.output_proj(sampled)
        return result


def deform(x: Tensor, offset: Tensor, mask: Tensor, groups: int) -> Tensor:
    """Sample x (B, H, W, C) at nine points round each pixel and sum them up, (B, H, W, C).

    `offset` (B, H, W, G * 18) holds (dx, dy) in pixels for each point, `mask` (B, H, W, G * 9) its
    weight. Points run down the columns: point 3 * i + j lies at (i - 1, j - 1).
    """
    batch, height, width, _ = x.shape
    maps = x.permute(0, 3, 1, 2).reshape(batch * groups, -1, height, width)
    places = _places(offset, groups)
    weights = mask.view(batch, height, width, groups, _POINTS).permute(0, 3, 1, 2, 4)
    weights = weights.reshape(batch * groups, height, width, _POINTS)
    rows = max(1, _MOST_SAMPLES // (maps.shape[0] * maps.shape[1] * width * _POINTS))
    parts = [
        _sample(maps, places[:, top : top + rows], weights[:, top : top + rows])
        for top in range(0, height, rows)
    ]
    return torch.cat(parts, dim=2).reshape(batch, -1, height, width).permute(0, 2, 3, 1)


def _places(offset: Tensor, groups: int) -> Tensor:
    """Return where each point lies, (B * G, H, W, 9, 2), as `grid_sample` counts: -1 to 1."""
    batch, height, width, _ = offset.shape
    offset = offset.view(batch, height, width, groups, _POINTS, 2).permute(0, 3, 1, 2, 4, 5)
    steps = torch.arange(-1, 2, device=offset.device, dtype=offset.dtype)
    around = torch.stack(torch.meshgrid(steps, steps, indexing="ij"), dim=-1).view(_POINTS, 2)
    ys = torch.arange(height, device=offset.device, dtype=offset.dtype).view(-1, 1, 1)
    xs = torch.arange(width, device=offset.device, dtype=offset.dtype).view(1, -1, 1)
    x = xs + around[:, 0] + offset[..., 0]
    y = ys + around[:, 1] + offset[..., 1]
    places = torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], dim=-1)
    return places.flatten(0, 1)


def _sample(maps: Tensor, places: Tensor, weights: Tensor) -> Tensor:
    """Return the weighted sums (N, C, h, W) of maps (N, C, H, W) at places (N, h, W, 9, 2)."""
    grid = places.flatten(2, 3)
    found = F.grid_sample(maps, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    found = found.view(*found.shape[:2], *weights.shape[1:])
    return torch.einsum("nchwp,nhwp->nchw", found, weights)
