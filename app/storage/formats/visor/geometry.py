"""The polygons of VISOR: to pixels as its own readers do it, and from pixels without loss."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.mask import Mask
from models.api import BoolMask

Point = Sequence[float]  # x, y
Corners = NDArray[np.float64]  # (N, 2) of x, y
Polygon = Sequence[Point] | Corners  # implicitly closed
IntPolygon = list[list[int]]
Size = tuple[int, int]  # (height, width)
Fill = Callable[[Sequence[NDArray[np.int32]], Size], BoolMask]  # all polygons, (N, 2), at once

SPARSE_SIZE: Size = (1080, 1920)  # whatever the video's own size
DENSE_SIZE: Size = (480, 854)
_FAR = 1 << 15  # OpenCV's fixed-point coordinates end here


def rasterise(polygons: Sequence[Polygon], size: Size, *, mark_empty: bool = False) -> BoolMask:
    """Return the pixels of one annotation, (H, W): the definition of VISOR's ground truth.

    Coordinates are truncated toward zero, and all polygons are filled at once under the even-odd
    rule with their outlines: a polygon within another is a hole. `mark_empty` paints pixel (0, 0)
    for each polygon without points, as the official conversion does.
    """
    pixels = np.zeros(size, np.uint8)
    points = [_truncated(polygon) for polygon in polygons if len(polygon)]
    if mark_empty:
        points += [np.zeros((1, 2), np.int32) for polygon in polygons if not len(polygon)]
    if points:
        cv2.fillPoly(pixels, points, 1)
    return pixels.view(np.bool_)


def fill(points: Sequence[NDArray[np.int32]], size: Size) -> BoolMask:
    """Return the pixels, (H, W), of whole-numbered polygons as the installed OpenCV fills them."""
    pixels = np.zeros(size, np.uint8)
    cv2.fillPoly(pixels, list(points), 1)
    return pixels.view(np.bool_)


def filled(
    polygons: Sequence[Polygon],
    canvas: Size,
    size: Size | None = None,
    *,
    mark_empty: bool = False,
    fill: Fill = fill,
) -> Mask | None:
    """Return what `rasterise` gives as a mask, sampled to `size` where one is given.

    Only the polygons' own box is filled, which is the same to the bit and far quicker. Another
    `fill` gives what another release of OpenCV does.
    """
    points = [_truncated(polygon) for polygon in polygons if len(polygon)]
    if mark_empty and len(points) < len(polygons):
        points.append(np.zeros((1, 2), np.int32))
    if not points:
        return None
    every = np.concatenate(points)
    x0, y0 = every.min(axis=0).clip(0).tolist()
    x1, y1 = np.minimum(every.max(axis=0) + 1, canvas[::-1]).tolist()
    if x0 >= x1 or y0 >= y1:
        return None
    corner = np.array([x0, y0], np.int32)
    pixels = fill([each - corner for each in points], (y1 - y0, x1 - x0))
    if size is None or size == canvas:
        return placed(pixels, (y0, x0), canvas)
    rows, top = _sampled(y0, y1, canvas[0], size[0])
    columns, left = _sampled(x0, x1, canvas[1], size[1])
    return placed(pixels[rows][:, columns], (top, left), size)


def placed(pixels: BoolMask, corner: tuple[int, int], size: Size) -> Mask | None:
    """Return the mask of pixels whose first one lies at `corner` (row, column) of a frame."""
    mask = Mask.encode(pixels)
    if mask is None:
        return None
    (y0, y1, x0, x1), (top, left) = mask.box, corner
    return Mask(size, (y0 + top, y1 + top, x0 + left, x1 + left), mask.bits)


def resized(mask: Mask, size: Size) -> Mask | None:
    """Return a mask as `spread` enlarges it, of its box alone; None where nothing is left."""
    if mask.size == size:
        return mask
    y0, y1, x0, x1 = mask.box
    rows, top = _spread(y0, y1, mask.size[0], size[0])
    columns, left = _spread(x0, x1, mask.size[1], size[1])
    return placed(mask.crop()[rows][:, columns], (top, left), size)


def trace(pixels: BoolMask, offset: tuple[int, int] = (0, 0)) -> list[IntPolygon]:
    """Return polygons that `rasterise` turns into exactly `pixels`; none for an empty mask.

    Every border, outer or of a hole, becomes one polygon along the object's own pixels (Suzuki
    and Abe, 1985). `offset` (x, y) is added to each point.
    """
    borders, _ = cv2.findContours(pixels.view(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    polygons = [border[:, 0].tolist() for border in borders]
    # Proved by reading back, so that no release of OpenCV can lose a pixel in silence.
    if not np.array_equal(rasterise(polygons, _size(pixels)), pixels):
        polygons = scanlines(pixels)
    dx, dy = offset
    return [[[x + dx, y + dy] for x, y in polygon] for polygon in polygons]


def scanlines(pixels: BoolMask) -> list[IntPolygon]:
    """Return one two-point polygon for each run of pixels in a row: long, but always exact."""
    padded = np.pad(pixels, ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(padded, axis=1)
    rows, starts = np.nonzero(change == 1)
    _, ends = np.nonzero(change == -1)
    runs = zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True)
    return [[[start, row], [end - 1, row]] for row, start, end in runs]


def sampling(size: Size, wanted: Size) -> tuple[NDArray[np.intp], ...]:
    """Return the rows and columns that the official conversion samples: floor(x * from / to)."""
    rows = np.arange(wanted[0]) * size[0] // wanted[0]
    columns = np.arange(wanted[1]) * size[1] // wanted[1]
    return np.ix_(rows, columns)


def sample(pixels: BoolMask, size: Size) -> BoolMask:
    """Resize by nearest neighbour as the official conversion does."""
    if _size(pixels) == size:
        return pixels
    return np.asarray(pixels[sampling(_size(pixels), size)], np.bool_)


def spread(pixels: BoolMask, size: Size) -> BoolMask:
    """Enlarge so that `sample` gives back exactly `pixels`; smaller sizes lose detail.

    The source is min(last, ceil(x * from / to)): plain nearest neighbour would shift the mask.
    """
    height, width = _size(pixels)
    if (height, width) == size:
        return pixels
    rows, _ = _spread(0, height, height, size[0])
    columns, _ = _spread(0, width, width, size[1])
    return np.asarray(pixels[np.ix_(rows, columns)], np.bool_)


def _sampled(start: int, end: int, length: int, wanted: int) -> tuple[NDArray[np.intp], int]:
    """Return which lines of start to end a smaller picture keeps, and where the first one lies."""
    lines = np.arange(wanted) * length // wanted
    first, last = np.searchsorted(lines, (start, end)).tolist()
    return lines[first:last] - start, first


def _spread(start: int, end: int, length: int, wanted: int) -> tuple[NDArray[np.intp], int]:
    """Return which of the lines start to end each line of a larger picture shows; the first one."""
    lines = np.minimum(-(-np.arange(wanted) * length // wanted), length - 1)
    first, last = np.searchsorted(lines, (start, end)).tolist()
    return lines[first:last] - start, first


def _truncated(polygon: Polygon) -> NDArray[np.int32]:
    points = np.asarray(polygon, np.float64).reshape(-1, 2)
    return np.asarray(np.trunc(points.clip(-_FAR, _FAR)), np.int32)


def _size(pixels: BoolMask) -> Size:
    return pixels.shape[0], pixels.shape[1]
