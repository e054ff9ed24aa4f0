"""The gate of a refinement: whether it may take the place of the mask it was made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.core.mask import Mask
from models.api import Box, Prompt


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which mask holds, and the IoU of the two, 0 to 1."""

    mask: Mask
    accepted: bool
    iou: float


def prompt_of(mask: Mask, *, by_box: bool = False) -> Prompt:
    """Return what a segmenter is asked with: the mask, and the box round it, or `by_box` alone.

    HQTrack asks with the box alone (Zhu et al. 2023, section 2.3), which may mean another thing in
    the box than the mask does: outlines of masks that were 4 pixels off got worse by it.
    """
    y0, y1, x0, x1 = mask.box
    return Prompt(box=Box(x0, y0, x1, y1), mask=None if by_box else mask.decode())


def judge(current: Mask, refined: Mask | None, *, gate: float) -> Verdict:
    """Take the refined mask where its IoU with the current one is at least `gate`."""
    iou = 0.0 if refined is None else refined.iou(current)
    if refined is not None and iou >= gate:
        return Verdict(refined, accepted=True, iou=iou)
    return Verdict(current, accepted=False, iou=iou)


def paint_masks(
    ground: NDArray[np.uint8], masks: Mapping[int, Mask], order: Sequence[int]
) -> NDArray[np.uint8]:
    """Return `ground` (H, W) with the masks over it by their ids, later ones on top."""
    labels = ground.copy()
    for number in order:
        if number in masks:
            y0, y1, x0, x1 = masks[number].box
            labels[y0:y1, x0:x1][masks[number].crop()] = number
    return labels
