"""A person who corrects masks, played from the ground truth."""

from collections.abc import Callable

import cv2
import numpy as np

from models.api import BoolMask, Box, Click

_ENOUGH = 0.9  # IoU that a person is content with

Truth = Callable[[int, int], BoolMask]  # frame, object -> where it is


class Person:
    """Looks at masks and clicks where the error is largest. Knows the truth, the models do not."""

    def __init__(self, truth: Truth) -> None:
        self._truth = truth

    def is_content(self, frame: int, number: int, mask: BoolMask) -> bool:
        """Whether a mask needs no correction."""
        return self.iou(frame, number, mask) >= _ENOUGH

    def iou(self, frame: int, number: int, mask: BoolMask) -> float:
        """Return the IoU with the truth, 1 where both are empty."""
        there = self._truth(frame, number)
        union = int(np.count_nonzero(there | mask))
        return int(np.count_nonzero(there & mask)) / union if union else 1.0

    def sees(self, frame: int, number: int) -> bool:
        """Whether the object is in the picture."""
        return bool(self._truth(frame, number).any())

    def box(self, frame: int, number: int) -> Box:
        """Return a box drawn round the object."""
        rows, columns = np.nonzero(self._truth(frame, number))
        return Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)

    def click(self, frame: int, number: int, mask: BoolMask) -> Click:
        """Return a click in the middle of the thickest error."""
        there = self._truth(frame, number)
        missing, wrong = _depth(there & ~mask), _depth(mask & ~there)
        positive = bool(missing.max() >= wrong.max())
        depth = missing if positive else wrong
        row, column = np.unravel_index(int(depth.argmax()), depth.shape)
        return Click(float(column), float(row), positive)


def _depth(mask: BoolMask) -> cv2.typing.MatLike:
    """Return each set pixel's distance to the edge of its region or of the frame."""
    padded = np.pad(mask, 1).astype(np.uint8)
    return cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
