"""Events: what seems to have happened to an object, by its masks and those of another one."""

import enum
from collections.abc import Collection

from app.core.document import Entry
from app.core.mask import Mask
from app.core.overlap import inside

_HALF = 0.5  # share of a mask, or score, from which on something holds
_GROWN = 0.4  # share of a thing by which another mask has grown that took it


class Reason(enum.Enum):
    """Why a mask is suspect."""

    LOW_SCORE = "low score"
    AREA_JUMP = "area jump"
    LOW_OVERLAP = "low overlap"
    SPLIT = "split"
    VANISHED = "vanished"
    SLIVER = "hardly any left"
    RETURNED = "returned"
    BORDER_EXIT = "left at the border"
    CONFLICT = "conflict"
    STALE = "stale"


class Event(enum.Enum):
    """What seems to have happened to an object."""

    SWAP = "swap"  # it and another one have changed places
    TAKEN = "taken"  # another one has what was its place
    TWO_THINGS = "two things"  # it lies on two things
    LEAK = "leak"  # it has grown over what is beside it
    LOST = "lost"
    RE_ENTRY = "re-entry"  # it was gone, and is there again
    MADE_UP = "made up"  # it appears where nothing of it was, and the model is unsure
    CONFLICT = "conflict"  # two passes disagree
    DRIFT = "drift"  # something else


def between(
    before: Mask | None, now: Mask | None, other_before: Mask | None, other_now: Mask | None
) -> Event | None:
    """Return what two objects seem to have done to each other, None where nothing shows."""
    came = inside(now, other_before)
    gave = inside(other_now, before)
    # Where they overlapped before, being in the other's place says nothing.
    if before is not None and inside(before, other_before) > _HALF / 2:
        return None
    if came > _HALF and gave > _HALF:
        return Event.SWAP
    if gave > _HALF or (now is None and _has_grown(other_before, other_now, before)):
        return Event.TAKEN
    if other_now is None and _has_grown(before, now, other_before):
        return Event.TWO_THINGS
    return Event.TWO_THINGS if inside(other_before, now) > _HALF else None


def _has_grown(before: Mask | None, now: Mask | None, lost: Mask | None) -> bool:
    """Whether a mask is larger by what another object, which was beside it, has lost."""
    if before is None or now is None or lost is None:
        return False
    (y0, y1, x0, x1), (top, bottom, left, right) = now.box, lost.box
    beside = y0 < bottom and top < y1 and x0 < right and left < x1
    return beside and now.area > before.area + _GROWN * lost.area


def alone(
    reasons: Collection[Reason], before: Mask | None, now: Mask | None, entry: Entry
) -> Event:
    """Return what seems to have happened to an object that no other one had part in."""
    if Reason.RETURNED in reasons and now is not None:
        unsure = Reason.LOW_SCORE in reasons or (entry.score is not None and entry.score < _HALF)
        return Event.MADE_UP if unsure else Event.RE_ENTRY
    if not {Reason.VANISHED, Reason.SLIVER, Reason.BORDER_EXIT}.isdisjoint(reasons):
        return Event.LOST
    if Reason.SPLIT in reasons:
        return Event.TWO_THINGS
    if Reason.AREA_JUMP in reasons and before and now and now.area > before.area:
        return Event.LEAK
    return Event.DRIFT
