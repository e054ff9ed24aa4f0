"""Jumps and losses that end: all between is suspect, what comes after is as it was before."""

import math
from bisect import bisect
from collections.abc import Mapping

from app.core.document import Entry, mask_in
from app.core.events import Reason
from app.core.mask import Mask
from app.core.overlap import quick_iou

MEMORY = 5  # frames whose median says what is usual
LONGEST = 60  # frames after which a jump is not the end of what another began
NEAR = 3  # suspect frames this close together are one suspect
JUMPS = frozenset({Reason.LOW_OVERLAP, Reason.AREA_JUMP})
_LOST = frozenset({Reason.VANISHED, Reason.BORDER_EXIT})
_BRIEF = 15  # frames up to which it is the model that lost a thing, which was there
_ALIKE = 1.25  # factor between areas up to which one is as large as the other
_GROWN = 1.5  # the same after a while
_CLOSER = 0.2  # IoU by which a mask that jumps back is nearer to where it was
_PLACE = 0.3  # IoU from which on it is where it was
_UNSURE = 0.5  # score below which what comes back may not be the thing that was lost


def joined(
    marks: Mapping[int, frozenset[Reason]], entries: Mapping[int, Entry]
) -> dict[int, frozenset[Reason]]:
    """Return the marks with what ends as it began as one: all between is suspect, not beyond.

    That is a jump and the jump back, and a loss and the return. All frames rise.
    """
    anchors = [frame for frame, entry in entries.items() if entry.is_anchor]
    found = _jumps_joined(marks, entries, anchors)
    found |= _absences_joined(found, entries, anchors)
    return {frame: found[frame] for frame in sorted(found) if found[frame]}


def _jumps_joined(
    marks: Mapping[int, frozenset[Reason]], entries: Mapping[int, Entry], anchors: list[int]
) -> dict[int, frozenset[Reason]]:
    found = dict(marks)
    jumps = [frame for frame, reasons in marks.items() if reasons & JUMPS]
    left = 0
    for index, first in enumerate(jumps):
        if first < left or not found[first] & JUMPS:
            continue
        for back in jumps[index + 1 :]:
            if back - first > LONGEST or bisect(anchors, first) < bisect(anchors, back):
                break
            if back - first > NEAR and _is_back(entries, first, back):
                for frame in (each for each in range(first, back) if each in entries):
                    found[frame] = found.get(frame, frozenset()) | (marks[first] & JUMPS)
                found[back] = marks[back] - JUMPS - {Reason.SPLIT}
                found |= _echoes(found, entries, back)
                left = back
                break
    return found


def _echoes(
    marks: Mapping[int, frozenset[Reason]], entries: Mapping[int, Entry], back: int
) -> dict[int, frozenset[Reason]]:
    """Return the marks after a jump `back` without those that only the frames before it explain.

    What is usual is still the size that the mask has just left.
    """
    usual = mask_in(entries, back)
    return {
        frame: marks[frame] - {Reason.AREA_JUMP}
        for frame in range(back + 1, back + MEMORY)
        if frame in marks
        and usual is not None
        and (now := mask_in(entries, frame)) is not None
        and _as_large(now, usual)
    }


def _absences_joined(
    marks: Mapping[int, frozenset[Reason]], entries: Mapping[int, Entry], anchors: list[int]
) -> dict[int, frozenset[Reason]]:
    """Return the marks that change where a loss ends: what comes back as it was is no suspect."""
    found: dict[int, frozenset[Reason]] = {}
    lost: int | None = None
    for frame, reasons in sorted(marks.items()):
        if reasons & _LOST:
            lost = frame
        if Reason.RETURNED not in reasons or lost is None:
            continue
        brief = frame - lost <= _BRIEF and bisect(anchors, lost) == bisect(anchors, frame)
        left = Reason.BORDER_EXIT in marks[lost]
        if brief and _comes_back(mask_in(entries, lost - 1), entries[frame], to_its_place=left):
            for each in range(lost, frame):
                if each in entries:
                    found[each] = marks.get(each, frozenset()) | marks[lost] & _LOST
            found[frame - 1] |= {Reason.RETURNED}
            found[frame] = reasons - {Reason.RETURNED}
        lost = None
    return found


def _comes_back(before: Mask | None, entry: Entry, *, to_its_place: bool) -> bool:
    """Whether a mask after an absence is that of the thing which was lost, not of one that left."""
    if before is None or entry.mask is None:
        return False
    if to_its_place and quick_iou(before, entry.mask) < _PLACE:
        return False
    sure = entry.score is None or entry.score >= _UNSURE
    return sure and _as_large(entry.mask, before, _GROWN)


def _is_back(entries: Mapping[int, Entry], first: int, back: int) -> bool:
    """Whether a mask jumps at `back` to the size or place that it left at `first`."""
    before, left, last, now = (mask_in(entries, f) for f in (first - 1, first, back - 1, back))
    if before is None or left is None or last is None or now is None:
        return False
    # It may leave its size at once or little by little, and grow meanwhile.
    stays = _as_large(left, before) and _as_large(last, before)
    nearly = _as_large(now, before, _GROWN) and 3 * growth(now, before) < growth(last, before)
    size = not stays and (nearly or _as_large(now, before))
    return size or quick_iou(now, before) > quick_iou(last, before) + _CLOSER


def _as_large(one: Mask, other: Mask, factor: float = _ALIKE) -> bool:
    return growth(one, other) <= math.log(factor)


def growth(one: Mask, other: Mask) -> float:
    """Return how different two areas are, as the logarithm of their ratio, 0 for equal ones."""
    return abs(math.log(one.area / other.area))
