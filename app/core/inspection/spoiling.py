"""Known failures put into a ground truth, to test what is said of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from app.core.evaluate import Labels
from app.core.inspection.failures import Failure
from models.api import BoolMask


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A truth and a prediction, label maps (H, W) frame by frame, that differ by one failure."""

    truth: list[Labels]
    prediction: list[Labels]
    object: int
    failure: Failure
    onset: int
    last: int


class UnfitError(ValueError):
    """This failure cannot be put into this stretch: the object is absent or too small there."""


def spoil(
    truth: Sequence[Labels], number: int, failure: Failure, span: range, rng: np.random.Generator
) -> Spoiled:
    """Put one failure of object `number` into the frames of `span`, of a strength left to chance.

    Everywhere the prediction's outlines are as uneven as a good tracker's. False presence and late
    re-entry take the object out of the truth itself first. Raises UnfitError.
    """
    truth = [labels.copy() for labels in truth]
    areas = [np.count_nonzero(truth[frame] == number) for frame in span]
    if min(areas) < 400 or failure is Failure.GOOD:
        raise UnfitError(f"object {number} has {min(areas)} pixels")
    prediction = [_roughened(labels, rng) for labels in truth]
    onset = span.start
    if failure is Failure.FALSE_PRESENCE:
        for frame in span:
            truth[frame][truth[frame] == number] = 0
    elif failure is Failure.LATE_REENTRY:
        onset = span.start + max(2, len(span) // 3)
        for frame in span:
            prediction[frame][prediction[frame] == number] = 0
        for frame in range(span.start, onset):
            truth[frame][truth[frame] == number] = 0
    else:
        side, strength = rng.uniform(0, 2 * np.pi), rng.uniform()
        for frame in span:
            wrong = _wrong(truth[frame], number, failure, side, strength)
            prediction[frame] = _roughened(wrong, rng)
    return Spoiled(truth, prediction, number, failure, onset, span[-1])


def _wrong(labels: Labels, number: int, failure: Failure, side: float, strength: float) -> Labels:
    """Return the label map with the failure, towards `side`, of a `strength` of 0 to 1."""
    mask, wrong = labels == number, labels.copy()
    if failure is Failure.MISS:
        wrong[mask] = 0
    elif failure is Failure.IDENTITY_SWAP:
        other = labels == _other(labels, number)
        # Both change places, or one takes the other's place and loses its own.
        wrong[mask], wrong[other] = _other(labels, number) if strength < 0.5 else 0, number
    elif failure is Failure.LEAK_NEIGHBOUR:
        other = labels == _other(labels, number)
        wrong[_part(other, side, 0.3 + 0.5 * strength)] = number
    elif failure is Failure.LEAK_BACKGROUND:
        wrong[_moved(mask, side, 0.4 + 0.6 * strength) & (labels == 0)] = number
    elif failure is Failure.PART_LOSS:
        wrong[_part(mask, side, 0.2 + 0.5 * strength)] = 0
    else:
        wrong[mask] = 0
        wrong[_slipped(mask, side) & (wrong == 0)] = number
    return wrong


def _other(labels: Labels, number: int) -> int:
    counts = np.bincount(labels.ravel())
    counts[[0, number]] = 0
    if counts.max() < 400:
        raise UnfitError("there is no other object")
    return int(counts.argmax())


def _part(mask: BoolMask, side: float, share: float) -> BoolMask:
    """Return the share of a mask's pixels that lies farthest towards `side`."""
    rows, columns = np.nonzero(mask)
    along = rows * np.sin(side) + columns * np.cos(side)
    chosen = along >= np.quantile(along, 1 - share)
    part = np.zeros_like(mask)
    part[rows[chosen], columns[chosen]] = True
    return part


def _moved(mask: BoolMask, side: float, way: float) -> BoolMask:
    """Return the mask moved by a share of its side, towards the middle where it would leave."""
    length = way * np.sqrt(np.count_nonzero(mask))
    rows, columns = np.nonzero(mask)
    dy, dx = length * np.sin(side), length * np.cos(side)
    height, width = mask.shape
    dy = -dy if not 0 < rows.mean() + 2 * dy < height else dy
    dx = -dx if not 0 < columns.mean() + 2 * dx < width else dx
    rows = np.clip(rows + round(dy), 0, height - 1)
    columns = np.clip(columns + round(dx), 0, width - 1)
    moved = np.zeros_like(mask)
    moved[rows, columns] = True
    return moved


def _slipped(mask: BoolMask, side: float) -> BoolMask:
    """Return the mask with its outline too far out all round or, for half of the sides, too far in.

    One that would lose its limbs is grown instead.
    """
    area = np.count_nonzero(mask)
    step = min(max(2, round(0.12 * np.sqrt(area))), round(0.012 * np.hypot(*mask.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * step + 1, 2 * step + 1))
    pixels = mask.view(np.uint8)
    shrunk = cv2.erode(pixels, kernel)
    shrinks = side < np.pi and np.count_nonzero(cv2.dilate(shrunk, kernel)) > 0.95 * area
    return np.asarray((shrunk if shrinks else cv2.dilate(pixels, kernel)) > 0, np.bool_)


def _roughened(labels: Labels, rng: np.random.Generator) -> Labels:
    """Return the label map with outlines that waver by a pixel or two."""
    noise = cv2.GaussianBlur(rng.standard_normal(labels.shape).astype(np.float32), (0, 0), 2)
    noise = noise * (0.15 / max(float(noise.std()), 1e-6))
    rough = np.zeros_like(labels)
    for number in np.unique(labels[labels > 0]).tolist():
        soft = cv2.GaussianBlur((labels == number).astype(np.float32), (0, 0), 2)
        rough[soft + noise * ((soft > 0.1) & (soft < 0.9)) > 0.5] = number
    return rough
