"""SAM 2's image encoder for inference on a CPU: the same function, in fewer passes.

Tokens of strides 4 and 8 stay in the order of their windows from block to block, no score of the
attention is written down, GELU is applied as its input is made, position embeddings are made once
for a size, and the pyramid's convolutions are joined with those that follow them. In bfloat16,
where the CPU multiplies that faster, weights are converted once. Where it multiplies bytes faster
still, the linear layers from the second stage on take 8 bits; before, they have too few channels to
gain.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.encoders.eight_bit import EightBitLinear, largest_weight
from models.encoders.hiera import HieraEncoder
from models.encoders.shape import check_multiple
from models.runtime import onednn

_SIZES_KEPT = 4
_TOKENS_AT_ONCE = 2048


class _Windows(NamedTuple):
    """Tokens (B * rows * columns, side, side, C) of a map that is cut into windows."""

    tokens: Tensor
    rows: int
    columns: int

    @classmethod
    def of(cls, grid: Tensor, side: int, beyond: Tensor) -> "_Windows":
        """Cut (B, H, W, C) into windows, with `beyond` (C) where they reach beyond the map."""
        images, height, width, channels = grid.shape
        rows, columns = -(-height // side), -(-width // side)
        if height % side or width % side:
            wider = grid.new_empty(images, rows * side, columns * side, channels)
            wider[:, :height, :width] = grid
            wider[:, height:] = beyond
            wider[:, :height, width:] = beyond
            grid = wider
        parts = grid.reshape(images, rows, side, columns, side, channels).transpose(2, 3)
        return cls(parts.reshape(-1, side, side, channels), rows, columns)

    def grid(self, height: int, width: int) -> Tensor:
        """Put the windows together to (B, H, W, C)."""
        side, channels = self.tokens.shape[2], self.tokens.shape[3]
        parts = self.tokens.view(-1, self.rows, self.columns, side, side, channels)
        whole = parts.transpose(2, 3).reshape(-1, self.rows * side, self.columns * side, channels)
        return whole[:, :height, :width]


class _Linear(nn.Module):
    """A linear layer; `gelu` applies that to what it gives.

    `fused`: in the same pass, as the bias.
    """

    def __init__(self, linear: nn.Linear, *, gelu: bool = False, fused: bool = False) -> None:
        super().__init__()
        self.linear = linear
        self._gelu = gelu
        self._fused = fused

    @property
    def bias(self) -> Tensor:
        """What the layer gives for tokens of zeros, but for the GELU."""
        return self.linear.bias

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (..., C) to (..., C of the layer)."""
        if self._fused:
            return onednn.linear(tokens, self.linear, gelu=self._gelu)
        given: Tensor = self.linear(tokens)
        return F.gelu(given) if self._gelu else given


_Layer = _Linear | EightBitLinear


class _Block(nn.Module):
    """A block of the trunk. `window` is the side of the windows it attends in, 0 = all tokens."""

    def __init__(self, block: Any, layer: Callable[..., _Layer]) -> None:  # noqa: ANN401 - no types
        super().__init__()
        self.window: int = block.window_size
        self.pools = block.pool is not None
        self._heads: int = block.attn.num_heads
        self.norm1: nn.LayerNorm = block.norm1
        self.norm2: nn.LayerNorm = block.norm2
        self.qkv = layer(block.attn.qkv)
        self.out = layer(block.attn.proj)
        self.shortcut = layer(block.proj) if block.dim != block.dim_out else None
        widen, narrow = block.mlp.layers
        self.widen, self.narrow = layer(widen, gelu=True), layer(narrow)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map windows (W, side, side, C), or maps that are one window, to the next tokens."""
        placed = self.norm1(tokens)
        seen: Tensor = self.out(self.attend(self.qkv(placed)))
        return self.feed_forward(seen.add_(self.bypass(tokens, placed)))

    def bypass(self, tokens: Tensor, placed: Tensor) -> Tensor:
        """Return what goes past the attention; `placed` are the normalised tokens."""
        kept = tokens if self.shortcut is None else self.shortcut(placed)
        return _pooled(kept) if self.pools else kept

    def attend(self, windows: Tensor) -> Tensor:
        """Let the tokens of each window look at each other.

        Queries, keys and values (W, side, side, 3 * C) become (W, side, side, C), half as high and
        wide where the block pools.
        """
        count, height, width, _ = windows.shape
        q, k, v = windows.chunk(3, dim=-1)
        q = _pooled(q) if self.pools else q
        q, k, v = (self._split(part) for part in (q, k, v))
        read = F.scaled_dot_product_attention(q, k, v)
        halved = 2 if self.pools else 1
        return read.transpose(1, 2).reshape(count, height // halved, width // halved, -1)

    def feed_forward(self, tokens: Tensor) -> Tensor:
        """Apply the two layers that treat each token alone."""
        change: Tensor = self.narrow(self.widen(self.norm2(tokens)))
        return change.add_(tokens)

    def _split(self, tokens: Tensor) -> Tensor:
        """Map (W, side, side, C) to (W, heads, side * side, C / heads)."""
        rows = tokens.reshape(tokens.shape[0], -1, self._heads, tokens.shape[-1] // self._heads)
        return rows.transpose(1, 2)


class CpuHiera(nn.Module):
    """A HieraEncoder, taken over for inference; it computes in `dtype` and gives float32.

    `eight_bits` multiplies bytes where most of the time goes.
    """

    def __init__(
        self, encoder: HieraEncoder, dtype: torch.dtype, *, eight_bits: bool = False
    ) -> None:
        super().__init__()
        self.multiple = encoder.multiple
        self.channels = encoder.channels
        trunk: Any = encoder.trunk
        self._dtype = dtype
        self._trunk = [trunk]  # for its position embedding; not a part of this module
        self._places: dict[tuple[int, int], Tensor] = {}
        self.patches: nn.Conv2d = trunk.patch_embed.proj
        ends = [0, *(end + 1 for end in trunk.stage_ends)]
        # In single precision torch's own layer is as fast.
        fused = dtype is torch.bfloat16 and onednn.linear_agrees(dtype)
        plain = partial(_Linear, fused=fused)
        small: Callable[..., _Layer] = plain
        if eight_bits:
            small = partial(EightBitLinear, dtype=dtype, largest=largest_weight())
        first = small if dtype is torch.float32 else plain
        blocks = [
            _Block(block, first if number < ends[1] else small)
            for number, block in enumerate(trunk.blocks)
        ]
        self.blocks = nn.ModuleList(blocks)
        self._stages = [blocks[first:last] for first, last in pairwise(ends)]
        del trunk.blocks  # whose weights the layers above may hold in bytes
        self.outlets = nn.ModuleList(encoder.outlets())
        self.to(dtype).eval().requires_grad_(requires_grad=False)

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map a normalised image (B, 3, H, W) to features at strides 16, 8 and 4."""
        check_multiple(image, self.multiple)
        # Channels last, or the convolution would reorder them itself, more slowly.
        image = image.to(self._dtype, memory_format=torch.channels_last)
        x = self.patches(image).permute(0, 2, 3, 1)
        height, width = x.shape[1:3]
        first, second, third, *fourth = self._stages
        # An image's size is a multiple of what the windows of the first stages span.
        x = x + self._place(height, width)
        windows = _Windows.of(x, first[0].window, x.new_zeros(x.shape[-1]))
        windows = _through(first, windows)
        f4 = windows._replace(tokens=self.outlets[0](windows.tokens)).grid(height, width)
        windows = _through(second, windows)
        f8 = windows._replace(tokens=self.outlets[1](windows.tokens)).grid(height // 2, width // 2)
        # The first block of the third stage attends in the second's windows.
        windows = _through(third[:1], windows)
        x = _over_grid(third[1:], windows.grid(height // 4, width // 4))
        f16 = self.outlets[2](x)
        for deepest in fourth:
            deep = self.outlets[3](_over_grid(deepest, x))
            f16 = f16 + deep.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)
        f16, f8, f4 = (level.permute(0, 3, 1, 2).float() for level in (f16, f8, f4))
        return f16, f8, f4

    def _place(self, height: int, width: int) -> Tensor:
        """Return the position embedding (1, h, w, C) of a map."""
        if (height, width) not in self._places:
            if len(self._places) >= _SIZES_KEPT:
                self._places.clear()
            place = self._trunk[0]._get_pos_embed((height, width))  # noqa: SLF001
            self._places[height, width] = place.to(self._dtype).contiguous()
        return self._places[height, width]


def _through(blocks: Sequence[_Block], windows: _Windows) -> _Windows:
    """Take windows through blocks, some at once: a block writes several times as much."""
    height, width = windows.tokens.shape[1:3]
    at_once = max(_TOKENS_AT_ONCE // (height * width), 1)
    parts = torch.split(windows.tokens, at_once)
    return windows._replace(tokens=torch.cat([_in_turn(blocks, part) for part in parts]))


def _in_turn(blocks: Sequence[_Block], tokens: Tensor) -> Tensor:
    for block in blocks:
        tokens = block(tokens)
    return tokens


def _over_grid(blocks: Sequence[_Block], grid: Tensor) -> Tensor:
    """Take a map (B, H, W, C) through blocks that attend in windows or to the whole of it."""
    for block in blocks:
        if not block.window:
            grid = block(grid)
            continue
        placed = block.norm1(grid)
        kept = block.bypass(grid, placed)
        # Beyond the map tokens are zero, so that their queries, keys and values are the bias.
        windows = _Windows.of(block.qkv(placed), block.window, block.qkv.bias)
        seen = windows._replace(tokens=block.attend(windows.tokens)).grid(*kept.shape[1:3])
        grid = block.feed_forward(kept + block.out(seen))
    return grid


def _pooled(tokens: Tensor) -> Tensor:
    """Return the largest of each 2x2 tokens of (W, h, w, C)."""
    tall = torch.maximum(tokens[:, 0::2], tokens[:, 1::2])
    return torch.maximum(tall[:, :, 0::2], tall[:, :, 1::2])


def use_cpu_hiera(network: nn.Module, dtype: torch.dtype, *, eight_bits: bool = False) -> None:
    """Replace the Hiera encoders within `network`, in place, for inference on a CPU."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, HieraEncoder):
                setattr(module, name, CpuHiera(child, dtype, eight_bits=eight_bits))
