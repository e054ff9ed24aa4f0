"""What is wrong with the masks of one frame: their polygons, what hides them, what they touch."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.mask import Mask
from app.storage.formats.visor.annotations.contacts import CONTACT
from app.storage.formats.visor.geometry import Polygon, Size, filled
from app.storage.formats.visor.records import Annotation, is_polygon
from app.storage.formats.visor.validation.defect import Kind

Problem = tuple[str, str, bool]  # rule, text, harmless

_HIDDEN = 0.75  # share of a mask under others from which on it is worth knowing
_SAME = 0.95  # IoU of two polygons that are drawn twice rather than one within the other
_MOST_PAIRS = 2000  # of polygons of a mask that are compared
_REACH = 5  # pixels that a hand and what it touches are grown by, as the authors do at 1080p
_FULL_HEIGHT = 1080


class Shape(NamedTuple):
    """An annotation with its pixels, None where it has none."""

    annotation: Annotation
    mask: Mask | None


def shapes(annotations: Sequence[Annotation], canvas: Size) -> list[Shape]:
    """Return annotations with their masks; one whose polygons cannot be read has none."""
    return [Shape(each, filled(_readable(each), canvas)) for each in annotations]


def polygon_problems(annotation: Annotation, kind: Kind) -> Iterator[Problem]:
    """Yield what is wrong with a mask's polygons: no area, or one wiping out another.

    A traced mask, all of whole numbers, has polygons of one or two points where it is that thin.
    """
    polygons = [each for each in _readable(annotation) if len(each)]
    if kind.dense or kind.submission or _is_traced(polygons):
        return
    for place, polygon in enumerate(polygons):
        if len(polygon) < 3:
            text = f"polygon {place} has {len(polygon)} point(s), and so no area"
            yield "short polygon", text, False
        elif np.linalg.matrix_rank(np.subtract(polygon[1:], polygon[0])) < 2:
            text = f"polygon {place} has all its points on one line, and so no area"
            yield "short polygon", text, False
    yield from _cancelled(polygons, kind.canvas)


def hidden_problems(found: Sequence[Shape]) -> Iterator[tuple[int, Problem]]:
    """Yield the place and problem of masks that those drawn after them hide."""
    seen = visible([mask for _, mask in found])
    for place, (_, mask) in enumerate(found):
        if mask is None:
            continue
        hidden = 1 - seen[place] / mask.area
        if hidden == 1:
            yield place, ("covered", "masks that are drawn later hide all of it", False)
        elif hidden >= _HIDDEN:
            text = f"masks that are drawn later hide {hidden:.0%} of it"
            yield place, ("overlap", text, True)


def contact_problems(found: Sequence[Shape]) -> Iterator[tuple[int, Problem]]:
    """Yield the place and problem of hands and gloves that touch what they do not border."""
    by_id = {each.annotation.id: each for each in found if each.annotation.id}
    for place, (annotation, mask) in enumerate(found):
        target = annotation.raw.get(CONTACT)
        touched = by_id.get(target) if isinstance(target, str) else None
        if (
            mask is None
            or touched is None
            or touched.mask is None
            or touched.annotation is annotation
        ):
            continue
        if not border(mask, touched.mask):
            name = touched.annotation.raw.get("name")
            yield place, ("not touched", f"it touches {name}, which it does not border", True)


def _readable(annotation: Annotation) -> list[Polygon]:
    segments = annotation.segments
    return [each for each in segments if is_polygon(each)] if isinstance(segments, list) else []


def _is_traced(polygons: Sequence[Polygon]) -> bool:
    return all(isinstance(value, int) for each in polygons for point in each for value in point)


def _cancelled(polygons: Sequence[Polygon], canvas: Size) -> Iterator[Problem]:
    """Yield the polygons that partly overlap, or repeat, one before: there the mask has a hole.

    One that lies in another is meant to be a hole.
    """
    drawn = [filled([each], canvas) for each in polygons]
    pairs = itertools.combinations([(n, mask) for n, mask in enumerate(drawn) if mask], 2)
    for (first, one), (second, other) in itertools.islice(pairs, _MOST_PAIRS):
        shared = one.iou(other) * (one.area + other.area) / (1 + one.iou(other))
        if not shared:
            continue
        repeats = one.iou(other) >= _SAME
        within = shared >= _SAME * min(one.area, other.area)
        if repeats or (not within and _overlap_inside(one, other)):
            text = f"polygons {first} and {second} cancel out where they overlap"
            yield "cancelled", text, False


def _overlap_inside(one: Mask, other: Mask) -> bool:
    """Whether two masks that overlap share more than their outlines."""
    top, bottom = max(one.box[0], other.box[0]), min(one.box[1], other.box[1])
    left, right = max(one.box[2], other.box[2]), min(one.box[3], other.box[3])
    window = (top, bottom, left, right)
    shared = (one.inside(window) & other.inside(window)).astype(np.uint8)
    padded = np.pad(shared, 1)
    return bool(cv2.erode(padded, np.ones((5, 5), np.uint8)).any())


def visible(drawn: Sequence[Mask | None]) -> Mapping[int, int]:
    """Return how many pixels of each mask are seen once all are drawn in their order."""
    boxes = [mask.box for mask in drawn if mask is not None]
    if not boxes:
        return {}
    top, _, left, _ = (min(edges) for edges in zip(*boxes, strict=True))
    _, bottom, _, right = (max(edges) for edges in zip(*boxes, strict=True))
    labels: NDArray[np.uint16] = np.zeros((bottom - top, right - left), np.uint16)
    windows = {}
    for place, mask in enumerate(drawn):
        if mask is not None:
            y0, y1, x0, x1 = mask.box
            windows[place] = labels[y0 - top : y1 - top, x0 - left : x1 - left]
            windows[place][mask.crop()] = place + 1
    return {p: int(np.count_nonzero(window == p + 1)) for p, window in windows.items()}


def border(one: Mask, other: Mask) -> int:
    """Return how many pixels two masks share once both are grown a little; 0 = no border."""
    reach = max(1, round(_REACH * one.size[0] / _FULL_HEIGHT))
    top, bottom = max(one.box[0], other.box[0]), min(one.box[1], other.box[1])
    left, right = max(one.box[2], other.box[2]), min(one.box[3], other.box[3])
    if top - bottom > 2 * reach or left - right > 2 * reach:
        return 0
    margin = 2 * reach + 1
    window = (
        min(top, bottom) - margin, max(top, bottom) + margin,
        min(left, right) - margin, max(left, right) + margin,
    )  # fmt: skip
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    first, second = (
        np.asarray(cv2.dilate(_within(each, window), cross, iterations=reach), np.bool_)
        for each in (one, other)
    )
    return int(np.count_nonzero(first & second))


def _within(mask: Mask, window: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """Return the pixels of a mask in a window, which may reach beyond it."""
    top, bottom, left, right = window
    pixels = np.zeros((bottom - top, right - left), np.uint8)
    y0, y1 = max(top, mask.box[0]), min(bottom, mask.box[1])
    x0, x1 = max(left, mask.box[2]), min(right, mask.box[3])
    if y0 < y1 and x0 < x1:
        pixels[y0 - top : y1 - top, x0 - left : x1 - left] = mask.inside((y0, y1, x0, x1))
    return pixels
