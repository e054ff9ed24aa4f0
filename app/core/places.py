"""Objects that were taken for each other: found from one frame that a person put right."""

from collections.abc import Collection, Iterator, Mapping

from app.core.document import Changes, Document, Entry, Key
from app.core.overlap import quick_iou
from app.core.plan import anchor_frames

_FITS = 0.3  # IoU with the next frame's mask from which on both may be of the same thing
_BETTER = 0.2  # IoU by which another object's mask has to fit better than the own one

Owners = Mapping[int, int]  # object -> whose masks it should have


def exchanged(document: Document, frame: int, objects: Collection[int]) -> Changes:
    """Return what gives objects back their masks around a frame on which they are right.

    The `objects` were changed there by a person. Where their new masks lead to those that others of
    them have on the frame beside, these were taken for each other: from the frame on up to the next
    anchor of any, and back to where they met, or nowhere where they met nowhere.
    """
    last = max(document.frames(), default=frame)
    changes: dict[Key, Entry | None] = {}
    for step, end in ((1, last), (-1, 0)):
        owners = _owners(document, frame, frame + step, objects)
        if owners:
            frames = list(_reach(document, frame, step, end, owners))
            for each in frames:
                here = document.on_frame(each)
                changes |= {Key(each, number): here.get(owner) for number, owner in owners.items()}
    return changes


def _owners(document: Document, frame: int, beside: int, objects: Collection[int]) -> Owners:
    """Return which object has whose masks on a frame beside; empty where each has its own."""
    here, there = document.on_frame(frame), document.on_frame(beside)
    found: dict[int, int] = {}
    for number in objects:
        fits = {other: _fit(here.get(number), there.get(other)) for other in objects}
        best = max(fits, key=lambda other: fits[other])
        if best != number and fits[best] > max(_FITS, fits[number] + _BETTER):
            found[number] = best
    return found if set(found) == set(found.values()) else {}


def _reach(document: Document, frame: int, step: int, end: int, owners: Owners) -> Iterator[int]:
    """Yield the frames on which the objects have each other's masks, in order from `frame`."""
    anchors = {each for number in owners for each in anchor_frames(document, number)}
    frames: list[int] = []
    for each in range(frame + step, end + step, step):
        if each in anchors:
            break
        if step < 0 and _meet(document, each, owners):
            yield from frames
            return
        frames.append(each)
    if step > 0:
        yield from frames


def _meet(document: Document, frame: int, owners: Owners) -> bool:
    """Whether one of the objects is not to be seen on a frame, or two are beside each other."""
    here = document.on_frame(frame)
    masks = [entry.mask if (entry := here.get(number)) else None for number in owners]
    boxes = [mask.box for mask in masks if mask is not None]
    return len(boxes) < len(owners) or any(
        one[0] < other[1] and other[0] < one[1] and one[2] < other[3] and other[2] < one[3]
        for index, one in enumerate(boxes)
        for other in boxes[index + 1 :]
    )


def _fit(one: Entry | None, other: Entry | None) -> float:
    if one is None or other is None or one.mask is None or other.mask is None:
        return 0.0
    return quick_iou(one.mask, other.mask)
