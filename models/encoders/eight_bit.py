"""Linear layers in 8 bits, for CPUs that multiply bytes much faster than bfloat16 or float32.

Weights take a step per output channel, as lite's file keeps them; the input takes 255 steps
between its least and its largest value, found anew each time. Sums are exact, in 32 bits: on CPUs
without VNNI, where those of two products must fit 16, weights have 7 bits.
"""

import math
from functools import partial

import torch
from torch import Tensor, nn

from models.runtime import onednn
from models.runtime.device import cpu_has

_STEPS = 254
LARGEST = 127  # of a weight
_LARGEST_PAIRED = 64  # so that 2 * 255 * 64 fits 16 bits
# Added to a number below 2^22 it leaves that, rounded, in the lowest bits of a float32.
_ROUNDING = 1.5 * 2**23
_CLOSE = 0.02  # the relative error that eight bits may make


class EightBitLinear(nn.Module):
    """A linear layer, taken over for inference; `gelu` applies that to what it gives.

    It gives `dtype`, bfloat16 or float32, whatever it is given. `largest` is that of a weight in
    bytes, see `largest_weight`.
    """

    def __init__(
        self, linear: nn.Linear, dtype: torch.dtype, *, largest: int, gelu: bool = False
    ) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        step = weight.abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny) / largest
        rounded = (weight / step[:, None]).round().to(torch.int8)
        self._dtype = dtype
        self._after = "gelu" if gelu else "none"
        self._packed = torch.ops.onednn.qlinear_prepack(rounded, None)
        self._step = step
        self._zero = torch.zeros(len(step), dtype=torch.int32)
        self._added = None if linear.bias is None else linear.bias.detach().float()
        self.bias = None if linear.bias is None else linear.bias.detach().to(dtype)

    def forward(self, tokens: Tensor) -> Tensor:
        """Map (..., C) to (..., C of the layer)."""
        least, largest = (float(value) for value in torch.aminmax(tokens))
        # Zero must be one of the steps.
        least, largest = min(least, 0.0), max(largest, 1e-6)
        step = (largest - least) / _STEPS
        zero = math.ceil(-least / step)
        rows = tokens.reshape(-1, tokens.shape[-1]).float().mul(1 / step).add_(_ROUNDING + zero)
        # By way of signed bytes, since whole numbers become unsigned ones more slowly.
        coded = rows.view(torch.int32).to(torch.int8).view(torch.uint8)
        given: Tensor = torch.ops.onednn.qlinear_pointwise(
            coded,
            step,
            zero,
            self._packed,
            self._step,
            self._zero,
            self._added,
            1.0,
            0,
            self._dtype,
            self._after,
            [],
            "none" if self._after == "gelu" else "",
        )
        return given.reshape(*tokens.shape[:-1], -1)


def supported(device: torch.device) -> bool:
    """Return whether this device has instructions for products of bytes (AVX2, VNNI, AMX)."""
    present = any(map(cpu_has, ("avx2", "vnni", "amx_tile")))
    return device.type == "cpu" and present and largest_weight() > 0


def is_faster(device: torch.device) -> bool:
    """Return whether nothing else is as fast here.

    With AMX bfloat16 is: there finding the bytes costs more than their products save.
    """
    return supported(device) and not cpu_has("amx_tile")


@torch.inference_mode()
def largest_weight() -> int:
    """Return how large a weight may be in bytes for sums to be exact, 0 where they never are.

    With VNNI that is any byte; on other instructions oneDNN lets sums of two products clip. The
    operator is not in every release of torch, either.
    """
    return next(filter(_agrees, (LARGEST, _LARGEST_PAIRED)), 0)


def _agrees(largest: int) -> bool:
    layer = onednn.known(lambda: nn.Linear(64, 24))
    layer.weight.abs_()  # so that sums grow
    tokens = onednn.waves(3, 5, 64).abs()
    return all(
        onednn.agrees(partial(_computed, layer, tokens, dtype, largest), layer(tokens), _CLOSE)
        for dtype in (torch.float32, torch.bfloat16)
    )


def _computed(layer: nn.Linear, tokens: Tensor, dtype: torch.dtype, largest: int) -> Tensor:
    eight = EightBitLinear(layer, dtype, largest=largest)
    return eight(tokens.to(dtype))  # type: ignore[no-any-return]
