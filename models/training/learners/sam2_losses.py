"""SAM 2's losses: focal, dice, predicted IoU and presence (Ravi et al., 2024, appendix D.2.2).

Shapes: N objects on one frame, M candidate masks each.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

_ALPHA, _GAMMA = 0.25, 2.0  # focal loss: Lin et al., 2017


@dataclass(frozen=True)
class MaskWeights:
    """What each part counts in the sum; the published 20 : 1 : 1 : 1."""

    focal: float = 20.0
    dice: float = 1.0
    iou: float = 1.0
    presence: float = 1.0


def candidates_loss(
    logits: Tensor, ious: Tensor, presence: Tensor, truth: Tensor, weights: MaskWeights
) -> Tensor:
    """Return the loss of one frame, a scalar averaged over objects.

    `logits` (N, M, H, W), `ious` (N, M) as predicted, `presence` (N, 1) a logit, `truth` (N, H, W)
    of 0 and 1. Of each object's candidates only the best one learns its mask, all learn their IoU;
    where the object is not there, only its absence is learned.
    """
    logits, target = logits.float(), truth.float()[:, None].expand_as(logits)
    there = (truth.flatten(1).amax(dim=1) > 0).float()  # (N,)
    masks = weights.focal * focal_loss(logits, target) + weights.dice * soft_dice_loss(
        logits, target
    )
    found = masks.min(dim=1).values + weights.iou * iou_loss(logits, ious.float(), target)
    seen = F.binary_cross_entropy_with_logits(presence.float().flatten(), there)
    return (found * there).mean() + weights.presence * seen


def focal_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the focal loss of each mask, (N, M), averaged over its pixels."""
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    probability = logits.sigmoid()
    missed = probability * (1 - target) + (1 - probability) * target
    balance = _ALPHA * target + (1 - _ALPHA) * (1 - target)
    return (balance * missed**_GAMMA * entropy).flatten(2).mean(dim=2)


def soft_dice_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the dice loss of each mask, (N, M)."""
    probability = logits.sigmoid().flatten(2)
    flat = target.flatten(2)
    shared = (probability * flat).sum(dim=2)
    return 1 - (2 * shared + 1) / (probability.sum(dim=2) + flat.sum(dim=2) + 1)


def iou_loss(logits: Tensor, ious: Tensor, target: Tensor) -> Tensor:
    """Return how far each object's predicted IoUs are off, (N,), the mean over its candidates."""
    with torch.no_grad():
        drawn, true = logits.flatten(2) > 0, target.flatten(2) > 0
        shared = (drawn & true).sum(dim=2)
        actual = shared / (drawn | true).sum(dim=2).clamp(min=1)
    return (ious - actual).abs().mean(dim=1)
