"""Pure pixel edits: brush strokes, polygons, holes, islands, growing and shrinking.

Points are (x, y) in pixels of the frame, the centre of the top-left pixel at (0, 0); they may lie
outside the frame. Every edit that works in place returns the area that it may have changed, so that
a view redraws no more than that.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.mask import Area
from models.api import BoolMask


class Point(NamedTuple):
    """A place on the frame, in pixels."""

    x: float
    y: float


NOTHING: Area = (0, 0, 0, 0)
_DOT = 1e-6  # squared pixels: a shorter line is a dot, and dividing by it would overflow


def is_empty(area: Area) -> bool:
    """Whether no pixel lies in the area."""
    y0, y1, x0, x1 = area
    return y0 >= y1 or x0 >= x1


def union(first: Area, second: Area) -> Area:
    """Return the smallest area that holds both."""
    if is_empty(first):
        return second
    if is_empty(second):
        return first
    return (
        min(first[0], second[0]),
        max(first[1], second[1]),
        min(first[2], second[2]),
        max(first[3], second[3]),
    )


def intersection(first: Area, second: Area) -> Area:
    """Return the area that both share, `NOTHING` where they do not meet."""
    shared = (
        max(first[0], second[0]),
        min(first[1], second[1]),
        max(first[2], second[2]),
        min(first[3], second[3]),
    )
    return NOTHING if is_empty(shared) else shared


def line_area(size: tuple[int, int], start: Point, end: Point, diameter: float) -> Area:
    """Return the area of a frame of `size` (height, width) that a brush line touches."""
    reach = _reach(diameter)
    (y0, y1), (x0, x1) = sorted((start.y, end.y)), sorted((start.x, end.x))
    top, bottom = math.floor(y0 - reach), math.ceil(y1 + reach) + 1
    left, right = math.floor(x0 - reach), math.ceil(x1 + reach) + 1
    return intersection((top, bottom, left, right), (0, size[0], 0, size[1]))


def line_pixels(area: Area, start: Point, end: Point, diameter: float) -> BoolMask:
    """Return which pixels of `area` lie within `diameter / 2` of the line from `start` to `end`.

    The pixels under both ends are always among them. A brush of one pixel paints one: a chain of
    pixels, each beside the one before.
    """
    if diameter <= 1:
        return _chain(area, start, end)
    y0, y1, x0, x1 = area
    rows = np.arange(y0, y1, dtype=np.float32)[:, None] - np.float32(start.y)
    columns = np.arange(x0, x1, dtype=np.float32)[None, :] - np.float32(start.x)
    along_x, along_y = end.x - start.x, end.y - start.y
    length = along_x * along_x + along_y * along_y
    # How far along the line the nearest point of it lies, 0 at the start and 1 at the end.
    share: NDArray[np.float32] | float = 0.0
    if length > _DOT:
        share = columns * np.float32(along_x / length) + rows * np.float32(along_y / length)
        np.clip(share, 0.0, 1.0, out=share)
    off_x = columns - share * np.float32(along_x)
    off_y = rows - share * np.float32(along_y)
    pixels: BoolMask = off_x * off_x + off_y * off_y <= np.float32(_reach(diameter) ** 2)
    return pixels


def _reach(diameter: float) -> float:
    """Return how far from its line a brush paints, half a pixel's diagonal at least.

    So there is no gap between neighbours.
    """
    return max(diameter / 2, 0.71)


def _chain(area: Area, start: Point, end: Point) -> BoolMask:
    """Return the pixels of `area` that a line one pixel wide passes through."""
    y0, y1, x0, x1 = area
    first, last = (np.floor(np.array((p.y, p.x)) + 0.5) for p in (start, end))
    steps = int(np.abs(last - first).max())
    share = np.linspace(0.0, 1.0, steps + 1)[:, None]
    rows, columns = np.floor(first + share * (last - first) + 0.5).astype(int).T
    inside = (rows >= y0) & (rows < y1) & (columns >= x0) & (columns < x1)
    pixels: BoolMask = np.zeros((y1 - y0, x1 - x0), np.bool_)
    pixels[rows[inside] - y0, columns[inside] - x0] = True
    return pixels


class Stroke:
    """One brush stroke on a copy of a mask, drawn piece by piece."""

    def __init__(self, pixels: BoolMask, *, diameter: float, erases: bool = False) -> None:
        """Begin on a copy of `pixels` (H, W), with a brush `diameter` pixels wide."""
        self.pixels = pixels.copy()
        self.area = NOTHING
        self._diameter = diameter
        self._erases = erases
        self._last: Point | None = None

    def line_to(self, point: Point) -> Area:
        """Draw from the last point to this one (a dot at first); return the area changed."""
        start, self._last = self._last or point, point
        height, width = self.pixels.shape
        area = line_area((height, width), start, point, self._diameter)
        if is_empty(area):
            return NOTHING
        window = (slice(area[0], area[1]), slice(area[2], area[3]))
        touched = line_pixels(area, start, point, self._diameter)
        if self._erases:
            self.pixels[window] &= ~touched
        else:
            self.pixels[window] |= touched
        self.area = union(self.area, area)
        return area


def polygon(size: tuple[int, int], points: Sequence[Point]) -> BoolMask:
    """Return the pixels inside a closed polygon, outline included, on a frame of `size`."""
    pixels = np.zeros(size, np.uint8)
    if points:
        # Four binary digits below the pixel, as far as OpenCV's fixed point stays exact.
        corners = np.rint(np.asarray(points, np.float64) * 16).astype(np.int32)
        cv2.fillPoly(pixels, [corners], (1,), shift=4)
    return pixels.view(np.bool_)


def fill_hole(pixels: BoolMask, at: Point) -> BoolMask:
    """Return the mask with the hole at a point filled; unchanged where no hole is there.

    A hole is background that does not reach the frame's edge (4-connected).
    """
    holes = _holes(pixels)
    x, y = round(at.x), round(at.y)
    height, width = pixels.shape
    if not (0 <= x < width and 0 <= y < height) or not holes[y, x]:
        return pixels.copy()
    _, labels = cv2.connectedComponents(holes.view(np.uint8), connectivity=4)
    filled: BoolMask = pixels | (labels == labels[y, x])
    return filled


def fill_holes(pixels: BoolMask) -> BoolMask:
    """Return the mask with every hole filled."""
    filled: BoolMask = pixels | _holes(pixels)
    return filled


def keep_largest(pixels: BoolMask) -> BoolMask:
    """Return the largest island of the mask (8-connected), the topmost of equals."""
    if not pixels.any():
        return pixels.copy()
    _, labels, stats, _ = cv2.connectedComponentsWithStats(pixels.astype(np.uint8), connectivity=8)
    largest = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    kept: BoolMask = labels == largest
    return kept


def grow(pixels: BoolMask, radius: int) -> BoolMask:
    """Return every pixel within `radius` of the mask; a negative radius shrinks it.

    Shrinking takes the frame's edge for more of the same, so an object that is cut off by the edge
    does not come loose from it.
    """
    reach = abs(radius)
    span = np.arange(-reach, reach + 1)
    disc = (span[:, None] ** 2 + span[None, :] ** 2 <= reach * reach).astype(np.uint8)
    change = cv2.dilate if radius > 0 else cv2.erode
    return change(pixels.astype(np.uint8), disc).view(np.bool_)


def subtract(pixels: BoolMask, other: BoolMask) -> BoolMask:
    """Return the pixels that are not in `other`."""
    rest: BoolMask = pixels & ~other
    return rest


def _holes(pixels: BoolMask) -> BoolMask:
    background = (~pixels).view(np.uint8)
    _, labels = cv2.connectedComponents(background, connectivity=4)
    outside = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    holes: BoolMask = ~np.isin(labels, outside) & ~pixels
    return holes
