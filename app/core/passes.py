"""The pass: one walk of a tracker over frames, from the masks that it is given."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.document import Key
from app.core.mask import Mask

PackedAnchors = Mapping[int, Mapping[int, Mask | None]]  # frame -> object -> mask, None = absent


@dataclass(frozen=True, slots=True, eq=False)
class Pass:
    """One pass of a tracker over neighbouring frames.

    `anchors` are given to the tracker, wherever in the video they lie. `frames` is the order of
    visit, rising or falling, with leaps over what is known to be absent. `spans` says for each
    object which frames the pass may fill.
    """

    anchors: PackedAnchors
    frames: tuple[int, ...]
    spans: Mapping[int, range]

    @property
    def objects(self) -> tuple[int, ...]:
        """The objects that the pass follows."""
        return tuple(self.spans)

    @property
    def step(self) -> int:
        """1 where the pass goes forward, -1 where it goes backward."""
        return -1 if self.frames[-1] < self.frames[0] else 1

    def may_fill(self, key: Key) -> bool:
        """Whether the pass may write at `key`: in the object's span and not a given mask."""
        span = self.spans.get(key.object)
        return (
            span is not None
            and key.frame in span
            and key.object not in self.anchors.get(key.frame, ())
        )
