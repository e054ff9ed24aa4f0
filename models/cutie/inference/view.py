"""The view: the part of a frame that the network sees, which follows an object.

A view has the frame's shape and is brought to the same pixels whatever its size, so that a small
object is seen larger, and a frame costs the same. Where the object would so be seen in fewer pixels
than in the whole frame, the view is the whole frame, in all of its pixels.
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from models.api import BoolMask
from models.cutie.inference.plan import Plan

FOLLOWED = 0.75  # of the short side, in which a view is seen that is not the whole frame
_SPAN = 0.85  # of a view, which the object takes when the view is chosen
_LEAST_SPAN = 0.6  # under which the view closes in
_LEAST_WHOLE_SPAN = 0.5  # the same of the whole frame: not to and fro, near the limit
_MOST_ZOOM = 3.0
# Of the free space of a view, an object has so much on each side: what comes out from behind a tree
# on its other side is seen.
_ASIDE = 0.25
_AHEAD = 2  # frames, of which the view is chosen before the object is seen on the first
_FIRST = 0.03  # of a frame, by which an object may move as long as nobody has seen how it does
_LEAST_AREA = 10  # pixels, as the network sees the frame, under which nothing is followed


class Box(NamedTuple):
    """Where an object is, in pixels of the frame; bottom and right are beyond it."""

    top: float
    left: float
    bottom: float
    right: float


class View(NamedTuple):
    """A part of a frame, in whole pixels."""

    top: int
    left: int
    height: int
    width: int

    @classmethod
    def whole(cls, frame: tuple[int, int]) -> "View":
        """Return all of a frame of size (height, width)."""
        return cls(0, 0, *frame)

    @classmethod
    def on(cls, box: Box, frame: tuple[int, int]) -> "View":
        """Return the view in whose middle an object is, as far as the frame reaches.

        It is the whole frame where the object has more pixels in that.
        """
        zoom = zoom_on(box, frame)
        if zoom < 1 / FOLLOWED:
            return cls.whole(frame)
        height, width = (max(round(side / zoom), 1) for side in frame)
        top, left = (box.top + box.bottom - height) / 2, (box.left + box.right - width) / 2
        return cls(
            round(min(max(top, 0), frame[0] - height)),
            round(min(max(left, 0), frame[1] - width)),
            height,
            width,
        )

    def contains(self, x: float, y: float) -> bool:
        """Return whether a pixel of the frame lies in it."""
        return self.left <= x < self._right and self.top <= y < self._bottom

    def holds(self, box: Box, frame: tuple[int, int], share: float) -> bool:
        """Return whether a share of the view's free space, or the frame's end, is on each side."""
        down = share * max(self.height - (box.bottom - box.top), 0)
        across = share * max(self.width - (box.right - box.left), 0)
        return (
            (self.top == 0 or box.top >= self.top + down)
            and (self.left == 0 or box.left >= self.left + across)
            and (self._bottom == frame[0] or box.bottom <= self._bottom - down)
            and (self._right == frame[1] or box.right <= self._right - across)
        )

    @property
    def _bottom(self) -> int:
        return self.top + self.height

    @property
    def _right(self) -> int:
        return self.left + self.width


class Follower:
    """Chooses the view for the frames to come by where the object was last seen, and moves to."""

    def __init__(self, frame: tuple[int, int], before: Mapping[int, View] | None = None) -> None:
        """`frame` is a frame's size; `before` are views of an earlier pass, by their frames."""
        self.view = View.whole(frame)
        self._frame = frame
        self._before = before or {}
        self._retraces = bool(before)  # whether the last view was one from before
        self._box: Box | None = None
        self._moved: Box | None = None  # how far each side has moved; None where nobody knows

    def start(self, box: Box | None) -> None:
        """Follow the object from here, wherever it was before."""
        self._box, self._moved = box, None
        whole = View.whole(self._frame)
        self.view = whole if box is None else View.on(self._soon(box, _AHEAD), self._frame)

    def see(self, box: Box | None) -> None:
        """Take up where the object is on the next frame; None where it is not to be seen."""
        before, self._box, self._moved = self._box, box, None
        if box is None:  # whoever follows looks for it in the whole frame
            return
        if before is not None:
            self._moved = Box(*(now - was for now, was in zip(box, before, strict=True)))
        soon = self._soon(box, _AHEAD)
        if not self._keeps(self.view, soon):
            self.view = View.on(soon, self._frame)

    def turn_to(self, number: int) -> None:
        """Choose the view of a frame: the one from before where it will do."""
        before, box = self._view_before(number), self._box
        self._retraces = (
            before is not None and box is not None and self._keeps(before, self._soon(box, 1))
        )
        if before is not None and self._retraces:
            self.view = before

    def view_of(self, number: int) -> View:
        """Return the view of the frame turned to; of one ahead, what it seems to become."""
        before = self._view_before(number) if self._retraces else None
        return self.view if before is None else before

    def _view_before(self, number: int) -> View | None:
        """Return the view of an earlier pass, if both are whole frames or neither is.

        Right behind an anchor that was seen in part nothing is known of what lies beyond it.
        """
        before, whole = self._before.get(number), View.whole(self._frame)
        return before if (before == whole) == (self.view == whole) else None

    def may_miss(self, view: View) -> bool:
        """Return whether the object may leave a view that was chosen some frames ago."""
        return self._box is not None and not view.holds(self._soon(self._box, 1), self._frame, 0)

    def _soon(self, box: Box, frames: int) -> Box:
        """Return where the object is now and, if it moves on like this, some frames later."""
        height, width = self._frame
        if self._moved is None:
            down, across = _FIRST * height, _FIRST * width
            moved = Box(box.top - down, box.left - across, box.bottom + down, box.right + across)
        else:
            moved = Box(*(a + frames * b for a, b in zip(box, self._moved, strict=True)))
        return Box(
            max(min(box.top, moved.top), 0),
            max(min(box.left, moved.left), 0),
            min(max(box.bottom, moved.bottom), height),
            min(max(box.right, moved.right), width),
        )

    def _keeps(self, view: View, box: Box) -> bool:
        """Return whether a view still does for an object: it is not too small in it, nor aside."""
        closes_in = view.height > round(self._frame[0] / _MOST_ZOOM)
        least = _LEAST_WHOLE_SPAN if view == View.whole(self._frame) else _LEAST_SPAN
        is_small = closes_in and _share(box, (view.height, view.width)) < least
        return not is_small and view.holds(box, self._frame, _ASIDE)


def zoom_on(box: Box, frame: tuple[int, int]) -> float:
    """Return how much larger than in the whole frame an object can be seen."""
    return min(max(_SPAN / max(_share(box, frame), 1e-6), 1.0), _MOST_ZOOM)


def moved_on(before: Box, now: Box) -> Box:
    """Return where an object will be that moves on as it did."""
    return Box(*(2 * b - a for a, b in zip(before, now, strict=True)))


def iou(a: Box, b: Box) -> float:
    """Return the IoU of two boxes."""
    down = max(min(a.bottom, b.bottom) - max(a.top, b.top), 0)
    across = max(min(a.right, b.right) - max(a.left, b.left), 0)
    areas = sum((box.bottom - box.top) * (box.right - box.left) for box in (a, b))
    return down * across / max(areas - down * across, 1e-6)


def box_of(masks: Iterable[BoolMask]) -> Box | None:
    """Return where the masks (H, W) are set, None where none is."""
    return _box(torch.from_numpy(mask) for mask in masks)


def box_in(probability: Tensor, view: View) -> Box | None:
    """Return where probabilities (K, h, w) in a view are above one half, as a box of the frame."""
    if not len(probability):
        return None
    there = probability.amax(dim=0) > 0.5
    if int(there.sum()) < _LEAST_AREA:
        return None
    box = _box([there])
    assert box is not None
    down, across = view.height / there.shape[0], view.width / there.shape[1]
    return Box(
        view.top + box.top * down,
        view.left + box.left * across,
        view.top + box.bottom * down,
        view.left + box.right * across,
    )


def _box(masks: Iterable[Tensor]) -> Box | None:
    there = torch.stack(list(masks)).any(dim=0)
    rows, columns = there.any(dim=1).nonzero(), there.any(dim=0).nonzero()
    if not len(rows):
        return None
    return Box(int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1)


def _share(box: Box, size: tuple[int, int]) -> float:
    return max((box.bottom - box.top) / size[0], (box.right - box.left) / size[1])


def follows(plan: Plan) -> bool:
    """Return whether the view may follow what a plan is about: one object, frame after frame."""
    objects = {object_id for masks in plan.anchors.values() for object_id in masks}
    starts = [start for object_id, start in plan.starts.items() if object_id in objects]
    path = [*starts, *plan.frames]
    return len(objects) == 1 and all(abs(after - before) <= 1 for before, after in pairwise(path))
