"""Attention of a gated propagation: over all that is remembered, and over a window of one frame.

Sequences are (h * w, B, C) in row-major order, as in the official weights.
"""

import math

import torch
from torch import Tensor, nn

_WINDOW = 7  # how far the local attention reaches, in cells
# Elements of one table of similarities: longer ones are computed in parts.
_MOST_SIMILARITIES = 1 << 25


class DepthwiseConv(nn.Module):
    """A 5x5 convolution of each channel for itself, over a sequence."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 5, padding=2, groups=channels, bias=False)

    def forward(self, x: Tensor, size: tuple[int, int]) -> Tensor:
        """Map (h * w, B, C) of a map of `size` (h, w) to the same."""
        return as_sequence(self.conv(as_map(x, size)))


class GatedAttention(nn.Module):
    """What comes after the reading, alike for all: gate, depthwise convolution, projection."""

    def __init__(self, value_width: int, width_out: int) -> None:
        super().__init__()
        self.dw_conv = DepthwiseConv(value_width)
        self.projection = nn.Linear(value_width, width_out)

    def gated(self, read: Tensor, gate: Tensor, size: tuple[int, int]) -> Tensor:
        """Map what was read (h * w, B, V) and its gate to (h * w, B, C)."""
        result: Tensor = self.projection(self.dw_conv(read * gate, size))
        return result


class GlobalAttention(GatedAttention):
    """Every cell reads all that is remembered."""

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, gate: Tensor, size: tuple[int, int]
    ) -> Tensor:
        """Read value (M, B, V) by key (M, B, K) for query (h * w, B, K); return (h * w, B, C)."""
        return self.gated(attend(query, key, value), gate, size)


class LocalAttention(GatedAttention):
    """Every cell reads a window of 15 x 15 cells of one frame, with learnt relative positions."""

    def __init__(self, key_width: int, value_width: int, width_out: int) -> None:
        super().__init__(value_width, width_out)
        self.relative_emb_k = nn.Conv2d(key_width, (2 * _WINDOW + 1) ** 2, 1)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, gate: Tensor, size: tuple[int, int]
    ) -> Tensor:
        """Read value (h * w, B, V) by key (h * w, B, K); return (h * w, B, C)."""
        bias = as_sequence(self.relative_emb_k(as_map(query, size)))
        return self.gated(attend_nearby(query, key, value, bias, size), gate, size)


class SelfAttention(GatedAttention):
    """Every cell reads its own frame; the visual and the identity stream are read together."""

    def __init__(self, width: int, key_width: int, value_width: int) -> None:
        super().__init__(2 * value_width, 2 * width)
        self.linear_QK = nn.Linear(2 * width, key_width)
        self.linear_V1 = nn.Linear(width, value_width)
        self.linear_V2 = nn.Linear(width, value_width)
        self.linear_U1 = nn.Linear(width, value_width)
        self.linear_U2 = nn.Linear(width, value_width)

    def forward(self, visual: Tensor, identity: Tensor, size: tuple[int, int]) -> Tensor:
        """Map the normalised streams (h * w, B, C) to what both gain, (h * w, B, 2 * C)."""
        key = self.linear_QK(torch.cat([visual, identity], dim=-1))
        value = torch.cat([self.linear_V1(visual), self.linear_V2(identity)], dim=-1)
        gate = torch.cat([self.linear_U1(visual), self.linear_U2(identity)], dim=-1)
        silu = nn.functional.silu
        return self.gated(attend(key, key, silu(value)), silu(gate), size)


def attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Return the values (N, B, V) that queries (N, B, K) read by keys (M, B, K)."""
    q, k, v = (part.transpose(0, 1) for part in (query, key, value))
    q = q / math.sqrt(q.shape[-1])
    rows = max(1, _MOST_SIMILARITIES // k.shape[1])
    parts = [torch.softmax(part @ k.mT, dim=-1) @ v for part in torch.split(q, rows, dim=1)]
    return torch.cat(parts, dim=1).transpose(0, 1)


def attend_nearby(
    query: Tensor, key: Tensor, value: Tensor, bias: Tensor, size: tuple[int, int]
) -> Tensor:
    """Return the values (h * w, B, V) that each cell reads in the window round it.

    `bias` (h * w, B, 225) is added to the similarity with each cell of the window, rows outermost;
    cells outside the map are not read.
    """
    height, width = size
    q, k, v, b = (part.transpose(0, 1) for part in (query, key, value, bias))
    q = q / math.sqrt(q.shape[-1])
    rows = max(1, _MOST_SIMILARITIES // (width * height * width))
    parts = []
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        first, last = max(0, top - _WINDOW), min(height, bottom + _WINDOW)
        asking = slice(top * width, bottom * width)
        asked = slice(first * width, last * width)
        place, near = _window(range(top, bottom), range(first, last), width, q.device)
        similarity = q[:, asking] @ k[:, asked].mT
        similarity += b[:, asking].gather(-1, place.expand(len(b), -1, -1))
        weights = similarity.masked_fill_(~near, -math.inf).softmax(dim=-1)
        parts.append(weights @ v[:, asked])
    return torch.cat(parts, dim=1).transpose(0, 1)


def _window(asking: range, asked: range, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return each asked cell's place in the window of each asking one, and whether it is in it."""
    columns = torch.arange(width, device=device)
    across = columns.view(1, 1, 1, -1) - columns.view(1, -1, 1, 1)  # (1, w, 1, w)
    here = torch.arange(asking.start, asking.stop, device=device)
    there = torch.arange(asked.start, asked.stop, device=device)
    down = (there.view(1, -1) - here.view(-1, 1)).view(len(asking), 1, len(asked), 1)
    near = (across.abs() <= _WINDOW) & (down.abs() <= _WINDOW)
    place = (down + _WINDOW) * (2 * _WINDOW + 1) + across + _WINDOW
    cells = (len(asking) * width, len(asked) * width)
    return place.where(near, 0).reshape(cells), near.reshape(cells)


def as_map(sequence: Tensor, size: tuple[int, int]) -> Tensor:
    """Turn (h * w, B, C) into (B, C, h, w)."""
    batch, channels = sequence.shape[1:]
    return sequence.permute(1, 2, 0).reshape(batch, channels, *size)


def as_sequence(maps: Tensor) -> Tensor:
    """Turn (B, C, h, w) into (h * w, B, C)."""
    return maps.flatten(2).permute(2, 0, 1)
