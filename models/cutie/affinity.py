"""The affinity of pixels to memory tokens, and the readout of memory by it.

Shapes: B images, D key channels, M memory tokens, P pixels of the query. The similarity is XMem's
(Cheng and Schwing, 2022), -s_m / sqrt(D) * sum_d e_pd (k_md - k_pd)^2: the selection e comes from
the query, the shrinkage s from the memory. The square is multiplied out, so that all of it is one
product of matrices; the terms of the expanded square that each of the two gives are prepared.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

# Similarities computed at once: what fits a CPU core's cache, and what fits a small GPU (0.6 GB).
_CORE_SLICE = 500_000
_LARGE_SLICE = 160_000_000

_GROUP = 8  # tokens of which the best one is looked for first, on a CPU


class Affinity(NamedTuple):
    """The memory tokens that each pixel reads, and their weights: both (B, P, top_k)."""

    token: Tensor
    weight: Tensor


def memory_terms(key: Tensor, shrinkage: Tensor) -> Tensor:
    """Map keys k (B, M, D) and shrinkage s (B, M, 1) to wk, wk^2 and w, (B, M, 2D + 1).

    w is s / sqrt(D).
    """
    weight = shrinkage / math.sqrt(key.shape[-1])
    return torch.cat([weight * key, weight * key.square(), weight], dim=-1)


def query_terms(key: Tensor, selection: Tensor) -> Tensor:
    """Map keys k and selections e (B, P, D) to 2ek, -e and the sum of -ek^2, (B, P, 2D + 1)."""
    squares = (selection * key.square()).sum(-1, keepdim=True)
    return torch.cat([2 * (key * selection), -selection, -squares], dim=-1)


def similarity(query: Tensor, memory: Tensor) -> Tensor:
    """Map the terms (B, P, 2D + 1) and (B, M, 2D + 1) to similarities (B, P, M), at most 0.

    Float32 whatever runs around it: the terms of the square nearly cancel.
    """
    with torch.autocast(query.device.type, enabled=False):
        return query @ memory.transpose(1, 2)


def top_k_affinity(query: Tensor, memory: Tensor, top_k: int) -> Affinity:
    """Return for each pixel the `top_k` most similar memory tokens, most similar first.

    `query` (B, P, 2D + 1) and `memory` (B, M, 2D + 1) are terms. Where fewer than `top_k` tokens
    are remembered, all are read. The query is taken in slices, so that memory stays bounded; each
    pixel's answer is its own, so slicing changes nothing.
    """
    top_k = min(top_k, memory.shape[1])
    on_cpu = query.device.type == "cpu"
    at_once = _CORE_SLICE * torch.get_num_threads() if on_cpu else _LARGE_SLICE
    slices = torch.split(query, max(int(at_once / memory.shape[1]), 1), dim=1)
    chosen = _top_k if on_cpu else torch.topk
    best = [chosen(similarity(part, memory), top_k) for part in slices]
    weight = torch.cat([values for values, _ in best], dim=1).softmax(dim=2)
    return Affinity(torch.cat([index for _, index in best], dim=1), weight)


def _top_k(similarities: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the `count` largest of (B, P, M), largest first, and where they are: as topk does.

    Each of them lies in one of the `count` groups whose own largest are the largest. Finding these
    takes a pass that a CPU is good at, and leaves few tokens to sort; they are found in the same
    way: a third of the time of topk.
    """
    tokens = similarities.shape[2]
    side = math.gcd(tokens, _GROUP)
    width = tokens // side
    if side == 1 or width <= count:
        return torch.topk(similarities, count)
    groups = torch.unflatten(similarities, 2, (side, width))  # a group is a column
    _, columns = _top_k(groups.amax(dim=2), count)
    few = groups.gather(3, columns.unsqueeze(2).expand(-1, -1, side, -1)).flatten(2)
    values, at = few.topk(count)
    row = at.div(count, rounding_mode="floor")
    return values, row * width + columns.gather(2, at % count)


def readout(affinity: Affinity, values: Tensor) -> Tensor:
    """Return what each pixel reads of `values` (B, K, M, C): (B, K, P, C).

    Only the tokens that are read are touched: at 480p and five frames 30 of 8,000.
    """
    images, count, tokens, width = values.shape
    first = torch.arange(images * count, device=values.device).view(images, count, 1, 1) * tokens
    index = (affinity.token.unsqueeze(1) + first).flatten(0, 2)  # into all objects' tokens
    weight = affinity.weight.unsqueeze(1).expand(-1, count, -1, -1).flatten(0, 2)
    table = values.reshape(-1, width)
    summed = F.embedding_bag(index, table, per_sample_weights=weight.type_as(table), mode="sum")
    return summed.view(images, count, -1, width)


def usage(affinity: Affinity, tokens: int) -> Tensor:
    """Return how much each of `tokens` memory tokens was read by all pixels, (B, tokens)."""
    total = affinity.weight.new_zeros(affinity.weight.shape[0], tokens)
    return total.scatter_add_(1, affinity.token.flatten(1), affinity.weight.flatten(1))


def full_readout(query: Tensor, memory: Tensor, values: Tensor) -> Tensor:
    """Read all of the memory, differentiably: terms, and values (B, K, M, C), to (B, K, P, C)."""
    affinity = similarity(query, memory).softmax(dim=2)  # (B, P, M)
    with torch.autocast(query.device.type, enabled=False):
        return affinity.unsqueeze(1) @ values.float()
