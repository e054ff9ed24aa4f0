"""A tracker whose masks are sharpened frame by frame: HQTrack as a system."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np

from app.batch.masks.refine import refinements
from app.batch.passes.predict import Retracing, predict
from app.core.document import Key
from app.core.mask import Mask
from models.api import Anchors, BoolMask, Prediction, Segmenter, Tracked, Tracker

GATE = 0.1  # IoU; below, a tracker's mask stays as it is (Zhu et al. 2023, section 2.3)


class SharpenedTracker:
    """A tracker followed by a segmenter, which is asked with the box round each mask.

    The tracker goes on from its own masks, not from the sharpened ones, so that an error of the
    segmenter is not carried on. Scores and probabilities stay the tracker's.
    """

    def __init__(self, tracker: Tracker, segmenter: Segmenter, *, gate: float = GATE) -> None:
        """`gate`, 0 to 1: a sharpened mask that overlaps the tracker's less is not used."""
        self._tracker, self._segmenter, self._gate = tracker, segmenter, gate

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        """Yield what the tracker yields, each mask sharpened but those that were given."""
        return self._all_sharpened(
            anchors, predict(self._tracker, anchors, frames, probabilities=probabilities)
        )

    def track_as_before(
        self, anchors: Anchors, frames: Sequence[int]
    ) -> Generator[Tracked, None, None]:
        """Yield the same of a tracker that sees frames as it did before, if it can."""
        return self._all_sharpened(anchors, predict(Retracing(self._tracker), anchors, frames))

    def _all_sharpened(
        self, anchors: Anchors, asked: Generator[Tracked, None, None]
    ) -> Generator[Tracked, None, None]:
        with closing(asked) as found:
            for frame, predictions in found:
                yield frame, self._sharpened(frame, predictions, anchors.get(frame, {}))

    def _sharpened(
        self, frame: int, found: Mapping[int, Prediction], given: Mapping[int, BoolMask]
    ) -> dict[int, Prediction]:
        """Return the predictions with sharpened masks, which do not overlap."""
        masks = {
            Key(frame, number): mask
            for number, each in found.items()
            if number not in given and (mask := Mask.encode(each.mask)) is not None
        }
        sharp = {number: each.mask for number, each in found.items()}
        for each in refinements(self._segmenter, masks, gate=self._gate, by_box=True):
            if each.verdict.accepted:
                sharp[each.key.object] = each.verdict.mask.decode()
        _part(sharp, found, given)
        return {number: replace(each, mask=sharp[number]) for number, each in found.items()}


def _part(
    sharp: dict[int, BoolMask], before: Mapping[int, Prediction], given: Mapping[int, BoolMask]
) -> None:
    """Give each pixel that several masks claim to one of them.

    What was given keeps it; else whoever had it before; else the one of the higher score.
    """
    order = sorted(before, key=lambda n: (n not in given, -before[n].score, n))
    owner = np.zeros(next(iter(sharp.values())).shape, np.int64) if sharp else np.zeros(0)
    claims = sum((mask.astype(np.uint8) for mask in sharp.values()), np.zeros_like(owner, np.uint8))
    shared = claims > 1
    if not shared.any():
        return
    for number in reversed(order):
        owner[sharp[number] & shared] = number
    for number in reversed(order):
        owner[before[number].mask & sharp[number] & shared] = number
    for number in order:
        if number not in given:
            sharp[number] = sharp[number] & ~(shared & (owner != number))
