"""Weights made small for the repository: 8-bit integers per output channel, or half floats.

A tensor `name` of whole numbers goes with `name::scale`, one number for each output channel.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

SCALE = "::scale"
_LEAST_ELEMENTS = 4096  # smaller tensors are worth more than the bytes they would save


def shrink(state: Mapping[str, Tensor], eight_bit: Callable[[str], bool]) -> dict[str, Tensor]:
    """Return `state` with matrices that `eight_bit` names as int8, all else as float16."""
    small: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if not tensor.is_floating_point():
            small[name] = tensor
        elif eight_bit(name) and tensor.ndim >= 2 and tensor.numel() >= _LEAST_ELEMENTS:
            small[name], small[name + SCALE] = _quantise(tensor.float())
        else:
            small[name] = tensor.half()
    return small


def widen(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `state` with all that `shrink` made small back in float32."""
    wide: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if name.endswith(SCALE):
            continue
        scale = state.get(name + SCALE)
        value = tensor.float() if tensor.is_floating_point() or scale is not None else tensor
        wide[name] = value if scale is None else value * _per_channel(scale.float(), value)
    return wide


def save(path: Path, state: Mapping[str, Tensor], *, notice: Mapping[str, str]) -> None:
    """Write `state` as safetensors beside `path` and move it into place; `notice` is kept in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    tensors = {name: tensor.contiguous() for name, tensor in state.items()}
    save_file(tensors, beside, metadata=dict(notice))
    beside.replace(path)


def _quantise(tensor: Tensor) -> tuple[Tensor, Tensor]:
    peak = tensor.abs().flatten(1).amax(dim=1).clamp(min=1e-8)
    scale = peak / 127
    whole = torch.round(tensor / _per_channel(scale, tensor)).clamp(-127, 127)
    return whole.to(torch.int8), scale


def _per_channel(scale: Tensor, tensor: Tensor) -> Tensor:
    return scale.view(-1, *([1] * (tensor.ndim - 1)))
