"""How much masks share, on thinned-out pixels: enough to see a jump, and quick."""

import numpy as np

from app.core.mask import Mask

_SIDE_PX = 96  # larger masks are thinned out to about this side before they are compared


def quick_iou(one: Mask, other: Mask) -> float:
    """Return the IoU of two masks on thinned-out pixels: enough to see a jump."""
    shared = _shared(one, other)
    return min(1.0, shared / max(1, one.area + other.area - shared))


def shape_iou(one: Mask, other: Mask) -> float:
    """Return the IoU of two masks laid centre on centre, on thinned-out pixels."""
    step = max(thinning(one), thinning(other))
    crops = [mask.crop()[::step, ::step] for mask in (one, other)]
    height, width = np.max([crop.shape for crop in crops], axis=0)
    laid = np.zeros((2, height, width), np.bool_)
    for canvas, crop in zip(laid, crops, strict=True):
        top, left = (height - crop.shape[0]) // 2, (width - crop.shape[1]) // 2
        canvas[top : top + crop.shape[0], left : left + crop.shape[1]] = crop
    shared, either = (int(np.count_nonzero(each)) for each in (laid.all(axis=0), laid.any(axis=0)))
    return shared / max(1, either)


def inside(mask: Mask | None, other: Mask | None) -> float:
    """Return the share of a mask that lies in another one."""
    if mask is None or other is None:
        return 0.0
    return min(1.0, _shared(mask, other) / mask.area)


def _shared(one: Mask, other: Mask) -> int:
    """Return how many pixels two masks share, on thinned-out pixels."""
    top, bottom = max(one.box[0], other.box[0]), min(one.box[1], other.box[1])
    left, right = max(one.box[2], other.box[2]), min(one.box[3], other.box[3])
    if top >= bottom or left >= right:
        return 0
    window, step = (top, bottom, left, right), max(thinning(one), thinning(other))
    both = one.inside(window)[::step, ::step] & other.inside(window)[::step, ::step]
    return int(np.count_nonzero(both)) * step * step


def thinning(mask: Mask) -> int:
    """Return the step at which a mask's pixels are enough to compare it."""
    y0, y1, x0, x1 = mask.box
    return max(1, max(y1 - y0, x1 - x0) // _SIDE_PX)
