"""How much a mask looks like a thing of its own."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.api import BoolMask
from models.classic.colour import ColourModel, fine_bins
from models.classic.trimap import Scene

_RING_PX = 6


def confidence(scene: Scene, mask: BoolMask, labels: NDArray[np.uint8]) -> float:
    """Return 0 to 1: an outline on edges, other colours outside, and not stopped by the limits.

    The product of three shares, so that one bad sign is enough; not a predicted IoU.
    """
    if not mask.any() or mask.all():
        return 0.0
    solid = mask.astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    outline = (solid - cv2.erode(solid, cross)).astype(np.bool_)
    edge = _edges(scene)
    on_edge = float(np.mean(edge[outline]))
    inner = cv2.erode(solid, np.ones((5, 5), np.uint8)).astype(np.bool_)
    within = float(np.mean(edge[inner])) if inner.any() else 0.0
    clear = on_edge / (on_edge + within + 0.02)
    side = 2 * _RING_PX + 1
    ring = cv2.dilate(solid, np.ones((side, side), np.uint8)).astype(np.bool_) & ~mask
    bins = fine_bins(scene.image)
    apart = 1 - ColourModel.of([(bins, mask)]).likeness(bins, ring)
    limit = cv2.dilate((labels == cv2.GC_BGD).astype(np.uint8), cross).astype(np.bool_)
    free = 1 - int(np.count_nonzero(outline & limit)) / max(1, int(np.count_nonzero(outline)))
    return float(np.clip(clear * (0.4 + 0.6 * apart) * (0.4 + 0.6 * free), 0, 1))


def _edges(scene: Scene) -> NDArray[np.float32]:
    """Return the largest change of colour to a neighbour, 0 to 1 (H, W)."""
    lab = np.asarray(cv2.cvtColor(scene.image, cv2.COLOR_RGB2LAB), np.uint8)
    gradient = cv2.morphologyEx(lab, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    return np.asarray(np.asarray(gradient, np.float32).max(axis=-1) / 255, np.float32)
