"""The simulated annotator: corrects masks as a person would, from the ground truth."""

from collections.abc import Callable

import numpy as np

from models.api import BoolMask, Box, Click
from models.prompt import box_round
from models.training.learners.clicking import mending_click

_ENOUGH = 0.9  # IoU that a person is content with

Truth = Callable[[int, int], BoolMask]  # frame, object -> where it is


class SimulatedAnnotator:
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
        return box_round(self._truth(frame, number))

    def click(self, frame: int, number: int, mask: BoolMask) -> Click:
        """Return a click in the middle of the thickest error."""
        return mending_click(self._truth(frame, number), mask)
