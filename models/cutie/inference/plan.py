"""The plan of a pass: which objects start where, for given anchors and frames."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from models.api import Anchors, BoolMask


@dataclass(frozen=True, slots=True)
class Absence:
    """An object that is nowhere to be seen: its anchor frames, and the frames it is known on."""

    anchors: frozenset[int]
    known: frozenset[int]

    @classmethod
    def of(cls, own: Collection[int], frames: Sequence[int]) -> "Absence":
        """Return the absence of an object with these anchor frames."""
        visited = [frame in own for frame in frames]
        outside = not set(own) <= set(frames)
        first = 0 if outside else visited.index(True)
        return cls(frozenset(own), frozenset(frames[first:]))


@dataclass(frozen=True, slots=True)
class Plan:
    """The anchors in the order of the video, the frames to visit, and where objects start.

    `starts`: object -> the frame of the anchor that it is followed from, for objects that are
    followed from the first frame on though their anchors lie elsewhere. `absent`: objects whose
    anchors are all empty, which leaves nothing to follow; these are not among `anchors`.
    """

    anchors: Mapping[int, Mapping[int, BoolMask]]
    frames: tuple[int, ...]
    starts: Mapping[int, int]
    absent: Mapping[int, "Absence"]

    @classmethod
    def of(cls, anchors: Anchors, frames: Sequence[int]) -> "Plan":
        """Return the plan."""
        own: dict[int, list[int]] = {}  # object -> its anchor frames
        seen = set()
        for frame in sorted(anchors):
            for object_id, mask in anchors[frame].items():
                own.setdefault(object_id, []).append(frame)
                if mask.any():
                    seen.add(object_id)
        used: dict[int, dict[int, BoolMask]] = {}
        for object_id in sorted(seen):
            for frame in own[object_id]:
                used.setdefault(frame, {})[object_id] = anchors[frame][object_id]
        nearest = {object_id: _start(own[object_id], frames) for object_id in seen}
        starts = {object_id: at for object_id, at in sorted(nearest.items()) if at is not None}
        absent = {each: Absence.of(own[each], frames) for each in own if each not in seen}
        return cls(dict(sorted(used.items())), tuple(frames), starts, absent)

    def groups(self, frame: int) -> list[list[int]]:
        """Return the objects of an anchor frame, grouped by which anchors they have."""
        groups: dict[tuple[int, ...], list[int]] = {}
        for object_id in self.anchors[frame]:
            own = tuple(at for at, masks in self.anchors.items() if object_id in masks)
            groups.setdefault(own, []).append(object_id)
        return list(groups.values())

    def starting(self, frame: int) -> list[int]:
        """Return the objects that are followed from the anchor on this frame."""
        return [object_id for object_id, start in self.starts.items() if start == frame]


def _start(own: Collection[int], frames: Sequence[int]) -> int | None:
    """Return the anchor nearest to the first frame, of those outside `frames`.

    None where the object starts when one of its anchors is visited: it has no other, or the first
    frame is one.
    """
    visited = set(frames)
    outside = [frame for frame in own if frame not in visited]
    if not frames or frames[0] in own or not outside:
        return None
    return min(outside, key=lambda frame: abs(frame - frames[0]))
