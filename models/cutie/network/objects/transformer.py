"""The object transformer: a few queries per object exchange what they know with its pixels."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.cutie.config import NetworkConfig
from models.cutie.network.layers import ChannelAttentionBlock, PositionalEncoding, aggregate, as_map


class Attention(nn.Module):
    """Multi-head attention, with the parameter names of torch's own layer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * width))
        self.out_proj = nn.Linear(width, width)
        nn.init.xavier_uniform_(self.in_proj_weight)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, allowed: Tensor | None = None
    ) -> Tensor:
        """Map query (N, L, C), key and value (N, M, C) to (N, L, C).

        `allowed` (N, L, M): which keys a query may see.
        """
        weights, biases = self.in_proj_weight.chunk(3), self.in_proj_bias.chunk(3)
        q, k, v = (
            torch.unflatten(F.linear(x, weight, bias), -1, (self.heads, -1)).transpose(1, 2)
            for x, weight, bias in zip((query, key, value), weights, biases, strict=True)
        )  # (N, heads, L or M, C / heads)
        mask = None if allowed is None else allowed.unsqueeze(1)
        read = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        attended: Tensor = self.out_proj(read.transpose(1, 2).flatten(2))
        return attended


class ReadFromPixels(nn.Module):
    """Queries look at the pixels that they are allowed to see."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.cross_attn = Attention(width, heads)
        self.norm = nn.LayerNorm(width)

    def forward(
        self, query: Tensor, query_at: Tensor, pixel: Tensor, pixel_at: Tensor, allowed: Tensor
    ) -> Tensor:
        """Map query (N, Q, C), pixel (N, hw, C) and their positions to the new query."""
        query = self.norm(query)
        read: Tensor = self.cross_attn(query + query_at, pixel + pixel_at, pixel, allowed)
        return query + read


class QueriesTogether(nn.Module):
    """Queries of one object look at each other."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.self_attn = Attention(width, heads)
        self.norm = nn.LayerNorm(width)

    def forward(self, query: Tensor, query_at: Tensor) -> Tensor:
        """Map query (N, Q, C) to the new query."""
        query = self.norm(query)
        placed = query + query_at
        read: Tensor = self.self_attn(placed, placed, query)
        return query + read


class FeedForward(nn.Module):
    """Two layers on each query."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, query: Tensor) -> Tensor:
        """Map query (N, Q, C) to the new query."""
        change: Tensor = self.linear2(F.relu_(self.linear1(self.norm(query))))
        return query + change


class ReadFromQueries(nn.Module):
    """Pixels look at the queries, without normalisation."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.cross_attn = Attention(width, heads)

    def forward(self, pixel: Tensor, pixel_at: Tensor, query: Tensor, query_at: Tensor) -> Tensor:
        """Map pixel (N, hw, C) to the new pixel."""
        read: Tensor = self.cross_attn(pixel + pixel_at, query + query_at, query)
        return pixel + read


class PixelFeedForward(nn.Module):
    """Mixes neighbouring pixels."""

    def __init__(self, width: int, *, group_norm: bool) -> None:
        super().__init__()
        self.conv = ChannelAttentionBlock(width, group_norm=group_norm)

    def forward(self, pixel: Tensor, height: int) -> Tensor:
        """Map pixel (N, hw, C) to a map (N, C, h, w)."""
        mixed: Tensor = self.conv(as_map(pixel, height))
        return mixed


class TransformerBlock(nn.Module):
    """One exchange between an object's queries and its pixels, both ways."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width, heads = config.embed_dim, config.transformer.heads
        self.read_from_pixel = ReadFromPixels(width, heads)
        self.self_attn = QueriesTogether(width, heads)
        self.ffn = FeedForward(width, config.transformer.hidden)
        self.read_from_query = ReadFromQueries(width, heads)
        self.pixel_ffn = PixelFeedForward(width, group_norm=config.group_norm)

    def forward(
        self, query: Tensor, query_at: Tensor, pixel: Tensor, pixel_at: Tensor, allowed: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Map query (N, Q, C) and pixel (N, C, h, w) to the new ones."""
        height = pixel.shape[2]
        flat = pixel.flatten(2).transpose(1, 2)  # (N, hw, C)
        query = self.read_from_pixel(query, query_at, flat, pixel_at, allowed)
        query = self.self_attn(query, query_at)
        query = self.ffn(query)
        flat = self.read_from_query(flat, pixel_at, query, query_at)
        return query, self.pixel_ffn(flat, height)


class ObjectTransformer(nn.Module):
    """Enriches each object's readout with its object memory (Cutie, section 3.2)."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        width, queries = config.embed_dim, config.transformer.queries
        self.query_init = nn.Embedding(queries, width)
        self.query_emb = nn.Embedding(queries, width)
        self.summary_to_query_init = nn.Linear(width, width)
        self.summary_to_query_emb = nn.Linear(width, width)
        self.pixel_init_proj = nn.Conv2d(width, width, kernel_size=1)
        self.pixel_emb_proj = nn.Conv2d(width, width, kernel_size=1)
        self.spatial_pe = PositionalEncoding(width)
        self.blocks = nn.ModuleList(
            TransformerBlock(config) for _ in range(config.transformer.blocks)
        )
        self.mask_pred = nn.ModuleList(
            nn.Sequential(nn.ReLU(), nn.Conv2d(width, 1, kernel_size=1))
            for _ in range(config.transformer.blocks + 1)
        )

    def forward(
        self, readout: Tensor, summary: Tensor, selector: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Map readout (N, C, h, w) and summary (N, Q, C + 1) to the enriched readout.

        `selector` (B, K) is 1 where an object exists, 0 where it only fills up a batch. Also
        returns the mask logits (B, K, h, w) that steer each block's attention, and, in training,
        the last block's own.
        """
        average = summary[..., :-1] / (summary[..., -1:] + 1e-4)  # over all frames remembered
        query = self.query_init.weight + self.summary_to_query_init(average)  # (N, Q, C)
        query_at = self.query_emb.weight + self.summary_to_query_emb(average)
        height, width = readout.shape[-2:]
        pixel = self.pixel_init_proj(readout)
        pixel_at = self.pixel_emb_proj(readout).flatten(2).transpose(1, 2)
        pixel_at = pixel_at + self.spatial_pe(height, width)  # (N, hw, C)

        steering = [self.mask_pred[0](pixel).view(*selector.shape, height, width)]
        for block, head in zip(self.blocks, self.mask_pred[1:], strict=True):
            allowed = self._allowed(steering[-1], selector)
            query, pixel = block(query, query_at, pixel, pixel_at, allowed)
            if self.training or block is not self.blocks[-1]:
                steering.append(head(pixel).view(*selector.shape, height, width))
        return pixel, steering

    def _allowed(self, logits: Tensor, selector: Tensor) -> Tensor:
        """Return which pixels (hw) each query may see, (N, Q, hw) bool.

        The first half of the queries sees where the object wins over the background and all other
        objects, the second half sees the rest; a query that would see nothing sees everything.
        """
        probabilities = aggregate(logits.sigmoid() * selector[..., None, None])  # (B, K + 1, h, w)
        wins = probabilities[:, 1:] >= probabilities.amax(dim=1, keepdim=True)
        inside = wins.flatten(2).flatten(0, 1).unsqueeze(1)  # (N, 1, hw)
        sides = torch.cat([inside, ~inside], dim=1)  # (N, 2, hw)
        sides = sides | ~sides.any(dim=-1, keepdim=True)
        return sides.repeat_interleave(self.query_init.num_embeddings // 2, dim=1)
