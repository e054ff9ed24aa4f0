"""The rasterisation of polygons as OpenCV 4.5.5 does it, the release that VISOR's authors pin.

Newer releases differ by some pixels on slanted edges. It is a scanline fill under the even-odd rule
with fixed-point edges (16 bits behind the point), and each edge drawn as a line of eight-connected
pixels, clipped to the picture, from left to right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from models.api import BoolMask

Corner = tuple[int, int]  # x, y
_SHIFT = 16
_ONE = 1 << _SHIFT


@dataclass(slots=True)
class _Edge:
    """A side of a polygon between two rows; `x` is fixed-point and moves on row by row."""

    top: int
    bottom: int
    x: int
    step: int


def fill(polygons: Sequence[NDArray[np.int32]], size: tuple[int, int]) -> BoolMask:
    """Return the pixels, (H, W), of polygons (each (N, 2) of x, y) that are filled at once."""
    pixels = np.zeros(size, np.bool_)
    edges: list[_Edge] = []
    for polygon in polygons:
        corners = [(int(x), int(y)) for x, y in polygon]
        for one, other in pairwise([corners[-1], *corners]) if corners else ():
            _draw_line(pixels, one, other)
            edge = _edge(one, other)
            if edge is not None:
                edges.append(edge)
    _fill_edges(pixels, edges)
    return pixels


def _edge(one: Corner, other: Corner) -> _Edge | None:
    """Return the edge between two corners, None where it lies within one row."""
    (x0, y0), (x1, y1) = one, other
    if y0 == y1:
        return None
    step = _divided((x1 - x0) << _SHIFT, y1 - y0)
    if y0 < y1:
        return _Edge(y0, y1, x0 << _SHIFT, step)
    return _Edge(y1, y0, x1 << _SHIFT, step)


def _fill_edges(pixels: BoolMask, edges: list[_Edge]) -> None:
    if len(edges) < 2:
        return
    waiting = sorted(edges, key=lambda each: each.top, reverse=True)
    active: list[_Edge] = []
    for y in range(waiting[-1].top, min(max(each.bottom for each in edges), len(pixels))):
        active = [each for each in active if each.bottom != y]
        while waiting and waiting[-1].top == y:
            active.append(waiting.pop())
        active.sort(key=lambda each: each.x)
        for left, right in zip(active[::2], active[1::2], strict=False):
            if y >= 0:
                first, last = (left.x + _ONE - 1) >> _SHIFT, right.x >> _SHIFT
                pixels[y, max(first, 0) : max(last + 1, 0)] = True
            left.x += left.step
            right.x += right.step


def _draw_line(pixels: BoolMask, one: Corner, other: Corner) -> None:
    height, width = pixels.shape
    clipped = _clipped(one, other, width - 1, height - 1)
    if clipped is None:
        return
    (x0, y0), (x1, y1) = sorted(clipped, key=lambda corner: corner[0])
    if clipped[0][0] == clipped[1][0]:
        (x0, y0), (x1, y1) = clipped
    across, down = x1 - x0, abs(y1 - y0)
    sign = 1 if y1 >= y0 else -1
    long, short = max(across, down), min(across, down)
    steps = np.arange(long + 1)
    # Bresenham's error term, solved for the number of side steps after so many steps.
    aside = (2 * short * steps + long - 1) // (2 * long) if long else steps
    if down > across:
        pixels[y0 + sign * steps, x0 + aside] = True
    else:
        pixels[y0 + sign * aside, x0 + steps] = True


def _clipped(one: Corner, other: Corner, right: int, bottom: int) -> tuple[Corner, Corner] | None:
    """Return the part of a line within a picture, None where there is none (Cohen, Sutherland)."""
    (x1, y1), (x2, y2) = one, other
    out1, out2 = _outside(x1, y1, right, bottom), _outside(x2, y2, right, bottom)
    if out1 & out2:
        return None
    if out1 & 12:
        wanted = 0 if out1 < 8 else bottom
        x1 += int((wanted - y1) * (x2 - x1) / (y2 - y1))
        y1, out1 = wanted, _outside(x1, 0, right, bottom) & 3
    if out2 & 12:
        wanted = 0 if out2 < 8 else bottom
        x2 += int((wanted - y2) * (x2 - x1) / (y2 - y1))
        y2, out2 = wanted, _outside(x2, 0, right, bottom) & 3
    if out1 & out2:
        return None
    if out1:
        wanted = 0 if out1 == 1 else right
        y1 += int((wanted - x1) * (y2 - y1) / (x2 - x1))
        x1 = wanted
    if out2:
        wanted = 0 if out2 == 1 else right
        y2 += int((wanted - x2) * (y2 - y1) / (x2 - x1))
        x2 = wanted
    return (x1, y1), (x2, y2)


def _outside(x: int, y: int, right: int, bottom: int) -> int:
    return (x < 0) + (x > right) * 2 + (y < 0) * 4 + (y > bottom) * 8


def _divided(number: int, by: int) -> int:
    """Divide toward zero, as C does."""
    whole = abs(number) // abs(by)
    return whole if (number < 0) == (by < 0) else -whole
