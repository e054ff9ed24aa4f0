"""The refinement of a rough mask to the edges of the image."""

import cv2
import numpy as np
from numpy.typing import NDArray

from models.api import BoolMask, FloatMap, Image

_FloatImage = NDArray[np.float32]


def guided(image: Image, values: FloatMap, *, radius_px: int, smoothness: float) -> FloatMap:
    """Return `values` (H, W) smoothed along the edges of the colour image.

    The guided filter (He et al. 2013, "Guided Image Filtering", section 3.3, colour guidance);
    `smoothness` is its epsilon for colours from 0 to 1.
    """
    guide = np.asarray(image, np.float32) / np.float32(255)
    mean_guide, mean_values = _mean(guide, radius_px), _mean(values, radius_px)
    spread = _mean(guide[..., :, None] * guide[..., None, :], radius_px)
    spread -= mean_guide[..., :, None] * mean_guide[..., None, :]
    spread += smoothness * np.eye(3, dtype=np.float32)
    shared = _mean(guide * values[..., None], radius_px) - mean_guide * mean_values[..., None]
    slope = _solved(spread, shared)
    offset = mean_values - (slope * mean_guide).sum(-1)
    smooth = (_mean(slope, radius_px) * guide).sum(-1) + _mean(offset, radius_px)
    return np.asarray(np.clip(smooth, 0, 1), np.float32)


def cut(image: Image, labels: NDArray[np.uint8], *, rounds: int = 1) -> BoolMask:
    """Return GrabCut's mask of an image whose pixels are labelled cv2.GC_*; repeatable.

    Where there is too little of one side to learn its colours, the labels themselves.
    """
    inside = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD))
    few = 10  # its colour models are mixtures of five
    if min(np.count_nonzero(inside), np.count_nonzero(~inside)) < few:
        return inside
    cv2.setRNGSeed(1)  # the mixtures start from a random clustering
    found = labels.copy()
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(
        np.ascontiguousarray(image), found, (0, 0, 1, 1), *models, rounds, cv2.GC_INIT_WITH_MASK
    )
    return np.isin(found, (cv2.GC_FGD, cv2.GC_PR_FGD))


def window_of(mask: BoolMask, margin_px: int) -> tuple[slice, slice]:
    """Return the rows and columns of the mask's bounding box with a margin, within the frame."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return slice(0, 0), slice(0, 0)
    return (
        slice(max(0, int(rows[0]) - margin_px), int(rows[-1]) + 1 + margin_px),
        slice(max(0, int(columns[0]) - margin_px), int(columns[-1]) + 1 + margin_px),
    )


def _mean(values: _FloatImage, radius_px: int) -> _FloatImage:
    side = 2 * radius_px + 1
    # The box filter takes any number of channels, but only in one axis.
    flat = values.reshape(*values.shape[:2], -1)
    return np.asarray(cv2.blur(flat, (side, side)), np.float32).reshape(values.shape)


def _solved(matrix: _FloatImage, vector: _FloatImage) -> _FloatImage:
    """Solve the symmetric 3 x 3 systems of all pixels by Cramer's rule."""
    a, b, c = matrix[..., 0, 0], matrix[..., 0, 1], matrix[..., 0, 2]
    d, e, f = matrix[..., 1, 1], matrix[..., 1, 2], matrix[..., 2, 2]
    c00, c01, c02 = d * f - e * e, c * e - b * f, b * e - c * d
    c11, c12, c22 = a * f - c * c, b * c - a * e, a * d - b * b
    x, y, z = vector[..., 0], vector[..., 1], vector[..., 2]
    det = a * c00 + b * c01 + c * c02
    rows = (c00 * x + c01 * y + c02 * z, c01 * x + c11 * y + c12 * z, c02 * x + c12 * y + c22 * z)
    return np.asarray(np.stack(rows, axis=-1) / det[..., None], np.float32)
