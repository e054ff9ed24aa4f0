"""The shreds that a cut leaves of a mask along its edge, specks and dust: nothing is there."""

from collections.abc import Iterable

import cv2
import numpy as np

from models.api import BoolMask, Click
from models.prompt import lies_in, pixel_of

_DUST = 0.002  # share of a mask below which a piece of it, or a hole in it, is nothing
_EXACT = 0.01  # how exact edges are, as a share of the frame's short side
_SPECK = 0.01  # share of a mask up to which a piece of it is a speck


def widened(mask: BoolMask) -> BoolMask:
    """Return a mask (H, W), wider by as much as edges are exact."""
    reach = max(1, round(_EXACT * min(mask.shape)))
    return _wider(mask, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))


def shreds(rest: BoolMask, cut: BoolMask) -> BoolMask:
    """Return the pieces of what is left beside a cut (H, W) that are but its edge.

    They touch it, and all of them lies as near to it as edges are exact.
    """
    none: BoolMask = np.zeros_like(rest)
    beside = rest & _wider(cut, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    if not beside.any():
        return none
    count, labels = cv2.connectedComponents(rest.astype(np.uint8), connectivity=4)
    is_shred = np.zeros(count, np.bool_)
    is_shred[labels[beside]] = True
    is_shred[labels[rest & ~widened(cut)]] = False
    is_shred[0] = False
    found: BoolMask = is_shred[labels]
    return found


def dusted(mask: BoolMask, clicks: Iterable[Click]) -> BoolMask:
    """Return a mask (H, W) without the specks and the pinholes that no click lies in.

    On stills a mask from one click falls into ten pieces, nearly all of them specks; none of the
    truth is lost with them.
    """
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    window = (slice(top, top + height), slice(left, left + width))
    inner = np.pad(mask[window], 1)  # so that all that is outside is one piece
    least = _DUST * np.count_nonzero(inner)
    for positive in (True, False):
        part = inner if positive else ~inner
        _, labels, stats, _ = cv2.connectedComponentsWithStats(
            part.astype(np.uint8), connectivity=4
        )
        is_dust = stats[:, cv2.CC_STAT_AREA] < least
        is_dust[0] = False
        for click in clicks:
            moved = Click(click.x - left + 1, click.y - top + 1, positive=positive)
            if click.positive is positive and lies_in(moved, part):
                is_dust[labels[pixel_of(moved, part.shape)]] = False
        inner = inner ^ is_dust[labels]
    clean: BoolMask = np.zeros_like(mask)
    clean[window] = inner[1:-1, 1:-1]
    return clean


def without_specks(mask: BoolMask) -> BoolMask:
    """Return a mask (H, W) without the pieces that are next to nothing of it."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=4)
    is_piece = stats[:, cv2.CC_STAT_AREA] >= _SPECK * np.count_nonzero(mask)
    is_piece[0] = False
    pieces: BoolMask = is_piece[labels]
    return pieces


def _wider(mask: BoolMask, kernel: cv2.typing.MatLike) -> BoolMask:
    return cv2.dilate(mask.astype(np.uint8), kernel).astype(np.bool_)
