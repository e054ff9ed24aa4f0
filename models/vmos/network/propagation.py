"""The gated propagation module of DeAOT (Yang & Yang, 2022): two streams, one set of weights."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.vmos.network.attention import GlobalAttention, LocalAttention, SelfAttention


class Remembered(NamedTuple):
    """What one module keeps of frames: key (M, B, K), value and identity value (M, B, V)."""

    key: Tensor
    value: Tensor
    identity: Tensor

    @classmethod
    def joined(cls, frames: Sequence["Remembered"]) -> "Remembered":
        """Return the memories of several frames as one."""
        return cls(*(torch.cat(parts) for parts in zip(*frames, strict=True)))

    def values(self) -> Tensor:
        """Return both values beside each other, (M, B, 2 * V)."""
        return torch.cat([self.value, self.identity], dim=-1)


class Seen(NamedTuple):
    """A frame on its way into memory: its identity value waits until the masks are known."""

    key: Tensor
    value: Tensor
    stream: Tensor | None  # the normalised identity stream (h * w, B, C), None in the first module


class GatedPropagation(nn.Module):
    """Carries what is remembered of the objects to the cells of a frame, and on among them."""

    def __init__(self, width: int, *, first: bool = False) -> None:
        super().__init__()
        key, value = width // 2, 2 * width
        self._key_width, self._value_width = key, value
        self.norm1 = nn.LayerNorm(width)
        self.linear_QV = nn.Linear(width, key + value)
        self.linear_U = nn.Linear(width, value)
        if not first:
            self.id_norm1 = nn.LayerNorm(width)
            self.linear_ID_U = nn.Linear(width, value)
        self.linear_ID_V = nn.Linear(width if first else 2 * width, value)
        self.long_term_attn = GlobalAttention(2 * value, 2 * width)
        self.short_term_attn = LocalAttention(key, 2 * value, 2 * width)
        self.norm2 = nn.LayerNorm(width)
        self.id_norm2 = nn.LayerNorm(width)
        self.self_attn = SelfAttention(width, key, value)

    def forward(
        self,
        visual: Tensor,
        identity: Tensor | None,
        size: tuple[int, int],
        *,
        long: Remembered | None = None,
        short: Remembered | None = None,
        given: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Seen]:
        """Return both streams (h * w, B, C) after the module, and the frame for its memory.

        A frame reads the `long` and `short` memories; one whose masks are `given`, as identity
        embedding (h * w, B, C), reads itself.
        """
        seen, gate = self._look(visual, identity)
        if given is not None:
            long = short = self.remember(seen, given)
        assert long is not None
        assert short is not None
        gained = self.long_term_attn(seen.key, long.key, long.values(), gate, size)
        gained = gained + self.short_term_attn(seen.key, short.key, short.values(), gate, size)
        visual, identity = _added(visual, identity, gained)
        gained = self.self_attn(self.norm2(visual), self.id_norm2(identity), size)
        visual, identity = _added(visual, identity, gained)
        return visual, identity, seen

    def remember(self, seen: Seen, identity_embedding: Tensor) -> Remembered:
        """Return the memory of a frame whose masks are now known, as embedding (h * w, B, C)."""
        parts = [identity_embedding] if seen.stream is None else [seen.stream, identity_embedding]
        identity = F.silu(self.linear_ID_V(torch.cat(parts, dim=-1)))
        return Remembered(seen.key, seen.value, identity)

    def _look(self, visual: Tensor, identity: Tensor | None) -> tuple[Seen, Tensor]:
        """Return the frame's key and value, and the gate (h * w, B, 2 * V) of what it reads."""
        normed = self.norm1(visual)
        key, value = self.linear_QV(normed).split([self._key_width, self._value_width], dim=-1)
        gate = F.silu(self.linear_U(normed))
        if identity is None:
            return Seen(key, F.silu(value), None), torch.cat([gate, torch.ones_like(gate)], dim=-1)
        stream = self.id_norm1(identity)
        gates = torch.cat([gate, F.silu(self.linear_ID_U(stream))], dim=-1)
        return Seen(key, F.silu(value), stream), gates


def _added(visual: Tensor, identity: Tensor | None, gained: Tensor) -> tuple[Tensor, Tensor]:
    first, second = gained.chunk(2, dim=-1)
    return visual + first, second if identity is None else identity + second
