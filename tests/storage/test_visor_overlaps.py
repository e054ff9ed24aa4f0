"""Masks of one frame beside each other: what overlaps, what borders what."""

import numpy as np
import pytest

from app.core.mask import Mask
from app.storage.formats.visor.records import Annotation
from app.storage.formats.visor.validation.defect import Kind
from app.storage.formats.visor.validation.masks import border, polygon_problems

SPARSE = Kind(dense=False, submission=False, canvas=(1080, 1920))


def rectangle(x: int, y: int, width: int, height: int) -> list[list[float]]:
    """Return a polygon, of fractions as people draw them, that fills so many pixels."""
    right, bottom = x + width - 0.5, y + height - 0.5
    return [[x + 0.5, y + 0.5], [right, y + 0.5], [right, bottom], [x + 0.5, bottom]]


def cancelled(*polygons: list[list[float]]) -> list[str]:
    found = polygon_problems(Annotation({"segments": [*polygons]}), SPARSE)
    return [text for rule, text, _ in found if rule == "cancelled"]


@pytest.mark.parametrize(
    ("width", "height", "is_defect"),
    [(5, 5, True), (4, 40, False), (40, 4, False), (5, 4, False), (4, 5, False), (5, 30, True)],
)
def test_polygons_that_share_more_than_their_outlines_cancel_out(
    width: int, height: int, is_defect: bool
) -> None:
    one, other = rectangle(100, 100, 41, 41), rectangle(141 - width, 141 - height, 60, 60)
    assert bool(cancelled(one, other)) is bool(cancelled(other, one)) is is_defect


def test_polygons_apart_and_side_by_side_do_not_cancel_out() -> None:
    one = rectangle(100, 100, 40, 40)
    for x, y in ((140, 100), (100, 140), (300, 100), (100, 300), (300, 300)):
        assert cancelled(one, rectangle(x, y, 40, 40)) == []
    assert len(cancelled(one, rectangle(120, 120, 40, 40))) == 1


def block(y: int, x: int, size: tuple[int, int]) -> Mask:
    pixels = np.zeros(size, np.bool_)
    pixels[y : y + 8, x : x + 8] = True
    mask = Mask.encode(pixels)
    assert mask is not None
    return mask


@pytest.mark.parametrize(("height", "reach"), [(1080, 5), (540, 2), (216, 1), (60, 1)])
@pytest.mark.parametrize("is_below", [False, True])
def test_masks_border_each_other_where_both_meet_once_they_are_grown(
    height: int, reach: int, is_below: bool
) -> None:
    size, one = (height, 64), block(10, 10, (height, 64))
    for gap, borders in ((0, True), (2 * reach - 1, True), (2 * reach, False), (30, False)):
        at = (18 + gap, 10) if is_below else (10, 18 + gap)
        if at[0] + 8 > height or at[1] + 8 > size[1]:
            continue
        other = block(*at, size)
        assert bool(border(one, other)) is bool(border(other, one)) is borders, gap
