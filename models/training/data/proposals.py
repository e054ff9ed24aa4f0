"""Masks of many objects in a picture that nobody labelled: SAM 2, clicked on a grid of points.

After Kirillov et al., "Segment Anything", 2023, appendix B: masks are kept that the network itself
thinks good, and that hardly change when the threshold moves.
"""

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from models.api import BoolMask, Image
from models.sam.choice import stability
from models.sam.compute import computing
from models.sam.prompts import POSITIVE, Points
from models.sam.sam2_network import Sam2Network
from models.training.config import PseudoMasks
from models.training.data.pictures import Labels

Propose = Callable[[Image], Labels]

_SURE = 0.85  # predicted IoU, and stability, of a mask that is kept
_SAME = 0.7  # IoU from which two masks are one
_SHARES = (0.003, 0.3)  # of the picture that an object covers, at least and at most
_EDGE = 0.2  # share of the picture's edge from which a mask is sky or ground, not an object
_SIZE_WORTH = 0.05  # of score, for being larger by the factor e: whole things before their parts
_LEFT = 0.5  # of a mask that must remain beside the smaller ones over it


class ClickNetwork(Protocol):
    """What is asked here of a network that segments: what it knows of an image is its own."""

    @property
    def device(self) -> torch.device:
        """Where it computes."""

    def embed(self, image: Image) -> Any:  # noqa: ANN401
        """Return what is known of an image (H, W, 3)."""

    def decode(
        self,
        embedding: Any,  # noqa: ANN401
        points: Points,
        mask: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Return logits (4, h, w), the last three for an unclear click, and predicted IoUs (4)."""


class Proposal(NamedTuple):
    """A mask that the network is sure of."""

    mask: BoolMask
    score: float


class Proposals:
    """Finds objects in pictures; the network is loaded when the first one is asked for."""

    def __init__(self, load: Callable[[], ClickNetwork], *, grid: int, most: int) -> None:
        self._load = load
        self._grid = grid
        self._most = most

    @classmethod
    def of(cls, options: PseudoMasks, device: torch.device) -> "Proposals":
        """Return what a config asks for."""

        def load() -> Sam2Network:
            path = Path(options.segmenter)
            return Sam2Network.load(options.size, path, device=device, side=options.side)

        return cls(load, grid=options.grid, most=options.most)

    def __call__(self, image: Image) -> Labels:
        """Return the labels (H, W) of up to `most` objects, 1 the largest."""
        things = [proposal for proposal in self._ask(image) if _edge_share(proposal.mask) < _EDGE]
        return flattened(distinct(sorted(things, key=_worth))[: self._most], image.shape[:2])

    @cached_property
    def _network(self) -> ClickNetwork:
        return self._load()

    def _ask(self, image: Image) -> list[Proposal]:
        """Return the masks that one click each brings, where the network is sure of them."""
        found: list[Proposal] = []
        with computing(self._network.device):
            embedding = self._network.embed(image)
            for x, y in grid_points(image.shape[:2], self._grid):
                xy = torch.tensor([[[x, y]]], device=self._network.device)
                labels = torch.full((1, 1), POSITIVE, dtype=torch.int32, device=xy.device)
                logits, ious = self._network.decode(embedding, Points(xy, labels), None)
                score = torch.minimum(ious, stability(logits))
                share = (logits > 0).flatten(1).float().mean(dim=1)
                good = (score >= _SURE) & (share >= _SHARES[0]) & (share <= _SHARES[1])
                good[0] = False  # that one is for clear prompts
                if bool(good.any()):
                    full = interpolate(logits[good][None], image.shape[:2], mode="bilinear")[0]
                    masks = (full > 0).cpu().numpy()
                    found += map(Proposal, masks, score[good].tolist())
        return found


def grid_points(size: tuple[int, int], count: int) -> list[tuple[float, float]]:
    """Return (x, y) at even distances, `count` of them along the long side."""
    step = max(size) / count
    rows, columns = (max(round(length / step), 1) for length in size)
    return [
        ((column + 0.5) * size[1] / columns, (row + 0.5) * size[0] / rows)
        for row in range(rows)
        for column in range(columns)
    ]


def distinct(found: list[Proposal]) -> list[Proposal]:
    """Return the proposals less those that an earlier one nearly equals."""
    kept: list[Proposal] = []
    for proposal in found:
        if all(overlap(proposal.mask, other.mask) < _SAME for other in kept):
            kept.append(proposal)
    return kept


def flattened(found: list[Proposal], size: tuple[int, int]) -> Labels:
    """Return labels (H, W) in which smaller masks lie over larger ones.

    A mask of which the smaller ones leave too little is left out.
    """
    masks = sorted((proposal.mask for proposal in found), key=np.count_nonzero)
    covered = np.zeros(size, np.bool_)
    visible: list[BoolMask] = []
    for mask in masks:
        rest = mask & ~covered
        if np.count_nonzero(rest) >= _LEFT * np.count_nonzero(mask):
            visible.append(rest)
            covered |= mask
    labels = np.zeros(size, np.uint8)
    for number, mask in enumerate(reversed(visible), start=1):
        labels[mask] = number
    return labels


def _worth(proposal: Proposal) -> float:
    """Return what sorts the best proposal first."""
    return -(proposal.score + _SIZE_WORTH * float(np.log(proposal.mask.mean())))


def _edge_share(mask: BoolMask) -> float:
    """Return how much of the picture's edge belongs to the mask, 0 to 1."""
    edge = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    return float(edge.mean())


def overlap(first: BoolMask, second: BoolMask) -> float:
    """Return the IoU of two masks, 1 where both are empty."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 1.0
