"""Colour models of an object: over the whole video, and here and now."""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from models.api import BoolMask, FloatMap, Image

Grid = TypeVar("Grid", NDArray[np.float32], NDArray[np.float64])
Bins = NDArray[np.intp]  # (H, W): number of the colour's bin

_FINE = 24  # bins a channel for an object's colours in the whole video
_COARSE = 8  # bins a channel for the colours round one place
_CELL_PX = 24
_RING_PX = 40  # background this close is what the object must be told from
_FAR_WEIGHT = 0.2
_UNSEEN = 1e-5  # share of a histogram below which a colour says nothing
_DOUBT = 0.5  # pixels: a place with fewer says little


def fine_bins(image: Image) -> Bins:
    """Return each pixel's bin of 24 x 24 x 24 in Lab."""
    return _bins(image, _FINE)


def coarse_bins(image: Image) -> Bins:
    """Return each pixel's bin of 8 x 8 x 8 in Lab."""
    return _bins(image, _COARSE)


@dataclass(frozen=True, slots=True, eq=False)
class ColourModel:
    """The colours of one object and of what surrounds it, as smoothed histograms of sum 1."""

    inside: NDArray[np.float64]
    outside: NDArray[np.float64]

    @classmethod
    def of(cls, shown: list[tuple[Bins, BoolMask]]) -> "ColourModel":
        """Learn from the object's masks, each on the fine bins of its frame."""
        inside = np.zeros(_FINE**3)
        outside = np.zeros(_FINE**3)
        for bins, mask in shown:
            if mask.any():
                inside += _share(bins, mask.astype(np.float64))
            outside += _share(bins, np.where(mask, 0.0, _nearness(mask)))
        return cls(inside / max(inside.sum(), 1e-12), outside / max(outside.sum(), 1e-12))

    def probability(self, bins: Bins) -> FloatMap:
        """Return how likely each pixel's colour is the object's, (H, W); 0 where unseen."""
        likely = self.inside / (self.inside + self.outside + _UNSEEN)
        return likely.astype(np.float32)[bins]

    def likeness(self, bins: Bins, mask: BoolMask) -> float:
        """Return how like the object the colours under `mask` are, 0 to 1 (Bhattacharyya)."""
        if not mask.any():
            return 0.0
        here = _share(bins, mask.astype(np.float64))
        return float(np.minimum(np.sqrt(here * self.inside).sum(), 1.0))


class PlaceColours:
    """The colours of objects cell by cell: a small bilateral grid of the frame before.

    After Märki et al. 2016, "Bilateral Space Video Segmentation", with histograms in place of the
    graph cut. `before` is the frame before as it looks from here, `weight` (H, W) how far each of
    its pixels can be trusted.
    """

    def __init__(self, image: Image, before: Image, weight: FloatMap) -> None:
        height, width = weight.shape
        self._shape = (height // _CELL_PX + 2, width // _CELL_PX + 2)
        rows = (np.arange(height) + _CELL_PX // 2) // _CELL_PX
        columns = (np.arange(width) + _CELL_PX // 2) // _CELL_PX
        cells = (rows[:, None] * self._shape[1] + columns) * _COARSE**3
        self._before = cells + coarse_bins(before)
        self._here = cells + coarse_bins(image)
        self._weight = weight
        self._all = self._grid(weight)

    def probability(self, before: FloatMap) -> FloatMap:
        """Return how likely each pixel is the object's, which was at `before`, both (H, W)."""
        inside = self._grid(before * self._weight)
        likely = (inside + 0.5 * _DOUBT) / (self._all + _DOUBT)
        return np.asarray(likely.ravel()[self._here], np.float32)

    def _grid(self, weight: FloatMap) -> NDArray[np.float32]:
        count = self._shape[0] * self._shape[1] * _COARSE**3
        flat = np.bincount(self._before.ravel(), weight.ravel(), count).astype(np.float32)
        grid = flat.reshape(*self._shape, _COARSE, _COARSE, _COARSE)
        for axis in (0, 1):
            grid = _blurred(grid, axis, centre=1.0, side=1.0)
        for axis in (2, 3, 4):
            grid = _blurred(grid, axis)
        return grid


def _bins(image: Image, count: int) -> Bins:
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.intp)
    light = lab[..., 0] * count // 256
    # Nearly all colours of real video lie within 64 of grey, so the bins are spent there.
    hue = np.clip((lab[..., 1:] - 64) * count // 128, 0, count - 1)
    return np.asarray((light * count + hue[..., 0]) * count + hue[..., 1], np.intp)


def _share(bins: Bins, weight: NDArray[np.float64]) -> NDArray[np.float64]:
    counts = np.asarray(np.bincount(bins.ravel(), weight.ravel(), _FINE**3), np.float64)
    cube = counts.reshape(_FINE, _FINE, _FINE)
    for axis in (0, 1, 2):
        cube = _blurred(cube, axis)
    return np.asarray(cube.ravel() / max(cube.sum(), 1e-12))


def _nearness(mask: BoolMask) -> NDArray[np.float64]:
    side = 2 * _RING_PX + 1
    near = cv2.dilate(mask.astype(np.uint8), np.ones((side, side), np.uint8))
    return np.where(near > 0, 1.0, _FAR_WEIGHT)


def _blurred(grid: Grid, axis: int, *, centre: float = 0.5, side: float = 0.25) -> Grid:
    out = grid * centre
    along = np.moveaxis(out, axis, 0)
    given = np.moveaxis(grid, axis, 0)
    along[1:] += side * given[:-1]
    along[:-1] += side * given[1:]
    return out
