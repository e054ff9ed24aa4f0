"""The cascade of VMOS: propagation at stride 16, then at stride 8, then the join to stride 4."""

from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.vmos.config import VmosConfig
from models.vmos.network.attention import as_map, as_sequence
from models.vmos.network.propagation import GatedPropagation, Remembered, Seen

_GROUPS = 8


class Maps(NamedTuple):
    """Features of a frame at strides 4, 8 and 16, (B, C, h, w)."""

    s4: Tensor
    s8: Tensor
    s16: Tensor


class Identity(NamedTuple):
    """Which object each cell belongs to: embeddings (h * w, B, C) at strides 16 and 8."""

    s16: Tensor
    s8: Tensor


Memory = tuple[Remembered, ...]  # of each module, the one at stride 8 last
Frame = tuple[Seen, ...]  # a frame on its way into these memories


class Norm(nn.Module):
    """Group norm under the name that it has in the official weights."""

    def __init__(self, channels: int, groups: int) -> None:
        super().__init__()
        self.gn = nn.GroupNorm(groups, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, h, w) to the same."""
        return cast("Tensor", self.gn(x))


class ConvNorm(nn.Module):
    """A convolution and a group norm."""

    def __init__(self, channels: int, channels_out: int, kernel: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels_out, kernel, padding=kernel // 2)
        self.gn = nn.GroupNorm(_GROUPS, channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, h, w) to (B, C', h, w)."""
        return cast("Tensor", self.gn(self.conv(x)))


class ResidualNorm(nn.Module):
    """Two convolutions with group norms, added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.gn1 = nn.GroupNorm(_GROUPS, channels)
        self.gn2 = nn.GroupNorm(_GROUPS, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, h, w) to the same."""
        inner = self.gn1(self.conv1(F.relu(x)))
        return x + cast("Tensor", self.gn2(self.conv2(F.relu(inner))))


class TwoResiduals(nn.Module):
    """Two residual blocks, one after the other."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.res1 = ResidualNorm(channels)
        self.res2 = ResidualNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, h, w) to the same."""
        return cast("Tensor", self.res2(self.res1(x)))


class Cascade(nn.Module):
    """All propagation modules, and the joins between the strides.

    `decoder_norms` lies in the official weights and is never used.
    """

    def __init__(self, config: VmosConfig) -> None:
        super().__init__()
        width, s8, s4 = config.width, config.width_s8, config.width_s4
        self.layers = nn.ModuleList(
            GatedPropagation(width, first=index == 0) for index in range(config.layers)
        )
        self.layer_s8 = GatedPropagation(s8)
        self.s8_cons_in = ConvNorm(config.layers * width, s8, 1)
        self.s8_cons_in_id = ConvNorm(config.layers * width, s8, 1)
        self.s8_cons_out = TwoResiduals(s8)
        self.s8_cons_out_id = TwoResiduals(s8)
        self.s8_proj = nn.Conv2d(s8, s8, 1)
        self.s4_cons_in = ConvNorm(s8, s4, 1)
        self.s4_cons_in_id = ConvNorm(s8, s4, 1)
        self.s4_cons_out = TwoResiduals(s4)
        self.s4_cons_out_id = TwoResiduals(s4)
        self.s4_proj = nn.Conv2d(s4, s4, 1)
        self.decoder_norms = nn.ModuleList([Norm(2 * width, 2)])
        self.decoder_norms_s4 = nn.ModuleList([Norm(2 * s4, 2)])

    @property
    def modules_in_order(self) -> tuple[GatedPropagation, ...]:
        """The propagation modules in the order of a `Memory`."""
        return (*(cast("GatedPropagation", each) for each in self.layers), self.layer_s8)

    def forward(
        self,
        maps: Maps,
        *,
        long: Memory | None = None,
        short: Memory | None = None,
        given: Identity | None = None,
    ) -> tuple[Tensor, Frame]:
        """Return the map (B, C, h, w) at stride 4 to decode, and the frame for the memories.

        A frame reads the `long` and `short` memories; one whose masks are `given` reads itself.
        """
        visual, identity, frame = self._at_stride_16(maps.s16, long, short, given)
        entering, entering_id = self.s8_cons_in(visual), self.s8_cons_in_id(identity)
        beside = self.s8_proj(maps.s8)
        size = (beside.shape[-2], beside.shape[-1])
        x = as_sequence(_joined(self.s8_cons_out, entering, beside))
        x_id = as_sequence(_joined(self.s8_cons_out_id, entering_id, beside))
        x, x_id, seen = self.layer_s8(
            x,
            x_id,
            size,
            long=long[-1] if long else None,
            short=short[-1] if short else None,
            given=given.s8 if given else None,
        )
        entering = self.s4_cons_in(as_map(x, size))
        entering_id = self.s4_cons_in_id(as_map(x_id, size))
        beside = self.s4_proj(maps.s4)
        last = [
            _joined(self.s4_cons_out, entering, beside),
            _joined(self.s4_cons_out_id, entering_id, beside),
        ]
        return self.decoder_norms_s4[0](torch.cat(last, dim=1)), (*frame, seen)

    def remember(self, frame: Frame, identity: Identity) -> Memory:
        """Return the memories of a frame whose masks are now known."""
        *coarse, fine = zip(self.modules_in_order, frame, strict=True)
        last, seen = fine
        return (
            *(module.remember(each, identity.s16) for module, each in coarse),
            last.remember(seen, identity.s8),
        )

    def _at_stride_16(
        self, s16: Tensor, long: Memory | None, short: Memory | None, given: Identity | None
    ) -> tuple[Tensor, Tensor, Frame]:
        """Return both streams of all layers, (B, layers * C, h, w), and the frame."""
        size = (s16.shape[-2], s16.shape[-1])
        visual, identity = as_sequence(s16), None
        streams, frame = [], []
        for index, layer in enumerate(self.layers):
            visual, identity, seen = layer(
                visual,
                identity,
                size,
                long=long[index] if long else None,
                short=short[index] if short else None,
                given=given.s16 if given else None,
            )
            streams.append((visual, identity))
            frame.append(seen)
        both = [as_map(torch.cat(parts, dim=-1), size) for parts in zip(*streams, strict=True)]
        return both[0], both[1], tuple(frame)


def _joined(out: nn.Module, entering: Tensor, beside: Tensor) -> Tensor:
    """Enlarge what comes from the coarser stride to `beside`, add that, and let `out` see both."""
    x = F.interpolate(F.relu(entering), beside.shape[-2:], mode="bilinear", align_corners=True)
    return F.relu(out(x + beside))
