"""The parts of masks: pieces split off, and a correction carried on to other frames."""

from collections.abc import Iterable

import cv2
import numpy as np

from app.core.mask import Mask
from models.api import BoolMask

_SPECK = 0.05  # share of the area under which a piece stays with the rest


def split(masks: Iterable[tuple[int, Mask]]) -> dict[int, tuple[Mask, Mask]]:
    """Return frame -> (what stays, the part) of the masks that fall into pieces; frames rise.

    What stays is the piece that overlaps most with what stayed on the frame before, the largest
    where none was split before. Specks stay with it.
    """
    found: dict[int, tuple[Mask, Mask]] = {}
    before: Mask | None = None
    for frame, mask in masks:
        stays = _main_piece(mask, before)
        part = Mask.encode(mask.decode() & ~stays)
        before = Mask.encode(stays)
        if part is not None and before is not None:
            found[frame] = (before, part)
    return found


def carried(before: Mask, now: Mask, there: Mask) -> Mask | None:
    """Return the mask `there` with the correction that made `now` of `before`.

    What was added and what was taken away are moved as the mask's centre moved from `before` to
    `there`. None = nothing is left.
    """
    old, new, target = before.decode(), now.decode(), there.decode()
    by = _centre(target) - _centre(old)
    added, removed = _shifted(new & ~old, by), _shifted(old & ~new, by)
    return Mask.encode((target | added) & ~removed)


def _main_piece(mask: Mask, before: Mask | None) -> BoolMask:
    """Return the piece that goes on from `before`, with all specks (H, W)."""
    pixels = mask.decode()
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        pixels.astype(np.uint8), connectivity=8
    )
    areas = stats[:, cv2.CC_STAT_AREA]
    weights = areas.copy()
    if before is not None and before.iou(mask) > 0:
        weights = np.bincount(labels[before.decode()], minlength=count)
    weights[0] = -1  # the background
    specks = areas < _SPECK * pixels.sum()
    specks[0] = False
    specks[int(weights.argmax())] = True
    return np.asarray(specks[labels], np.bool_)


def _centre(pixels: BoolMask) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return (x, y) of the centre of mass."""
    rows, columns = np.nonzero(pixels)
    return np.array([columns.mean(), rows.mean()])


def _shifted(pixels: BoolMask, by: np.ndarray[tuple[int], np.dtype[np.float64]]) -> BoolMask:
    """Return the pixels moved by whole pixels (x, y); what leaves the frame is gone."""
    height, width = pixels.shape
    move = np.array([[1, 0, round(by[0])], [0, 1, round(by[1])]], np.float64)
    moved = cv2.warpAffine(pixels.astype(np.uint8), move, (width, height), flags=cv2.INTER_NEAREST)
    return np.asarray(moved, np.bool_)
