"""Shreds: what a cut leaves that is no thicker than edges are exact."""

import numpy as np

from app.core.shreds import shreds, widened
from models.api import BoolMask

SHAPE = (200, 300)  # edges are exact to two pixels


def box(rows: slice, columns: slice) -> BoolMask:
    mask = np.zeros(SHAPE, np.bool_)
    mask[rows, columns] = True
    return mask


def same(one: BoolMask, other: BoolMask) -> bool:
    return bool((one == other).all())


def test_a_thin_rim_along_the_cut_is_a_shred() -> None:
    cut = box(slice(50, 100), slice(50, 100))
    rim, body = box(slice(48, 50), slice(60, 90)), box(slice(103, 140), slice(50, 100))
    assert same(shreds(rim | body, cut), rim)


def test_a_hole_in_the_cut_is_one_too() -> None:
    cut = box(slice(50, 100), slice(50, 100))
    hole = box(slice(70, 73), slice(70, 73))
    assert same(shreds(hole, cut & ~hole), hole)


def test_what_reaches_farther_or_does_not_touch_is_none() -> None:
    cut = box(slice(50, 100), slice(50, 100))
    thick, apart = box(slice(47, 50), slice(60, 90)), box(slice(101, 102), slice(60, 90))
    assert not shreds(thick | apart, cut).any()


def test_a_rim_that_hangs_together_with_more_is_none() -> None:
    cut = box(slice(50, 100), slice(50, 100))
    rim = box(slice(49, 50), slice(40, 110))
    assert not shreds(rim, cut).any()


def test_without_a_cut_there_are_none() -> None:
    assert not shreds(box(slice(5, 6), slice(5, 6)), np.zeros(SHAPE, np.bool_)).any()


def test_a_mask_is_widened_by_as_much_as_edges_are_exact() -> None:
    wider = widened(box(slice(50, 51), slice(50, 51)))
    assert same(wider, box(slice(48, 53), slice(48, 53)))
