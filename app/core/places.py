"""Objects that were taken for each other: put right from one frame on which a person said so."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations, permutations

from app.core.document import Changes, Document, Entry, Key, mask_in
from app.core.mask import Mask
from app.core.overlap import inside, quick_iou
from app.core.plan import anchor_frames
from app.core.shreds import without_specks

_CLEARLY = 0.2  # IoU by which a mask lies more on one object's than on another's
_HALF = 0.5  # share of a mask from which on it lies in another one

Owners = Mapping[int, int]  # object -> whose place it has, and whose masks it should have


class Exchanges:
    """Which objects have changed places on which frames, since they were asked for last."""

    def __init__(self) -> None:
        self._owners: dict[int, dict[int, int]] = {}
        self._masks: dict[Key, Mask | None] = {}

    def note(self, document: Document, frame: int, one: int, other: int) -> None:
        """Take note that two objects have now each other's masks on a frame."""
        owners = self._owners.setdefault(frame, {})
        owners[one], owners[other] = owners.get(other, other), owners.get(one, one)
        for number in (one, other):
            entry = document.get(Key(frame, number))
            self._masks[Key(frame, number)] = entry.mask if entry else None

    def forget(self, frame: int) -> None:
        """Take it for not done, as where an edit is made anew."""
        self._owners.pop(frame, None)

    def take(self, document: Document) -> dict[int, Owners]:
        """Return frame -> whose masks each object has now, and forget it.

        Where one was changed since then, by an undo or otherwise, nothing is known.
        """
        owners, self._owners = self._owners, {}
        masks, self._masks = self._masks, {}

        def stands(key: Key) -> bool:
            entry = document.get(key)
            return entry is not None and entry.mask == masks[key]

        return {
            frame: found
            for frame, found in owners.items()
            if all(stands(Key(frame, number)) for number in found)
        }


def exchanged(document: Document, frame: int, owners: Owners) -> Changes:
    """Return what gives objects back their masks around a frame on which they are right.

    There each has the place that was the one of its owner: they were taken for each other, from the
    frame on up to the next anchor of any, to where they change back, or to where it is not known
    any more which is which; and back to where they met, or nowhere where they met nowhere. What
    they get back is not stale: it waits for no heal. Where one was lost, the next heal looks for
    it.
    """
    changes: dict[Key, Entry | None] = {}
    for each in (*_back(document, frame, owners), *_onward(document, frame, owners)):
        here = document.on_frame(each)
        for number, owner in owners.items():
            entry = here.get(owner)
            lost = entry is not None and entry.mask is None
            changes[Key(each, number)] = replace(entry, stale=lost) if entry else None
    return changes


def all_exchanged(document: Document, found: Mapping[int, Owners]) -> Changes:
    """Return what gives objects back their masks around several frames; see `exchanged`.

    Between two of them what holds is that of the earlier one.
    """
    changes: dict[Key, Entry | None] = {}
    for frame, owners in sorted(found.items()):
        done = {key.frame for key in changes}
        around = exchanged(document, frame, owners)
        changes |= {key: entry for key, entry in around.items() if key.frame not in done}
    return changes


def _onward(document: Document, frame: int, owners: Owners) -> Iterator[int]:
    """Yield the frames after one on which the objects have each other's masks, in order."""
    anchors, last = _anchors(document, owners), max(document.frames(), default=frame)
    for each in range(frame + 1, last + 1):
        # On `frame` itself they are right already: where they stay so, they were right from there.
        begins = each - 1 == frame
        changed = _changes(document, each - 1, each, owners)
        if each in anchors or (changed is not begins and changed is not None):
            return
        if not begins and _is_mixed_up(document, each, owners):
            return
        yield each


def _back(document: Document, frame: int, owners: Owners) -> list[int]:
    """Return the frames before one, up to where the objects met; none where they met nowhere."""
    anchors = _anchors(document, owners)
    for each in range(frame - 1, -1, -1):
        if each in anchors:
            break
        if _meet(document, each, owners):
            return list(range(each + 1, frame))
    return []


def _anchors(document: Document, owners: Owners) -> set[int]:
    return {frame for number in owners for frame in anchor_frames(document, number)}


def _is_mixed_up(document: Document, frame: int, owners: Owners) -> bool:
    """Whether from a frame on it is not known which of the objects is which.

    There one has taken the place of a third, or was lost in the mask of another of them.
    """
    before, here = document.on_frame(frame - 1), document.on_frame(frame)
    thirds = here.keys() - owners.keys()
    return any(
        changes_place(before, here, number, third) for number in owners for third in thirds
    ) or any(_is_lost_in(before, here, *pair) for pair in permutations(owners, 2))


def _is_lost_in(
    before: Mapping[int, Entry], after: Mapping[int, Entry], one: int, other: int
) -> bool:
    return (
        mask_in(after, one) is None and inside(mask_in(before, one), mask_in(after, other)) > _HALF
    )


def _changes(document: Document, before: int, after: int, owners: Owners) -> bool | None:
    """Whether objects change places from one frame to the next; None where that is not clear."""
    found = [
        changes_place(document.on_frame(before), document.on_frame(after), number, owner)
        for number, owner in owners.items()
    ]
    return True if True in found else (False if False in found else None)


def changes_place(
    before: Mapping[int, Entry], after: Mapping[int, Entry], one: int, other: int
) -> bool | None:
    """Whether an object has another's place on the next frame; None where that is not clear.

    Where one of the two is lost there, the mask that is left says whose place it has.
    """
    was, theirs = mask_in(before, one), mask_in(before, other)
    own, others = mask_in(after, one), mask_in(after, other)
    if was is None:
        return None
    if own is not None and others is not None:
        lead = quick_iou(was, others) - quick_iou(was, own)
    elif own is not None and theirs is not None:
        lead = quick_iou(theirs, own) - quick_iou(was, own)
    elif others is not None and theirs is not None:
        lead = quick_iou(was, others) - quick_iou(theirs, others)
    else:
        return None
    return lead > 0 if abs(lead) > _CLEARLY else None


def _meet(document: Document, frame: int, owners: Owners) -> bool:
    """Whether one of the objects is not to be seen on a frame, or two are beside each other."""
    here = document.on_frame(frame)
    masks = [mask for number in owners if (mask := mask_in(here, number)) is not None]
    return len(masks) < len(owners) or any(
        _boxes_meet(one, other) and _boxes_meet(*map(_pieces, (one, other)))
        for one, other in combinations(masks, 2)
    )


def _boxes_meet(one: Mask, other: Mask) -> bool:
    top, bottom, left, right = other.box
    return one.box[0] < bottom and top < one.box[1] and one.box[2] < right and left < one.box[3]


def _pieces(mask: Mask) -> Mask:
    """Return a mask without specks, which lie anywhere."""
    return Mask.encode(without_specks(mask.decode())) or mask
