"""The best one-to-one matching of true and predicted objects."""

import numpy as np
from numpy.typing import NDArray

from app.core.inspection.measures import Counts, Floats

Matches = NDArray[np.intp]  # (..., K), the place of the predicted object for each true one


def overlaps(overlap: Counts) -> Floats:
    """Return the IoU of every true with every predicted object, (..., K, K), from (..., R, R)."""
    shared = overlap[..., 1:, 1:]
    truth, area = overlap.sum(axis=-1)[..., 1:, None], overlap.sum(axis=-2)[..., None, 1:]
    return np.asarray(shared / np.maximum(truth + area - shared, 1), np.float64)


def match_frames(ious: Floats) -> Matches:
    """Match each frame (T, K, K) by the sum over it and its neighbours, so that no flicker counts.

    Returns (T, K).
    """
    padded = np.pad(ious, ((1, 1), (0, 0), (0, 0)), mode="edge")
    summed = padded[:-2] + padded[1:-1] + padded[2:]
    own = np.diagonal(summed, axis1=1, axis2=2)
    settled = ((own >= summed.max(axis=1)) & (own >= summed.max(axis=2))).all(axis=1)
    identity = np.arange(ious.shape[-1])
    return np.array(
        [identity if same else match(values) for same, values in zip(settled, summed, strict=True)],
        np.intp,
    ).reshape(ious.shape[:2])


def match(values: Floats) -> Matches:
    """Return for each row of a square matrix its column, each once, so that the sum is greatest.

    The Hungarian method (Kuhn 1955, Munkres 1957) by shortest augmenting paths. Row and column 0
    stand for "none".
    """
    count = len(values)
    row_price, column_price = np.zeros(count + 1), np.zeros(count + 1)
    row_of = np.zeros(count + 1, np.intp)  # column -> its row
    for row in range(1, count + 1):
        row_of[0], column = row, 0
        slack, before = np.full(count + 1, np.inf), np.zeros(count + 1, np.intp)
        free = np.ones(count + 1, np.bool_)
        while row_of[column]:
            free[column] = False
            at = row_of[column]
            reduced = -values[at - 1] - row_price[at] - column_price[1:]
            nearer = np.flatnonzero(free[1:] & (reduced < slack[1:])) + 1
            slack[nearer], before[nearer] = reduced[nearer - 1], column
            column = int(np.where(free, slack, np.inf).argmin())
            step = slack[column]
            row_price[row_of[~free]] += step
            column_price[~free] -= step
            slack[free] -= step
        while column:
            row_of[column] = row_of[before[column]]
            column = int(before[column])
    matched = np.empty(count, np.intp)
    matched[row_of[1:] - 1] = np.arange(count)
    return matched
