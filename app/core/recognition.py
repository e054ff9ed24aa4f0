"""The recognition of things that were found: which object each one is, or none yet."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.mask import Mask
from models.api import Image

Histogram = NDArray[np.float32]  # of colours, 1 in all
Kin = Callable[[str, str], bool]  # whether two kinds can be one

_BINS = (4, 12, 12)  # of lightness and the two colour axes: shade says less than colour
_NUMBERED = re.compile(r"\s*\d+$")


@dataclass(frozen=True, slots=True)
class RecognitionRules:
    """When a find is an object: from which IoU, 0 to 1, and else from which likeness, 0 to 1."""

    overlap: float = 0.5
    likeness: float = 0.8


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A thing on one frame: where it is, how it looks, and what kind of thing it is."""

    frame: int
    mask: Mask
    look: Histogram
    kind: str


def look_of(image: Image, mask: Mask) -> Histogram:
    """Return the colours of a mask's pixels in an image (H, W, 3), as shares."""
    y0, y1, x0, x1 = mask.box
    lab = cv2.cvtColor(image[y0:y1, x0:x1], cv2.COLOR_RGB2LAB)
    counts = cv2.calcHist([lab], [0, 1, 2], mask.crop().astype(np.uint8), list(_BINS), [0, 256] * 3)
    return np.asarray(counts.ravel() / counts.sum(), np.float32)


def likeness(one: Histogram, other: Histogram) -> float:
    """Return how much two looks have in common, 0 to 1 (Bhattacharyya's coefficient)."""
    return float(np.sqrt(one * other).sum())


def kind_of(name: str) -> str:
    """Return the kind of thing in an object's name: `cup` of `Cup 2`."""
    return _NUMBERED.sub("", name.strip()).lower()


def recognise(
    found: Sequence[Sighting],
    known: Mapping[int, Sequence[Sighting]],
    here: Mapping[int, Mask | None],
    rules: RecognitionRules,
    kin: Kin,
) -> dict[int, int]:
    """Return which of the finds of a frame is which object.

    `known`: every object's sightings. `here`: the objects whose mask on this frame is settled; None
    says that it is absent. A find over such a mask is that object; the others are looked for where
    an object was seen last, and then by their looks. Those objects are found once each.
    """
    named = {}
    for k, each in enumerate(found):
        over = {n: each.mask.iou(mask) for n, mask in here.items() if mask is not None}
        if over and max(over.values()) >= rules.overlap:
            named[k] = max(over, key=over.__getitem__)
    free = {n: seen for n, seen in sorted(known.items()) if n not in here and seen}
    pairs = [
        (k, n, each, seen)
        for k, each in enumerate(found)
        for n, seen in free.items()
        if kin(each.kind, seen[-1].kind)
    ]
    by_place = ((each.mask.iou(_nearest(each, seen).mask), k, n) for k, n, each, seen in pairs)
    named = _paired(by_place, rules.overlap, named)
    by_look = ((max(likeness(each.look, s.look) for s in seen), k, n) for k, n, each, seen in pairs)
    return _paired(by_look, rules.likeness, named)


def _paired(
    scores: Iterable[tuple[float, int, int]], least: float, before: Mapping[int, int]
) -> dict[int, int]:
    """Return `before` with the best pairs (score, find, object) of what is free in it.

    Of equal ones the first.
    """
    named = dict(before)
    for score, find, number in sorted(scores, key=lambda pair: -pair[0]):
        if score >= least and find not in named and number not in named.values():
            named[find] = number
    return named


def _nearest(sighting: Sighting, seen: Sequence[Sighting]) -> Sighting:
    return min(seen, key=lambda other: abs(other.frame - sighting.frame))
