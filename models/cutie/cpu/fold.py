"""Frozen batch norms folded into the convolutions before them: the same in fewer passes."""

import torch
from torch import nn

from models.encoders.resnet import FrozenBatchNorm

_PAIRS = (("conv1", "bn1"), ("conv2", "bn2"), ("conv3", "bn3"), ("0", "1"))


def fold_batch_norms(network: nn.Module) -> None:
    """Fold them in place, for inference; the state dict is no longer the official one."""
    for module in network.modules():
        for first, second in _PAIRS:
            convolution, norm = getattr(module, first, None), getattr(module, second, None)
            if isinstance(convolution, nn.Conv2d) and isinstance(norm, FrozenBatchNorm):
                _fold(convolution, norm)
                setattr(module, second, nn.Identity())


def _fold(convolution: nn.Conv2d, norm: FrozenBatchNorm) -> None:
    mean, variance = norm.running_mean, norm.running_var
    assert mean is not None
    assert variance is not None
    with torch.no_grad():
        scale = norm.weight * torch.rsqrt(variance + norm.eps)
        convolution.weight.mul_(scale.view(-1, 1, 1, 1))
        convolution.bias = nn.Parameter(norm.bias - mean * scale)
