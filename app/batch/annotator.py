"""The simulated annotator: corrects masks as a person would, from the ground truth."""

from collections.abc import Callable

import numpy as np

from models.api import BoolMask, Box, Click, Prompt, Segmenter
from models.prompt import box_round
from models.training.learners.clicking import mending_click

_ENOUGH = 0.9  # IoU that a person is content with
_TRIES = 3  # clicks, and clicks after a box, before a person gives up

Truth = Callable[[int, int], BoolMask]  # frame, object -> where it is


class SimulatedAnnotator:
    """Looks at masks and clicks where the error is largest. Knows the truth, the models do not."""

    def __init__(self, truth: Truth, enough: float = _ENOUGH) -> None:
        self._truth, self._enough = truth, enough

    def is_content(self, frame: int, number: int, mask: BoolMask) -> bool:
        """Whether a mask needs no correction."""
        return self.iou(frame, number, mask) >= self._enough

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

    def correct(
        self, segmenter: Segmenter, frame: int, number: int, mask: BoolMask
    ) -> tuple[BoolMask, int]:
        """Return a better mask and how many clicks and boxes it took, at least one.

        A click on the mask so far comes first; where that does not do, a box, and clicks after it.
        Of the masks on the way the best holds.
        """
        tried = [(mask, 0)]
        for prompt in (Prompt(mask=mask), Prompt(box=self.box(frame, number))):
            tried += self._tries(segmenter, frame, number, prompt, tried[-1][1])
            if self.is_content(frame, number, tried[-1][0]):
                break
        return max(tried[1:], key=lambda each: self.iou(frame, number, each[0]))

    def _tries(
        self, segmenter: Segmenter, frame: int, number: int, prompt: Prompt, made: int
    ) -> list[tuple[BoolMask, int]]:
        found: list[tuple[BoolMask, int]] = []
        clicks: tuple[Click, ...] = ()
        box, mask = prompt.box, prompt.mask if prompt.mask is not None else None
        while len(found) < _TRIES:
            if box is None or found:
                so_far = mask if mask is not None else np.zeros_like(self._truth(frame, number))
                clicks = (*clicks, self.click(frame, number, so_far))
            given = mask if mask is not None and mask.any() else None
            best = segmenter.segment(frame, Prompt(clicks, box, given))
            # Of the candidates a person takes the best.
            mask = max((each.mask for each in best), key=lambda m: self.iou(frame, number, m))
            found.append((mask, made + len(found) + 1))
            if self.is_content(frame, number, mask):
                break
        return found
