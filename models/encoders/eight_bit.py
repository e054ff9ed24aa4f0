"""Linear layers in 8 bits, for CPUs that multiply bytes much faster than bfloat16.

Weights take a step per output channel, as lite's file keeps them; the input takes 256 steps
between its least and its largest value, found anew each time. Sums are exact, in 32 bits.
"""

from functools import partial

import torch
from torch import Tensor, nn

from models.runtime import onednn
from models.runtime.device import cpu_has

_STEPS = 255
_HALF = 128
_LARGEST = 127  # of a weight
_CLOSE = 0.02  # the relative error that eight bits may make


class EightBitLinear(nn.Module):
    """A linear layer, taken over for inference; `gelu` applies that to what it gives.

    It gives `dtype`, bfloat16 or float32, whatever it is given.
    """

    def __init__(self, linear: nn.Linear, dtype: torch.dtype, *, gelu: bool = False) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        step = weight.abs().amax(dim=1).clamp_min(torch.finfo(torch.float32).tiny) / _LARGEST
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
        zero = round(-least / step)
        # By way of signed bytes, since floats become unsigned ones ten times as slowly.
        rows = tokens.reshape(-1, tokens.shape[-1]).float().mul(1 / step).add_(zero - _HALF)
        coded = rows.round_().clamp_(-_HALF, _HALF - 1).to(torch.int8)
        given: Tensor = torch.ops.onednn.qlinear_pointwise(
            coded.view(torch.uint8).bitwise_xor_(_HALF),
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
    """Return whether this device has instructions for products of bytes (AVX-512 VNNI, AMX)."""
    present = cpu_has("vnni") or cpu_has("amx_tile")
    return device.type == "cpu" and present and _agrees()


def is_faster(device: torch.device) -> bool:
    """Return whether nothing else is as fast here.

    With AMX bfloat16 is: there finding the bytes costs more than their products save.
    """
    return supported(device) and not cpu_has("amx_tile")


@torch.inference_mode()
def _agrees() -> bool:
    """Return whether sums are exact: on other instructions oneDNN lets those of two products clip.

    The operator is not in every release of torch, either.
    """
    layer = onednn.known(lambda: nn.Linear(64, 24))
    layer.weight.abs_()  # so that sums grow
    tokens = onednn.waves(3, 5, 64).abs()
    return all(
        onednn.agrees(partial(_computed, layer, tokens, dtype), layer(tokens), _CLOSE)
        for dtype in (torch.float32, torch.bfloat16)
    )


def _computed(layer: nn.Linear, tokens: Tensor, dtype: torch.dtype) -> Tensor:
    return EightBitLinear(layer, dtype)(tokens.to(dtype))  # type: ignore[no-any-return]
