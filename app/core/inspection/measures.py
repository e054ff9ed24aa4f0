"""What is measured of a frame's masks, once; all that is said of failures follows from it."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from app.core.evaluate import Labels, boundary_f, jaccard
from models.api import BoolMask, Image

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_OUTLINE = 0.016  # of the frame's diagonal: what lies farther from the outline is no slip of it
_OUTLINE_OF_OBJECT = 0.2  # of the side of the object, where that is less
_TOUCH = np.ones((5, 5), np.uint8)  # objects two pixels apart touch
_TONES = 8  # steps of each colour channel in a histogram
_TONE_SIDE_PX = 160  # frames are thinned out to about this side for their histogram


class Measures(NamedTuple):
    """The measures of one frame, K objects; those of a sequence have the frames T as first axis.

    Regions are counted from 0 = background; R = K + 1 of them, object k is region k + 1. What
    only images tell is NaN without them, and so is what an absent object has not.
    """

    j: Floats  # (K,), 0 to 1
    f: Floats  # (K,), 0 to 1
    overlap: Counts  # (R, R), pixels by region of the truth and region of the prediction
    missing: Counts  # (K,), pixels that the prediction lacks, far from the true outline
    extra: Counts  # (K, R), pixels too many far from the true outline, by what is there in truth
    centre: Floats  # (K, 2), the true centre, (y, x) in pixels
    contact: Floats  # (K,), the share of the true outline at which another object lies
    at_border: NDArray[np.bool_]  # (K,), whether the true mask meets the frame's border
    sharpness: Floats  # (K,), mean size of the Laplacian on the object, in grey levels
    brightness: Floats  # (K,), mean grey level of the object, 0 to 255
    likeness: Floats  # (K, R), of the object's colours to those round it and of the others, 0 to 1
    tones: Floats  # (512,), the colour histogram of the frame, sums to 1

    @property
    def truth_area(self) -> Counts:
        """The pixels of each object in the truth, (..., K)."""
        return np.asarray(self.overlap.sum(axis=-1)[..., 1:], np.int64)

    @property
    def area(self) -> Counts:
        """The pixels of each object in the prediction, (..., K)."""
        return np.asarray(self.overlap.sum(axis=-2)[..., 1:], np.int64)

    @property
    def jf(self) -> Floats:
        """The mean of J and F, (..., K)."""
        return (self.j + self.f) / 2


def measure(
    truth: Labels, prediction: Labels, objects: int, image: Image | None = None
) -> Measures:
    """Measure one frame: label maps (H, W) with ids of 0 to `objects`, higher ones left out."""
    truth = np.where(truth > objects, np.uint8(0), truth)
    prediction = np.where(prediction > objects, np.uint8(0), prediction)
    regions = objects + 1
    pairs = truth.astype(np.int32) * regions + prediction
    overlap = np.bincount(pairs.ravel(), minlength=regions**2).reshape(regions, regions)
    drawn = [truth == number for number in range(1, regions)]
    predicted = [prediction == number for number in range(1, regions)]
    far = [_far(truth, *pair, regions) for pair in zip(drawn, predicted, strict=True)]
    looks = _Looks(image, drawn) if image is not None else None
    unknown = np.full(objects, np.nan)
    return Measures(
        np.array([jaccard(*pair) for pair in zip(drawn, predicted, strict=True)], np.float64),
        np.array([boundary_f(*pair) for pair in zip(drawn, predicted, strict=True)], np.float64),
        overlap.astype(np.int64),
        np.array([missing for missing, _ in far], np.int64).reshape(objects),
        np.array([extra for _, extra in far], np.int64).reshape(objects, regions),
        np.array([_centre(mask) for mask in drawn], np.float64).reshape(objects, 2),
        np.array([_contact(truth, mask) for mask in drawn], np.float64),
        np.array([_meets_border(mask) for mask in drawn], np.bool_),
        looks.sharpness() if looks else unknown,
        looks.brightness() if looks else unknown,
        looks.likeness() if looks else np.full((objects, regions), np.nan),
        _tones(image) if image is not None else np.full(_TONES**3, np.nan),
    )


def stack(frames: Iterable[Measures]) -> Measures:
    """Return the measures of a sequence from those of its frames."""
    return Measures(*(np.stack(values) for values in zip(*frames, strict=True)))


def alike(one: Floats, other: Floats) -> float:
    """Return how alike two histograms are, 0 to 1 (Bhattacharyya's coefficient)."""
    return float(np.sqrt(one * other).sum())


def _far(truth: Labels, drawn: BoolMask, predicted: BoolMask, regions: int) -> tuple[int, Counts]:
    """Count the errors of one object that are no slips of its outline.

    Those are pixels too many far from the object, and pixels of it far from all that was found.
    """
    extra, missing = predicted & ~drawn, drawn & ~predicted
    if (drawn & predicted).any() and (extra.any() or missing.any()):
        window = _window(drawn | predicted)
        limit = min(
            _OUTLINE * math.hypot(*drawn.shape),
            _OUTLINE_OF_OBJECT * math.sqrt(np.count_nonzero(drawn)),
        )
        missing = missing[window] & (_distance((drawn & predicted)[window]) > limit)
        extra, truth = extra[window] & (_distance(drawn[window]) > limit), truth[window]
    return int(np.count_nonzero(missing)), np.bincount(truth[extra], minlength=regions)


def _distance(mask: BoolMask) -> NDArray[np.float32]:
    """Return each pixel's distance to the mask, in pixels."""
    away = (~mask).view(np.uint8)
    return np.asarray(cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def _window(mask: BoolMask, margin: int = 1) -> tuple[slice, slice]:
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    return (
        slice(max(y - margin, 0), y + height + margin),
        slice(max(x - margin, 0), x + width + margin),
    )


def _centre(mask: BoolMask) -> tuple[float, float]:
    moments = cv2.moments(mask.view(np.uint8), binaryImage=True)
    if not moments["m00"]:
        return math.nan, math.nan
    return moments["m01"] / moments["m00"], moments["m10"] / moments["m00"]


def _contact(truth: Labels, mask: BoolMask) -> float:
    """Return the share of the pixels just outside the outline that another object holds."""
    if not mask.any():
        return math.nan
    window = _window(mask, margin=4)
    cut = mask[window]
    rim = (cv2.dilate(cut.view(np.uint8), _TOUCH) > 0) & ~cut
    return float((truth[window][rim] > 0).mean()) if rim.any() else 0.0


def _meets_border(mask: BoolMask) -> bool:
    return bool(mask[[0, -1]].any() or mask[:, [0, -1]].any())


class _Looks:
    """What an image (H, W, 3) shows of objects, one mask each."""

    def __init__(self, image: Image, masks: list[BoolMask]) -> None:
        self._image, self._masks = image, masks
        self._grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)

    def sharpness(self) -> Floats:
        edges = np.abs(cv2.Laplacian(self._grey, cv2.CV_32F))
        return self._mean(edges)

    def brightness(self) -> Floats:
        return self._mean(self._grey)

    def likeness(self) -> Floats:
        """Compare each object with what lies round it (region 0) and with every other."""
        bins = _bins(self._image)
        own = [_histogram(bins[mask]) for mask in self._masks]
        rows = np.full((len(own), len(own) + 1), np.nan)
        for index, mask in enumerate(self._masks):
            if not mask.any():
                continue
            around = _window(mask, margin=round(math.sqrt(np.count_nonzero(mask)) / 2) + 2)
            others = np.logical_or.reduce(self._masks)[around]
            rows[index, 0] = alike(own[index], _histogram(bins[around][~others]))
            for other in range(len(own)):
                if other != index and self._masks[other].any():
                    rows[index, other + 1] = alike(own[index], own[other])
        return rows

    def _mean(self, values: NDArray[np.uint8] | NDArray[np.float32]) -> Floats:
        means = [values[mask].mean() if mask.any() else math.nan for mask in self._masks]
        return np.array(means, np.float64)


def _tones(image: Image) -> Floats:
    step = max(1, max(image.shape[:2]) // _TONE_SIDE_PX)
    return _histogram(_bins(np.ascontiguousarray(image[::step, ::step])).ravel())


def _bins(image: Image) -> NDArray[np.int32]:
    """Return each pixel's place in a colour histogram, (H, W)."""
    r, g, b = (image[..., channel].astype(np.int32) * _TONES // 256 for channel in range(3))
    return (r * _TONES + g) * _TONES + b


def _histogram(bins: NDArray[np.int32]) -> Floats:
    counts = np.bincount(bins, minlength=_TONES**3)
    return np.asarray(counts / max(1, counts.sum()), np.float64)
