"""Shreds: what a cut leaves that is no thicker than edges are exact."""

import numpy as np

from app.core.shreds import dusted, shreds, widened
from models.api import BoolMask, Click

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


def test_specks_and_pinholes_are_dust_and_what_is_larger_is_not() -> None:
    thing = box(slice(20, 120), slice(50, 150))  # of 10,000 pixels: dust has fewer than 20
    hole, pinhole = box(slice(60, 64), slice(60, 66)), box(slice(90, 93), slice(60, 66))
    piece, speck = box(slice(20, 24), slice(200, 206)), box(slice(60, 63), slice(200, 206))
    assert same(dusted((thing & ~hole & ~pinhole) | piece | speck, ()), (thing & ~hole) | piece)


def test_dust_that_a_click_lies_in_stays() -> None:
    thing, speck = box(slice(20, 120), slice(50, 150)), box(slice(60, 63), slice(200, 206))
    pinhole = box(slice(90, 93), slice(60, 66))
    mask = (thing & ~pinhole) | speck
    assert same(dusted(mask, (Click(203, 61), Click(62, 91, positive=False))), mask)
    assert same(dusted(mask, (Click(203, 61, positive=False), Click(62, 91))), thing)


def test_the_corner_between_a_mask_and_the_edge_of_what_it_takes_is_no_hole() -> None:
    mask = box(slice(0, 199), slice(0, 299)) | box(slice(199, 200), slice(0, 298))
    assert same(dusted(mask, ()), mask)
    assert not dusted(np.zeros(SHAPE, np.bool_), ()).any()
