"""oneDNN's fused operators, which torch's compiler calls, and whether they hold here.

They are private to torch: a release may drop or change them, a build may lack them, and a CPU, or
what oneDNN is allowed of it, may not have the type. So each is compared with the plain layers once
before a model takes it.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Layer = TypeVar("Layer", bound=nn.Module)

_CLOSE = {torch.float32: 1e-4, torch.bfloat16: 2e-2}


def linear(tokens: Tensor, layer: nn.Linear, *, gelu: bool) -> Tensor:
    """Map (..., C) to (..., C of the layer); with `gelu` that is applied in the same pass."""
    kernel = _operators()._linear_pointwise  # noqa: SLF001
    after = "gelu" if gelu else "none"
    return cast("Tensor", kernel(tokens, layer.weight, layer.bias, after, [], "none"))


def rectified_convolution(x: Tensor, layer: nn.Conv2d) -> Tensor:
    """Map (N, C, h, w) to (N, C', h / stride, w / stride), at least 0."""
    kernel = _operators()._convolution_pointwise  # noqa: SLF001
    return cast("Tensor", kernel(x, *_arguments(layer), "relu", [], ""))


def added_convolution(total: Tensor, x: Tensor, layer: nn.Conv2d, *, rectify: bool) -> Tensor:
    """Add the convolution of x (N, C, h, w) to `total` (N, C', h', w'), which is overwritten."""
    kernel = _operators()._convolution_pointwise_.binary
    after = "relu" if rectify else None
    return cast("Tensor", kernel(total, x, *_arguments(layer), "add", 1.0, after, [], ""))


@torch.inference_mode()
def linear_agrees(dtype: torch.dtype) -> bool:
    """Return whether `linear` gives what the plain layer gives, GELU or not."""
    layer, tokens = known(lambda: nn.Linear(32, 24)), waves(3, 5, 32)
    plain, close = layer(tokens), _CLOSE[dtype]
    layer, tokens = layer.to(dtype), tokens.to(dtype)
    return agrees(lambda: linear(tokens, layer, gelu=False), plain, close) and agrees(
        lambda: linear(tokens, layer, gelu=True), F.gelu(plain), close
    )


@torch.inference_mode()
def convolutions_agree() -> bool:
    """Return whether the fused convolutions give what the plain ones give."""
    strided = known(lambda: nn.Conv2d(16, 24, 3, stride=2, padding=1))
    pointwise = known(lambda: nn.Conv2d(16, 24, 1, bias=False))
    return _agrees_on(strided) and _agrees_on(pointwise)


def _agrees_on(layer: nn.Conv2d) -> bool:
    x = waves(1, 16, 10, 14).contiguous(memory_format=torch.channels_last)
    plain = layer(x)
    before = plain.flip(1)  # some other numbers of that shape
    total, close = before + plain, _CLOSE[torch.float32]

    def added(*, rectify: bool) -> Tensor:
        return added_convolution(before.clone(), x, layer, rectify=rectify)

    return (
        agrees(lambda: rectified_convolution(x, layer), plain.relu(), close)
        and agrees(lambda: added(rectify=False), total, close)
        and agrees(lambda: added(rectify=True), total.relu(), close)
    )


def agrees(compute: Callable[[], Tensor], expected: Tensor, close: float) -> bool:
    """Return whether `compute` gives `expected` up to a relative error, and raises nothing."""
    try:
        found = compute()
    except (AttributeError, RuntimeError, TypeError):  # gone, refused, or called otherwise now
        return False
    if found.shape != expected.shape:
        return False
    error = (found.float() - expected).norm() / expected.norm()
    return float(error) <= close


def known(make: Callable[[], Layer]) -> Layer:
    """Return the layer that `make` makes, with the same weights each time."""
    with torch.random.fork_rng(devices=[]):  # what others draw stays the same
        layer = make()
    for parameter in layer.parameters():
        parameter.copy_(waves(*parameter.shape))
    return layer


def waves(*shape: int) -> Tensor:
    """Return numbers in -1..1 that differ from each other."""
    return torch.arange(torch.Size(shape).numel()).mul(0.7).sin().view(shape)


def _arguments(layer: nn.Conv2d) -> tuple[object, ...]:
    return (layer.weight, layer.bias, layer.padding, layer.stride, layer.dilation, layer.groups)


def _operators() -> Any:  # noqa: ANN401 - a release may have others
    return torch.ops.mkldnn
