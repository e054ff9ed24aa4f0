"""The trimap of a prompt: what is surely inside or outside, and what only probably."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from models.api import BoolMask, Box, Click, Image

Trimap = NDArray[np.uint8]  # (H, W) of cv2.GC_*

_SEED_PX = 3
_REACHES = (0.08, 0.16, 0.3, 0.55)  # of the short side: how far a thing may go from its click
_CORE = 0.35  # of a box's sides: the ellipse that is surely inside
_STEP_COST = 0.004  # a pixel of way, against a change of colour of the whole range


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A frame at the size of work, and the prompt on it; clicks and box in its pixels."""

    image: Image
    clicks: tuple[Click, ...]
    box: Box | None
    mask: BoolMask | None

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return self.image.shape[0], self.image.shape[1]

    def at(self, click: Click) -> tuple[int, int]:
        """Return the row and column of a click."""
        return _pixel(click, self.size)


def trimaps(scene: Scene) -> Iterator[Trimap]:
    """Yield what the prompt may mean: one reading of a box or mask, several of clicks alone."""
    if scene.mask is not None:
        yield _seeded(_round_mask(scene, scene.mask), scene)
    elif scene.box is not None:
        yield _seeded(_in_box(scene, scene.box), scene)
    else:
        for labels in _round_clicks(scene):
            yield _seeded(labels, scene)


def stamped(mask: BoolMask, clicks: tuple[Click, ...]) -> BoolMask:
    """Return the mask with each click's own pixel and its neighbours as the click says."""
    out = mask.astype(np.uint8)
    for click in sorted(clicks, key=lambda each: each.positive):
        row, column = _pixel(click, mask.shape)
        cv2.circle(out, (column, row), 1, int(click.positive), -1)
    for click in clicks:
        out[_pixel(click, mask.shape)] = click.positive
    return out.astype(np.bool_)


def _seeded(labels: Trimap, scene: Scene) -> Trimap:
    for click in sorted(scene.clicks, key=lambda each: each.positive):
        row, column = scene.at(click)
        value = cv2.GC_FGD if click.positive else cv2.GC_BGD
        cv2.circle(labels, (column, row), _SEED_PX, value, -1)
    for click in scene.clicks:
        labels[scene.at(click)] = cv2.GC_FGD if click.positive else cv2.GC_BGD
    return labels


def _in_box(scene: Scene, box: Box) -> Trimap:
    labels = np.full(scene.size, cv2.GC_BGD, np.uint8)
    rows = slice(max(0, round(box.y0)), max(1, round(box.y1)))
    columns = slice(max(0, round(box.x0)), max(1, round(box.x1)))
    labels[rows, columns] = cv2.GC_PR_FGD
    # A box is drawn round something that fills it: without a core GrabCut may find nothing.
    centre = (round((box.x0 + box.x1) / 2), round((box.y0 + box.y1) / 2))
    half = (round(_CORE * (box.x1 - box.x0) / 2), round(_CORE * (box.y1 - box.y0) / 2))
    cv2.ellipse(labels, centre, half, 0, 0, 360, cv2.GC_FGD, -1)
    return labels


def _round_mask(scene: Scene, mask: BoolMask) -> Trimap:
    """A band round the outline is open, and so is what the clicks say against the mask."""
    band = max(3, round(0.08 * float(np.sqrt(np.count_nonzero(mask)))))
    inside = _distance(mask)
    outside = _distance(~mask)
    labels = np.where(mask, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[inside > band] = cv2.GC_FGD
    labels[outside > band] = cv2.GC_BGD
    for click in scene.clicks:
        row, column = scene.at(click)
        if mask[row, column] == click.positive:
            continue
        gap = float(outside[row, column] if click.positive else inside[row, column])
        ways = _ways(scene, [click])
        away = _distance(_one_pixel(scene, click))
        likely = (ways <= _ways_within(ways, 2 * gap + 2 * band)) & (away <= 3 * gap + 4 * band)
        # The outline was wrong by the gap at least, so as much round the click is settled.
        sure = likely & (ways <= _ways_within(ways, 1.2 * gap)) & (away <= 1.5 * gap)
        labels[likely] = cv2.GC_PR_FGD if click.positive else cv2.GC_PR_BGD
        labels[sure] = cv2.GC_FGD if click.positive else cv2.GC_BGD
    return labels


def _round_clicks(scene: Scene) -> Iterator[Trimap]:
    positive = [click for click in scene.clicks if click.positive]
    if not positive:
        # Only "not here": all else may be the thing.
        yield np.full(scene.size, cv2.GC_PR_FGD, np.uint8)
        return
    ways = _ways(scene, positive)
    away = np.min([_distance(_one_pixel(scene, click)) for click in positive], axis=0)
    for reach in _REACHES:
        radius = reach * min(scene.size)
        labels = np.full(scene.size, cv2.GC_BGD, np.uint8)
        labels[away <= 1.8 * radius] = cv2.GC_PR_BGD
        labels[(away <= radius) & (ways <= _ways_within(ways, radius))] = cv2.GC_PR_FGD
        yield labels


def _ways_within(ways: NDArray[np.float32], radius: float) -> float:
    """Return the cost of way that takes in as many pixels as half a disc of `radius` has."""
    count = min(ways.size - 1, int(0.5 * np.pi * radius**2))
    return float(np.partition(ways.ravel(), count)[count])


def _ways(scene: Scene, clicks: list[Click]) -> NDArray[np.float32]:
    """Return each pixel's cheapest way to a click, where crossing an edge is dear (geodesic).

    By raster sweeps (Toivanen 1996), a few of them, on rows and columns at once.
    """
    image = cv2.bilateralFilter(scene.image, 5, 40, 3)
    lab = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2LAB), np.float32) / 255
    down = np.linalg.norm(np.diff(lab, axis=0), axis=-1) + _STEP_COST
    right = np.linalg.norm(np.diff(lab, axis=1), axis=-1) + _STEP_COST
    ways = np.full(scene.size, 1e6, np.float32)
    for click in clicks:
        ways[scene.at(click)] = 0
    for _ in range(4):
        _sweep(ways, down)
        _sweep(ways[::-1], down[::-1])
        _sweep(ways.T, right.T)
        _sweep(ways.T[::-1], right.T[::-1])
    return ways


def _sweep(ways: NDArray[np.float32], cost: NDArray[np.float32]) -> None:
    """Go down the rows once: a pixel's way may come from the one above, in place."""
    # min over j <= i of (ways[j] + cost between j and i), by prefix sums of the costs
    total = np.concatenate([np.zeros((1, cost.shape[1]), np.float32), np.cumsum(cost, axis=0)])
    np.minimum(ways, np.minimum.accumulate(ways - total, axis=0) + total, out=ways)


def _one_pixel(scene: Scene, click: Click) -> BoolMask:
    """Return all pixels but the click's, for the distance to it."""
    others = np.ones(scene.size, np.bool_)
    others[scene.at(click)] = False
    return others


def _distance(mask: BoolMask) -> NDArray[np.float32]:
    """Return each set pixel's distance to the nearest unset one; 0 outside."""
    return np.asarray(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def _pixel(click: Click, size: tuple[int, ...]) -> tuple[int, int]:
    row = min(max(round(click.y), 0), size[0] - 1)
    return row, min(max(round(click.x), 0), size[1] - 1)
