"""The evidence of each object's presence on a frame, as numbers that a presence head weighs.

Shapes: K objects, H and W as the network sees the frame, h and w a sixteenth of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from models.cutie.inference.presence.usual import winner

CLAIMED = "share claimed by a rival"
NAMES = (
    "area to usual",  # log
    "probability inside",
    "largest probability of a cell",
    "area",  # log of the share of the picture
    "largest steering",  # of the object transformer's queries
    "steering inside",
    "likeness to first",  # of the image's features: cosines
    "likeness to usual",
    "likeness to a rival",
    "likeness to usual beyond a rival",
    "likeness enriched",  # of what the object transformer gives
    CLAIMED,
    "shift",  # from where it was, in its own sizes
    "usual area",  # log of the share of the picture
    "rivals",
)

_REACH = 3  # cells that an object may move between two frames
_LEAST_SHARE = 0.1  # of a cell, from which an object was there
_FRESH = 0.2  # how much the newest frame counts in what is usual
_TINY = 1e-6
_SHIFT = 5.0  # sizes, beyond which a shift counts no more


class FrameMaps(NamedTuple):
    """What the network computed of the objects of a frame."""

    probability: Tensor  # (K + 1, H, W), sums to 1
    own: Tensor  # (K, ...) each object's own probability, at any stride
    steering: Tensor  # (K, h, w) logits
    enriched: Tensor  # (K, E, h, w)
    pix_feat: Tensor  # (P, h, w)


class Seen(NamedTuple):
    """What was seen of the objects on a frame: their area, cells, and likeness."""

    area: Tensor  # (K,) pixels
    cells: Tensor  # (K, h, w), 0 to 1
    look: Tensor  # (K, P)
    enriched: Tensor | None  # (K, E)

    @classmethod
    def of(cls, probability: Tensor, pix_feat: Tensor, enriched: Tensor | None = None) -> "Seen":
        """Return what is seen with probabilities (K + 1, H, W)."""
        cells = _cells(probability[1:], pix_feat)
        inside = _inside(cells)
        look = torch.einsum("phw,khw->kp", pix_feat.float(), inside)
        deep = None
        if enriched is not None:
            deep = torch.einsum("kehw,khw->ke", enriched.float(), inside)
        return cls(_hard(probability).sum(dim=(1, 2)).float(), cells, look, deep)


@dataclass(slots=True)
class Known:
    """What is known of one object from the frames on which it was present."""

    area: Tensor  # () pixels, the usual ones
    cells: Tensor  # (h, w), 0 to 1, where it was last
    first: Tensor  # (P,)
    usual: Tensor  # (P,)
    enriched: Tensor | None = None  # (E,)

    def learn(self, area: Tensor, cells: Tensor, look: Tensor, enriched: Tensor | None) -> None:
        """Take in a frame on which the object is present."""
        self.area = self.area.lerp(area, _FRESH)
        self.cells = cells
        self.usual = self.usual.lerp(look, _FRESH)
        if self.enriched is None:
            self.enriched = enriched


def measure(maps: FrameMaps, seen: Seen, known: Sequence[Known]) -> Tensor:
    """Return the evidence (K, len(NAMES)) of objects of which something is `known`."""
    inside, pixels = _inside(seen.cells), maps.probability[0].numel()
    usual = torch.stack([each.area for each in known])
    before = torch.stack([each.cells for each in known])
    hard = _hard(maps.probability)
    steering = maps.steering.float().sigmoid()
    likeness = _likeness(seen, known)
    columns = [
        (seen.area + 1).log().sub((usual + 1).log()).clamp(-6, 2),
        (maps.probability[1:] * hard).sum(dim=(1, 2)) / hard.sum(dim=(1, 2)).clamp_min(1),
        seen.cells.amax(dim=(1, 2)),
        ((seen.area + 1) / pixels).log(),
        steering.amax(dim=(1, 2)),
        (steering * inside).sum(dim=(1, 2)),
        *likeness,
        _contested(maps.own, near(before, maps.own)),
        _shift(inside, before),
        ((usual + 1) / pixels).log(),
        torch.full_like(usual, len(known) - 1),
    ]
    return torch.stack(columns, dim=1)


def _likeness(seen: Seen, known: Sequence[Known]) -> tuple[Tensor, ...]:
    """Return five cosines (K,): to the object's own past, and to the other objects'."""
    looks = F.normalize(seen.look, dim=1)
    first = F.normalize(torch.stack([each.first for each in known]), dim=1)
    usual = F.normalize(torch.stack([each.usual for each in known]), dim=1)
    table = looks @ usual.T
    own = table.diagonal()
    if len(known) == 1:
        rival, margin = torch.zeros_like(own), torch.zeros_like(own)
    else:
        mine = torch.eye(len(known), dtype=torch.bool, device=table.device)
        rival = table.masked_fill(mine, -1).amax(dim=1)
        margin = own - rival
    assert seen.enriched is not None
    deep = torch.zeros_like(own)
    for slot, each in enumerate(known):
        if each.enriched is not None:
            deep[slot] = F.cosine_similarity(seen.enriched[slot], each.enriched, dim=0)
    return (looks * first).sum(dim=1), own, rival, margin, deep


def near(cells: Tensor, like: Tensor) -> Tensor:
    """Return what lies within reach of where objects were, of cells (K, h, w): as `like`, bool."""
    side = 2 * _REACH + 1
    reached = F.max_pool2d(cells[:, None], side, stride=1, padding=_REACH) > _LEAST_SHARE
    return F.interpolate(reached.float(), like.shape[-2:], mode="nearest")[:, 0] > 0


def _contested(own: Tensor, reached: Tensor) -> Tensor:
    """Return how much of each object's own mask others claim, too, where they were: (K,)."""
    masks = own > 0.5
    claims = masks & reached
    of_others = claims.sum(dim=0) > claims.long()
    return (masks & of_others).sum(dim=(1, 2)) / masks.sum(dim=(1, 2)).clamp_min(1)


def _shift(inside: Tensor, before: Tensor) -> Tensor:
    """Return how far the objects' centres moved, (K,), in sides of what they covered before."""
    height, width = inside.shape[-2:]
    rows = torch.arange(height, device=inside.device, dtype=inside.dtype)[:, None]
    columns = torch.arange(width, device=inside.device, dtype=inside.dtype)
    were = _inside(before)
    down = ((inside - were) * rows).sum(dim=(1, 2))
    across = ((inside - were) * columns).sum(dim=(1, 2))
    side = before.sum(dim=(1, 2)).clamp_min(1).sqrt()
    return (torch.hypot(down, across) / side).clamp_max(_SHIFT)


def _cells(maps: Tensor, pix_feat: Tensor) -> Tensor:
    height, width = pix_feat.shape[-2:]
    return F.adaptive_avg_pool2d(maps.float(), (height, width))


def _inside(cells: Tensor) -> Tensor:
    """Return weights (K, h, w) that sum to 1 where there is something."""
    return cells / cells.sum(dim=(1, 2), keepdim=True).clamp_min(_TINY)


def _hard(probability: Tensor) -> Tensor:
    """Return the masks (K, H, W) bool of probabilities (K + 1, H, W)."""
    labels = winner(probability)
    slots = torch.arange(1, len(probability), device=labels.device, dtype=labels.dtype)
    return labels == slots.view(-1, 1, 1)
