"""Where a person clicks and what they draw a box round, drawn from the true mask.

Masks are (H, W); `rng` makes the same ones for the same state.
"""

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np

from models.api import BoolMask, Box, Click
from models.prompt import box_round

_JITTER = 0.02  # of a box's sides, standard deviation
_SLOPPY = 0.6  # share of boxes that are not drawn exactly
_REACH = 0.07  # of the frame, by which a mask may lie beside its object
_EDGE = (3, 13)  # pixels by which a mask may be too wide or too narrow, the far end left out


class Wrong(Enum):
    """How a mask that is to be mended came out."""

    ELSEWHERE = "elsewhere"  # on another object
    BOTH = "both"  # on this object and another
    HALF = "half"
    EDGE = "edge"  # too wide or too narrow all round
    BESIDE = "beside"  # moved, as after a drift


@dataclass(frozen=True, slots=True)
class Hand:
    """A person's hand over one frame, where the object is `there`."""

    there: BoolMask
    rng: np.random.Generator

    def first_click(self, centred: float = 0.7) -> Click:
        """Return a click on the object: in a share `centred` at its innermost point."""
        if self.rng.random() < centred:
            return mending_click(self.there, np.zeros_like(self.there))
        return self._click_in(self.there)

    def stray_click(self) -> Click | None:
        """Return a click well beside the object, None where the object fills the frame."""
        beside = cv2.dilate(self.there.astype(np.uint8), np.ones((9, 9), np.uint8)) == 0
        return self._click_in(beside) if beside.any() else None

    def box(self) -> Box:
        """Return a box round the object, now and then a sloppy one."""
        exact = box_round(self.there)
        if self.rng.random() >= _SLOPPY:
            return exact
        height, width = self.there.shape
        wide, tall = exact.x1 - exact.x0, exact.y1 - exact.y0
        off = self.rng.normal(0, _JITTER, 4) * (wide, tall, wide, tall)
        edges = np.array([exact.x0, exact.y0, exact.x1, exact.y1]) + off
        return Box(*(float(edge) for edge in np.clip(edges, 0, (width, height, width, height))))

    def wrong_mask(self, kind: Wrong, other: BoolMask) -> BoolMask:
        """Return a mask to mend; `other` is what lies elsewhere."""
        if kind is Wrong.ELSEWHERE:
            return other & ~self.there
        if kind is Wrong.BOTH:
            return other | self.there
        if kind is Wrong.HALF:
            return self._half()
        if kind is Wrong.EDGE:
            return self._off_at_the_edge()
        reach = round(_REACH * min(self.there.shape))
        down, right = (int(step) for step in self.rng.integers(-reach, reach + 1, 2))
        return np.roll(self.there, (down, right), (0, 1))

    def _click_in(self, region: BoolMask) -> Click:
        rows, columns = np.nonzero(region)
        index = int(self.rng.integers(len(rows)))
        return Click(float(columns[index]), float(rows[index]))

    def _half(self) -> BoolMask:
        """Return what lies on one side of a line through a point of the object."""
        point, angle = self._click_in(self.there), self.rng.uniform(0, 2 * np.pi)
        rows, columns = np.indices(self.there.shape)
        side = (rows - point.y) * np.sin(angle) + (columns - point.x) * np.cos(angle) > 0
        half: BoolMask = self.there & side
        return half

    def _off_at_the_edge(self) -> BoolMask:
        size = int(self.rng.integers(*_EDGE))
        round_one = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
        change = cv2.dilate if self.rng.random() < 0.5 else cv2.erode
        return change(self.there.astype(np.uint8), round_one) > 0


def mending_click(there: BoolMask, mask: BoolMask) -> Click:
    """Return a click in the middle of the thickest error of `mask`."""
    missing, wrong = _depth(there & ~mask), _depth(mask & ~there)
    positive = bool(missing.max() >= wrong.max())
    depth = missing if positive else wrong
    row, column = np.unravel_index(int(depth.argmax()), depth.shape)
    return Click(float(column), float(row), positive)


def _depth(mask: BoolMask) -> cv2.typing.MatLike:
    """Return each set pixel's distance to the edge of its region or of the frame."""
    padded = np.pad(mask, 1).astype(np.uint8)
    return cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1]
