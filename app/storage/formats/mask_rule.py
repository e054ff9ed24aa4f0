"""The rule by which the values of mask PNGs are objects: ids, or white on black."""

from collections.abc import Iterable
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from app.storage.formats.labelled import Painted, united
from app.storage.formats.palette import VOID, Labels

_WHITE_FROM = 128
_STRAY = 0.1  # of the white pixels: other values that are no objects
_EDGE_VALUES = 4  # so many values about the middle, 64 to 191, make an edge, not objects
_MOST_EDGE = 3  # times the white pixels: more are objects with a border of void


def counts_of(maps: Iterable[Labels]) -> NDArray[np.int64]:
    """Return how many pixels of label maps have each of the 256 values."""
    none = np.zeros(VOID + 1, np.int64)
    return sum((np.bincount(labels.ravel(), minlength=VOID + 1) for labels in maps), none)


def is_white_on_black(counts: NDArray[np.int64]) -> bool:
    """Whether a video's masks show one object in white, as DAVIS-2016's do, rather than ids.

    White is 255, with few stray pixels beside it or, where edges were smoothed, many values
    between. In a map of ids 255 is void: a border round what has an id.
    """
    white, between = int(counts[VOID]), counts[1:VOID]
    others = int(between.sum())
    if not white or not counts[0]:
        return False
    if others <= _STRAY * white:
        return True
    is_edge = np.count_nonzero(between[63:191]) >= _EDGE_VALUES
    return bool(is_edge and others <= _MOST_EDGE * white)


def white_as_one(labels: Labels) -> Labels:
    """Return a label map (H, W) in which what is rather white than black is object 1."""
    return (labels >= _WHITE_FROM).astype(np.uint8)


def white_masks(masks: Painted) -> Painted:
    """Return what `white_as_one` gives, of the masks of each value."""
    white = [mask for value, mask in masks if value >= _WHITE_FROM]
    return ((1, reduce(united, white)),) if white else ()


def note_of(counts: NDArray[np.int64]) -> tuple[str, ...]:
    """Return what a person should know of masks that are white on black."""
    others = sorted({value for value in range(1, VOID) if counts[value]})
    if not others:
        return ()
    shown = ", ".join(map(str, others[:5])) + (", ..." if len(others) > 5 else "")
    return (
        f"The masks are white on black with other values between ({shown}): from "
        f"{_WHITE_FROM} on they count as object 1, below as background.",
    )


def area_counts(frames: Iterable[Painted], pixels: int) -> NDArray[np.int64]:
    """Return `counts_of` for frames of so many pixels, of the masks of each value."""
    counts = np.zeros(VOID + 1, np.int64)
    for masks in frames:
        areas = [(value, mask.area) for value, mask in masks]
        for value, area in areas:
            counts[value] += area
        counts[0] += pixels - sum(area for _, area in areas)
    return counts
