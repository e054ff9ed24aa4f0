"""The drive of a tracker: the only place that asks one for masks."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import closing

import numpy as np

from app.core.passes import PackedAnchors
from models.api import (
    Anchors,
    BoolMask,
    ModelError,
    RetracingTracker,
    SelectiveTracker,
    Tracked,
    Tracker,
)


class UnpackedAnchors(Mapping[int, Mapping[int, BoolMask]]):
    """Anchors as a tracker wants them, each decoded when it is asked for."""

    def __init__(self, packed: PackedAnchors, size: tuple[int, int]) -> None:
        self._packed, self._size = packed, size

    def __getitem__(self, frame: int) -> dict[int, BoolMask]:
        return {
            number: mask.decode() if mask else np.zeros(self._size, np.bool_)
            for number, mask in self._packed[frame].items()
        }

    def __iter__(self) -> Iterator[int]:
        return iter(self._packed)

    def __len__(self) -> int:
        return len(self._packed)


def predict(
    tracker: Tracker, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
) -> Generator[Tracked, None, None]:
    """Yield what the tracker predicts on `frames`, one item a frame, and close it when closed."""
    with closing(tracker.track(anchors, frames, probabilities=probabilities)) as found:
        yield from found


class Forgetful:
    """A tracker that never remembers some frames, in place of the one that it asks."""

    def __init__(self, tracker: Tracker, left_out: Collection[int]) -> None:
        """Raises ModelError where the tracker cannot leave frames out."""
        if not isinstance(tracker, SelectiveTracker):
            raise ModelError(
                "This model cannot leave a frame out of its memory. Choose another in the "
                "settings, such as lite."
            )
        self._tracker, self._left_out = tracker, left_out

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        """Yield masks; see models.api.Tracker. There are no probabilities."""
        assert not probabilities
        return self._tracker.track_without(self._left_out, anchors, frames)


class Retracing:
    """A tracker that sees of each frame what it saw on the latest way through it, if it can."""

    def __init__(self, tracker: Tracker) -> None:
        self._tracker = tracker

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        """Yield masks; see models.api.Tracker."""
        if isinstance(self._tracker, RetracingTracker) and not probabilities:
            return self._tracker.track_as_before(anchors, frames)
        return self._tracker.track(anchors, frames, probabilities=probabilities)
