"""Jumps and losses that end: all between is suspect, what comes after is as it was before."""

import math
from bisect import bisect
from collections.abc import Mapping

from app.core.document import Entry, mask_in
from app.core.events import Reason
from app.core.mask import Mask
from app.core.overlap import quick_iou, shape_iou

MEMORY = 5  # frames whose median says what is usual
LONGEST = 60  # frames after which a jump is not the end of what another began
SURE = 0.9  # score from which on the model is sure of the thing
NEAR = 3  # suspect frames this close together are one suspect
JUMPS = frozenset({Reason.LOW_OVERLAP, Reason.AREA_JUMP})
_LOST = frozenset({Reason.VANISHED, Reason.BORDER_EXIT})
_BRIEF = 15  # frames up to which it is the model that lost a thing, which was there
_ALIKE = 1.25  # factor between areas up to which one is as large as the other
_GROWN = 1.5  # the same after a while
_SHAPE = 0.6  # IoU, centre on centre, from which on a mask looks as it did
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
    found, free = dict(marks), 0
    for back in (frame for frame, reasons in marks.items() if reasons & JUMPS):
        anchor = anchors[index - 1] if (index := bisect(anchors, back)) else 0
        first = _departure(found, entries, back, max(free, anchor, back - LONGEST - 1))
        if first is None:
            continue
        for frame in (each for each in range(first, back) if each in entries):
            jumps = (marks.get(first, frozenset()) | marks[back]) & JUMPS
            found[frame] = found.get(frame, frozenset()) | jumps
        found[back] = marks[back] - JUMPS - {Reason.SPLIT}
        found |= _echoes(found, entries, back)
        free = back
    return found


def _departure(
    marks: Mapping[int, frozenset[Reason]], entries: Mapping[int, Entry], back: int, least: int
) -> int | None:
    """Return the frame from which on a mask was not as it is again from the jump `back` on."""
    if not marks[back] & JUMPS:
        return None  # it was the echo of another jump
    left = _shape_left(entries, back, least)
    if left is None and Reason.LOW_OVERLAP in marks[back]:
        earlier = (f for f in range(back - 1, least, -1) if Reason.LOW_OVERLAP in marks.get(f, ()))
        left = next((frame for frame in earlier if _is_step_back(entries, frame, back)), None)
    return left


def _shape_left(entries: Mapping[int, Entry], back: int, least: int) -> int | None:
    """Return since when a mask has not had the size and shape that it jumps to."""
    last, now = mask_in(entries, back - 1), mask_in(entries, back)
    if last is None or now is None or as_large(last, now):
        return None
    for frame in (each for each in range(back - 2, least - 1, -1) if each in entries):
        if (mask := mask_in(entries, frame)) is None:
            return None
        if as_large(mask, now):
            return frame + 1 if shape_iou(mask, now) >= _SHAPE else None
    return None


def _is_step_back(entries: Mapping[int, Entry], first: int, back: int) -> bool:
    """Whether a mask that jumps aside at `first` jumps back at `back`, wherever it has moved to.

    It may be off by half of the jump, and by half of its size.
    """
    before, left, last, now = (mask_in(entries, f) for f in (first - 1, first, back - 1, back))
    if before is None or left is None or last is None or now is None:
        return False
    away, home = _centre(left) - _centre(before), _centre(now) - _centre(last)
    return 2 * abs(away + home) < min(abs(away), math.sqrt(before.area))


def _centre(mask: Mask) -> complex:
    top, bottom, left, right = mask.box
    return complex(left + right, top + bottom) / 2


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
        and as_large(now, usual)
    }


def _absences_joined(
    marks: Mapping[int, frozenset[Reason]], entries: Mapping[int, Entry], anchors: list[int]
) -> dict[int, frozenset[Reason]]:
    """Return the marks that change where a loss ends: what comes back as it was is no suspect.

    After a while it may have become another size: then it is none where the model is sure of it.
    """
    found: dict[int, frozenset[Reason]] = {}
    lost: int | None = None
    for frame, reasons in sorted(marks.items()):
        if reasons & _LOST:
            lost = frame
        if Reason.RETURNED not in reasons or lost is None:
            continue
        before, there = mask_in(entries, lost - 1), entries[frame]
        brief, left = frame - lost <= _BRIEF, Reason.BORDER_EXIT in marks[lost]
        is_back = _comes_back(before, there, to_its_place=left) if brief else is_sure(there)
        if is_back and bisect(anchors, lost) == bisect(anchors, frame):
            gone = [each for each in range(lost, frame) if each in entries] if brief else []
            found |= {each: marks.get(each, frozenset()) | marks[lost] & _LOST for each in gone}
            if brief:
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
    return sure and as_large(entry.mask, before, _GROWN)


def as_large(one: Mask, other: Mask, factor: float = _ALIKE) -> bool:
    """Whether the areas of two masks are about the same."""
    return growth(one, other) <= math.log(factor)


def is_sure(entry: Entry) -> bool:
    """Whether the model is sure of a mask."""
    return entry.score is not None and entry.score >= SURE


def growth(one: Mask, other: Mask) -> float:
    """Return how different two areas are, as the logarithm of their ratio, 0 for equal ones."""
    return abs(math.log(one.area / other.area))
