"""The taxonomy: how a prediction fails, for each frame and object."""

import enum
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.core.inspection.matching import match_frames, overlaps
from app.core.inspection.measures import Floats, Measures


class Failure(enum.Enum):
    """How one object's mask fails on one frame."""

    GOOD = "good"
    MISS = "miss"
    FALSE_PRESENCE = "false presence"
    LATE_REENTRY = "late re-entry"
    IDENTITY_SWAP = "identity swap"
    LEAK_NEIGHBOUR = "leak into a neighbour"
    LEAK_BACKGROUND = "leak into the background"
    PART_LOSS = "part loss"
    BOUNDARY = "boundary only"


FAILURES = tuple(Failure)
"""The codes of `Labelling.failures` stand for these, in this order."""

_HELD = 0.5  # share of an object that its mask holds from which on the two belong together


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a mask fails, and how.

    `good` is the least J and F of a good mask, `found` the least share of the object that a mask
    must hold to have found it, `far` the share of the object's area that errors away from the
    outline must have to count, `taken` the least share of a neighbour that a mask must take to leak
    into it, however small the neighbour is; `swap` the least IoU of a mask with another object.
    """

    good: float = 0.94
    found: float = 0.1
    far: float = 0.04
    taken: float = 0.15
    swap: float = 0.3


class Labelling(NamedTuple):
    """How each object fails on each frame, (T, K), and with which other object."""

    failures: NDArray[np.uint8]  # place in FAILURES
    partners: NDArray[np.intp]  # place of the other object, or -1


def label(measures: Measures, limits: Limits | None = None) -> Labelling:
    """Return how each object fails on each frame of a sequence (frames in order).

    Where several failures hold, the one named is the one that explains the most: a swap, then an
    object wrongly there or not there at all, then the larger of leak and loss.
    """
    limits = limits or Limits()
    truth, area = measures.truth_area, measures.area
    failures = _shape(measures, limits)
    partners = np.where(failures == _code(Failure.LEAK_NEIGHBOUR), _leaked_into(measures), -1)
    shared = np.diagonal(measures.overlap, axis1=1, axis2=2)[:, 1:]
    lost = (truth > 0) & (shared < limits.found * truth)
    failures[lost] = _code(Failure.MISS)
    failures[_unfound_since_return(truth > 0, lost)] = _code(Failure.LATE_REENTRY)
    failures[truth == 0] = _code(Failure.FALSE_PRESENCE)
    failures[(truth == 0) & (area == 0)] = _code(Failure.GOOD)
    swapped = _swapped_with(measures, lost | (truth == 0), limits)
    failures[swapped >= 0] = _code(Failure.IDENTITY_SWAP)
    partners[lost | (truth == 0)] = -1
    return Labelling(failures, np.where(swapped >= 0, swapped, partners))


def _code(failure: Failure) -> int:
    return FAILURES.index(failure)


def _shape(measures: Measures, limits: Limits) -> NDArray[np.uint8]:
    """Label masks that do lie on their object."""
    truth = np.maximum(measures.truth_area, 1)
    missing, extra = measures.missing / truth, measures.extra.sum(axis=-1) / truth
    onto_others = measures.extra[..., 1:].sum(axis=-1)
    leaks = np.where(
        2 * onto_others > measures.extra.sum(axis=-1),
        _code(Failure.LEAK_NEIGHBOUR),
        _code(Failure.LEAK_BACKGROUND),
    )
    is_far = np.maximum(missing, extra) >= limits.far
    worst = np.where(extra > missing, leaks, _code(Failure.PART_LOSS))
    good = (measures.j >= limits.good) & (measures.f >= limits.good)
    near = np.where(
        _taken(measures) >= limits.taken, _code(Failure.LEAK_NEIGHBOUR), _code(Failure.BOUNDARY)
    )
    labels = np.where(is_far, worst, near)
    return np.where(good, _code(Failure.GOOD), labels).astype(np.uint8)


def _taken(measures: Measures) -> Floats:
    """Return the largest share of another object that each mask takes, (T, K)."""
    others = np.maximum(measures.truth_area, 1)[:, None]
    return np.asarray((measures.extra[..., 1:] / others).max(axis=-1, initial=0), np.float64)


def _leaked_into(measures: Measures) -> NDArray[np.intp]:
    return np.asarray(measures.extra[..., 1:].argmax(axis=-1), np.intp)


def _unfound_since_return(there: NDArray[np.bool_], lost: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the lost frames between an object's return and when it is found again, (T, K)."""
    waiting = np.zeros_like(there)
    for frame in range(1, len(there)):
        returned = there[frame] & ~there[frame - 1]
        waiting[frame] = (returned | waiting[frame - 1]) & there[frame] & lost[frame]
    return waiting


def _swapped_with(
    measures: Measures, unfound: NDArray[np.bool_], limits: Limits
) -> NDArray[np.intp]:
    """Return with which object each has changed places, (T, K), or -1.

    Two signs: the Hungarian matching gives the object another's mask or its mask another object,
    and neither of the two is held by its own; or the object is not found, and its mask lies mostly
    on another.
    """
    ious = overlaps(measures.overlap)
    frames, count = ious.shape[:2]
    rows, columns = np.ogrid[:frames, :count]
    shared = np.diagonal(measures.overlap, axis1=1, axis2=2)[:, 1:]
    left = shared < _HELD * np.maximum(measures.truth_area, 1)
    given = match_frames(ious)
    followed = np.argsort(given, axis=1)  # place of the true object for each predicted one
    swapped = np.full((frames, count), -1, np.intp)
    for other, values in (
        (given, ious[rows, columns, given]),
        (followed, ious[rows, followed, columns]),
    ):
        changed = (other != columns) & left & left[rows, other]
        swapped = np.where(changed & (values > limits.swap), other, swapped)
    area = np.maximum(measures.area, 1)
    onto = np.swapaxes(measures.overlap[:, 1:, 1:], 1, 2) / area[..., None]  # (T, K, K)
    away = unfound & (onto.max(axis=-1) > 0.5) & (measures.area > 0)
    away &= onto.argmax(axis=-1) != columns
    return np.where((swapped < 0) & away, onto.argmax(axis=-1), swapped)
