"""Palms: what the palm detector's numbers mean, and which of them are palms.

Bazarevsky et al., "On-device, real-time hand tracking with MediaPipe", 2019. A single-shot detector
with square anchors of one size, so that an anchor is but its centre.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIDE = 192  # pixels of the square that the network sees
_GRIDS = ((24, 2), (12, 6))  # cells a side, anchors a cell
_OVERLAP = 0.3  # IoU above which two boxes are of one palm
_BOUND = 80.0  # of logits, beyond which exp overflows in single precision

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Palm:
    """A palm in an image: its box (x0, y0, x1, y1), 7 key points (7, 2) in pixels, its score.

    Key point 0 is the wrist, 2 the root of the middle finger.
    """

    box: Floats
    points: Floats
    score: float


def anchors() -> Floats:
    """Return the centres of the anchors (2016, 2) as x and y, 0 to 1."""
    grids = []
    for cells, count in _GRIDS:
        centres = (np.arange(cells, dtype=np.float32) + 0.5) / cells
        grid = np.stack(np.meshgrid(centres, centres), axis=-1).reshape(-1, 2)
        grids.append(np.repeat(grid, count, axis=0))
    return np.concatenate(grids)


def decoded(raw: Floats, logits: Floats, *, least: float) -> list[Palm]:
    """Return the palms of a network's answer, in units of the square's side, best first.

    `raw` (2016, 18): the centre, width and height, and the key points, in pixels from the anchor;
    `logits` (2016). Palms of a score below `least` are left out.
    """
    scores = 1 / (1 + np.exp(-logits.clip(-_BOUND, _BOUND)))
    likely = np.flatnonzero(scores >= least)
    centres = anchors()[likely]
    values = raw[likely] / SIDE
    middle, size = values[:, :2] + centres, values[:, 2:4]
    boxes = np.concatenate([middle - size / 2, middle + size / 2], axis=1)
    points = values[:, 4:].reshape(-1, 7, 2) + centres[:, None]
    found = [
        Palm(box, point, float(score))
        for box, point, score in zip(boxes, points, scores[likely], strict=True)
    ]
    return merged(found)


def merged(palms: Sequence[Palm]) -> list[Palm]:
    """Return one palm for each group that overlaps, best first: their mean, by score.

    The mean steadies the box (weighted non-maximum suppression); the score is the best one's.
    """
    left = sorted(palms, key=lambda palm: -palm.score)
    kept = []
    while left:
        best = left[0]
        near = np.array([overlap(best.box, other.box) > _OVERLAP for other in left])
        near[0] = True
        group = [palm for palm, is_near in zip(left, near, strict=True) if is_near]
        left = [palm for palm, is_near in zip(left, near, strict=True) if not is_near]
        weights = [palm.score for palm in group]
        kept.append(
            Palm(
                np.average([palm.box for palm in group], axis=0, weights=weights),
                np.average([palm.points for palm in group], axis=0, weights=weights),
                best.score,
            )
        )
    return kept


def overlap(one: Floats, other: Floats) -> float:
    """Return the IoU of two boxes (x0, y0, x1, y1)."""
    inner = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    shared = float(inner.clip(min=0).prod())
    areas = float((one[2:] - one[:2]).prod() + (other[2:] - other[:2]).prod())
    return shared / (areas - shared) if areas > shared else 0.0
