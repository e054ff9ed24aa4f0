"""Residual blocks in fewer passes, for CPUs: convolutions rectify and add up as they write.

The same numbers to the bit; on maps of stride 4 the passes saved cost as much as a convolution.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

from models.cutie.network.layers import ResidualBlock
from models.encoders.resnet import BasicBlock, Bottleneck
from models.runtime import onednn


class FusedBlock(nn.Module):
    """Convolutions beside a shortcut, for inference; it may overwrite its input.

    `pre`: the input is rectified for the convolutions, as a pre-activation block does it;
    otherwise the sum is.
    """

    def __init__(
        self, convolutions: Sequence[nn.Module], shortcut: nn.Module, *, pre: bool
    ) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(convolutions)
        self.shortcut = shortcut
        self.pre = pre

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, h, w) to (N, C', h / stride, w / stride)."""
        y = F.relu(x) if self.pre else x
        *inner, last = self.convolutions
        for convolution in inner:
            y = _rectified(convolution, y)
        total = self.shortcut(x)
        return _added(last, y, total, rectify=not self.pre)


def use_fused_blocks(network: nn.Module) -> None:
    """Replace the residual blocks, their norms folded or none, in place, on a CPU.

    Where this build of torch has no such convolutions, or wrong ones, the blocks stay as they are.
    """
    if not onednn.convolutions_agree():
        return
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            fused = _fused(child)
            if fused is not None:
                setattr(module, name, fused)


def _fused(block: nn.Module) -> FusedBlock | None:
    if isinstance(block, ResidualBlock) and isinstance(block.norm1, nn.Identity):
        return FusedBlock([block.conv1, block.conv2], block.downsample, pre=True)
    if isinstance(block, BasicBlock):
        return FusedBlock([block.conv1, block.conv2], block.downsample, pre=False)
    if isinstance(block, Bottleneck):
        inner = [block.conv1, block.conv2, block.conv3]
        return FusedBlock(inner, block.downsample, pre=False)
    return None


def _rectified(convolution: nn.Module, x: Tensor) -> Tensor:
    if not isinstance(convolution, nn.Conv2d):
        return F.relu_(convolution(x))
    return onednn.rectified_convolution(x, convolution)


def _added(convolution: nn.Module, x: Tensor, total: Tensor, *, rectify: bool) -> Tensor:
    """Add the convolution of x to `total`, in place."""
    if not isinstance(convolution, nn.Conv2d):
        total = total.add_(convolution(x))
        return F.relu_(total) if rectify else total
    return onednn.added_convolution(total, x, convolution, rectify=rectify)
