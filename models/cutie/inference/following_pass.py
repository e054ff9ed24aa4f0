"""One pass through a video whose view follows an object, and which looks it up where it is lost."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from models.api import BoolMask, Vote
from models.cutie.config import MemoryConfig
from models.cutie.inference.plan import Plan
from models.cutie.inference.single_pass import Pass
from models.cutie.inference.view import Box, box_of, iou, moved_on

# Chosen on clips in which a pasted object leaves and returns; see lite's card.
_LEAST_SCORE = 0.75  # under which the object may be lost, and is not remembered
_LEAST_SHARE = 0.5  # of its usual area, under which the object may be lost
_LEAST_OVERLAP = 0.3  # IoU with where its box was, or moves to, under which it has jumped
_LEAST_FOUND_SCORE = 0.6  # of what is found in the whole frame
_LEAST_FOUND_SHARE = 0.4
_LEAST_KNOWN = 0.75  # IoU of what the whole frame and the view take for the object
# The same of a part of the object that the view has followed, as it goes behind something.
_LEAST_PART_SHARE = 0.2
_LEAST_PART_KNOWN = 0.85
_SAME = 0.5  # IoU, from which the view had it all the time
_USUAL = 5  # areas that the usual one is the mean of


class FollowingPass:
    """A pass with a view that follows one object, and whole frames where it has lost it.

    In the view the object is seen in finer cells; what has jumped is not in it, and then what is
    like the object and near is taken for it. So where it may have been lost, the whole frame is
    looked at, and what is found there counts where the view, closed in on it, takes it for the same
    thing: both by how the object looks, not by where it was. Else there is none, and nothing is
    remembered. Where the view is the whole frame, as of a large object, nothing else is looked at.
    """

    def __init__(self, plan: Plan, near: Pass, widen: Callable[[], Pass]) -> None:
        """`near` is the pass whose view follows; `widen` starts the one over whole frames."""
        self._plan = plan
        self._near = near
        self._widen = widen
        self._wide: Pass | None = None
        self._is_lost = False
        self._usual = _Usual()
        self._seen_whole: set[int] = set()  # frames

    @property
    def objects(self) -> list[int]:
        """The objects followed now, in the order of the probabilities."""
        return self._near.objects

    def step(self, frame: int) -> tuple[Tensor, Tensor]:
        """Return probabilities (K + 1, H, W) at the frame's size, and scores (K,)."""
        given = frame in self._plan.anchors
        if self._is_lost and not given:
            return self._look_up(frame, None)
        if self._is_lost:
            self._end_search()
        probability, score = self._near.step(frame)
        if not self.objects:
            return probability, score
        mask = _mask(probability)
        if given:
            self._usual.start(frame, mask)
        elif self._usual.may_be(mask, float(score[0])):
            self._usual.add(frame, mask)
        elif not (self._near.sees_whole and self._usual.is_there):
            return self._look_up(frame, (probability, score))
        return probability, score

    def explain(self, frame: int, x: float, y: float, object_id: int | None) -> tuple[Vote, ...]:
        """Return the votes for a pixel of the frame."""
        whole = self._wide if frame in self._seen_whole else None
        return (whole or self._near).explain(frame, x, y, object_id)

    def stop(self) -> None:
        """Encode nothing ahead from here on; `explain` still works."""
        self._near.stop()
        if self._wide is not None:
            self._wide.stop()

    def _look_up(self, frame: int, followed: tuple[Tensor, Tensor] | None) -> tuple[Tensor, Tensor]:
        """Return what is found in the whole frame; `followed` is what the view has, if it looked.

        Where that is the object after all, it counts.
        """
        whole, score = self._whole_frames().recognise(frame, ahead=self._is_lost)
        mask = _mask(whole)
        had = followed is not None and _overlap(mask, _mask(followed[0])) >= _SAME
        if float(score[0]) >= _LEAST_FOUND_SCORE and self._usual.share(mask) >= _LEAST_PART_SHARE:
            known = self._near.recognise(frame, place=mask)
            if float(known[1][0]) >= _LEAST_FOUND_SCORE and self._is_it(mask, known[0], had=had):
                return self._go_on(frame, followed if had else None, known)
        if not self._is_lost:
            self._near.rest()
        self._is_lost = True
        self._seen_whole.add(frame)
        nothing = torch.zeros_like(whole)
        nothing[0] = 1
        return nothing, torch.zeros_like(score)

    def _is_it(self, mask: BoolMask, known: Tensor, *, had: bool) -> bool:
        """Return whether a mask in the whole frame is of what the view has `known` again.

        `had`: whether it is where the view has followed the object to.
        """
        overlap = _overlap(mask, _mask(known))
        if self._usual.share(mask) >= _LEAST_FOUND_SHARE:
            return overlap >= _LEAST_KNOWN
        return had and overlap >= _LEAST_PART_KNOWN

    def _go_on(
        self, frame: int, followed: tuple[Tensor, Tensor] | None, known: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Return where the object is: as the view has `followed` it, or where it is `known` again.

        There the view follows it from now on.
        """
        self._end_search()
        mask = _mask(known[0])
        self._usual.start(frame, mask)
        if followed is not None:
            return followed
        self._near.take(frame, dict.fromkeys(self.objects, mask))
        return known

    def _end_search(self) -> None:
        self._is_lost = False
        if self._wide is not None:
            self._wide.rest()

    def _whole_frames(self) -> Pass:
        """Return the pass over whole frames, which knows where the object was last."""
        if self._wide is None:
            self._wide = self._widen()
        if not self._is_lost and self._usual.latest is not None:
            frame, mask = self._usual.latest
            self._wide.take(frame, dict.fromkeys(self.objects, mask))
        return self._wide


class _Usual:
    """What is usual of an object: its area, and how it moves."""

    def __init__(self) -> None:
        self.latest: tuple[int, BoolMask] | None = None  # where it was surely seen
        self._areas: deque[int] = deque(maxlen=_USUAL)
        self._boxes: deque[Box] = deque(maxlen=2)

    def start(self, frame: int, mask: BoolMask) -> None:
        """Take it that the object is here, wherever it was before."""
        self._boxes.clear()
        self.add(frame, mask)

    def add(self, frame: int, mask: BoolMask) -> None:
        """Take up the mask (H, W) of the next frame; an empty one says that the object is away."""
        self.latest = frame, mask
        box = box_of([mask])
        if box is None:
            return
        self._areas.append(int(mask.sum()))
        self._boxes.append(box)

    @property
    def is_there(self) -> bool:
        """Whether it was there when that was last sure."""
        return self.latest is not None and bool(self.latest[1].any())

    def share(self, mask: BoolMask) -> float:
        """Return a mask's area, of the usual one."""
        area = int(mask.sum())
        return area * len(self._areas) / sum(self._areas) if self._areas else float(area > 0)

    def may_be(self, mask: BoolMask, score: float) -> bool:
        """Return whether a mask on the next frame is surely of the object."""
        box = box_of([mask])
        sure = score >= _LEAST_SCORE and self.share(mask) >= _LEAST_SHARE
        return box is not None and sure and not self._jumps_to(box)

    def _jumps_to(self, box: Box) -> bool:
        if len(self._boxes) < 2:  # nobody has seen yet how it moves
            return False
        before = self._boxes[-1]
        soon = moved_on(self._boxes[0], before)
        return max(iou(box, before), iou(box, soon)) < _LEAST_OVERLAP


def following_memory(config: MemoryConfig) -> MemoryConfig:
    """Return the memory's settings for a view that follows: only what is surely seen is kept."""
    presence = config.presence
    if presence is None:
        return config
    least = max(presence.least_score, _LEAST_SCORE)
    return replace(config, presence=replace(presence, least_score=least))


def _mask(probability: Tensor) -> BoolMask:
    """Return where the one object is, of probabilities (2, H, W)."""
    found: BoolMask = (probability[1] > probability[0]).cpu().numpy()
    return found


def _overlap(a: BoolMask, b: BoolMask) -> float:
    """Return the IoU of two masks, 0 where both are empty."""
    return float((a & b).sum()) / max(int((a | b).sum()), 1)


AnyPass = Pass | FollowingPass
