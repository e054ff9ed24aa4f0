"""Losses on uncertain points: cross entropy and dice (PointRend, Kirillov 2020, section 3.1)."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class PointSampling:
    """How the points are drawn: `oversample` times `points` candidates, of which the `important`
    share most uncertain ones are kept and the rest is filled up at random (Cutie: 3, 0.75)."""

    points: int = 4096
    oversample: float = 3.0
    important: float = 0.75


def segmentation_loss(
    logits: Tensor, labels: Tensor, present: Tensor, sampling: PointSampling
) -> Tensor:
    """Return cross entropy + dice of one frame, a scalar averaged over the batch.

    `logits` (B, K+1, h, w), background first, at any stride; `labels` (B, H, W) int64, 0 to K;
    `present` (B, K) bool, False for slots with no object, whose logits are ignored.
    """
    slots = torch.cat([torch.ones_like(present[:, :1]), present], dim=1)  # (B, K+1)
    logits = logits.float().masked_fill(~slots[..., None, None], -1e4)
    points = sample_points(logits, sampling)  # (B, P, 2)
    at_points = gather(logits, points)  # (B, K+1, P)
    truth = gather(labels[:, None].float(), points, nearest=True)[:, 0].long()  # (B, P)
    entropy = F.cross_entropy(at_points, truth)
    return entropy + dice_loss(at_points.softmax(dim=1)[:, 1:], truth, present)


def dice_loss(probability: Tensor, truth: Tensor, present: Tensor) -> Tensor:
    """Return the mean dice loss over present objects; `probability` (B, K, P), `truth` (B, P)."""
    slots = torch.arange(1, probability.shape[1] + 1, device=truth.device)
    target = (truth[:, None] == slots[:, None]).float()
    shared = (probability * target).sum(dim=2)
    total = probability.sum(dim=2) + target.sum(dim=2)
    loss = 1 - (2 * shared + 1) / (total + 1)  # (B, K)
    return (loss * present).sum() / present.sum().clamp(min=1)


@torch.no_grad()
def sample_points(logits: Tensor, sampling: PointSampling) -> Tensor:
    """Return points (B, P, 2), x and y in 0 to 1, most of them where the two best classes tie."""
    batch = logits.shape[0]
    candidates = torch.rand(
        batch, int(sampling.points * sampling.oversample), 2, device=logits.device
    )
    top = gather(logits, candidates).topk(2, dim=1).values  # (B, 2, candidates)
    uncertainty = top[:, 1] - top[:, 0]
    kept = int(sampling.points * sampling.important)
    best = uncertainty.topk(kept, dim=1).indices
    chosen = candidates.gather(1, best[..., None].expand(-1, -1, 2))
    rest = torch.rand(batch, sampling.points - kept, 2, device=logits.device)
    return torch.cat([chosen, rest], dim=1)


def gather(maps: Tensor, points: Tensor, *, nearest: bool = False) -> Tensor:
    """Return the values (B, C, P) of `maps` (B, C, H, W) at `points` (B, P, 2)."""
    grid = points[:, :, None] * 2 - 1
    mode = "nearest" if nearest else "bilinear"
    return F.grid_sample(maps, grid, mode=mode, align_corners=False)[..., 0]
