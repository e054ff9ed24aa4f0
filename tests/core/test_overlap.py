"""The quick overlap: exact on small masks, near on large ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.core.mask import Mask
from app.core.overlap import inside, quick_iou, shape_iou, thinning
from models.api import BoolMask

pixel_maps = arrays(np.bool_, (7, 9)).filter(np.any)


def encoded(pixels: BoolMask) -> Mask:
    mask = Mask.encode(pixels)
    assert mask is not None
    return mask


@settings(max_examples=100, deadline=None)
@given(pixel_maps, pixel_maps)
def test_of_small_masks_it_is_what_they_share(one: BoolMask, other: BoolMask) -> None:
    first, second = encoded(one), encoded(other)
    assert quick_iou(first, second) == (one & other).sum() / (one | other).sum()
    assert inside(first, second) == (one & other).sum() / one.sum()
    assert quick_iou(first, first) == 1


def test_a_single_pixel_is_all_of_itself() -> None:
    pixels = np.zeros((5, 5), np.bool_)
    pixels[2, 3] = True
    assert quick_iou(encoded(pixels), encoded(pixels)) == 1
    assert inside(encoded(pixels), encoded(~np.zeros_like(pixels))) == 1


@pytest.mark.parametrize("away", [0, 40, 150, 399, 400])
@pytest.mark.parametrize("axis", [0, 1])
def test_of_large_masks_it_is_nearly_so(away: int, axis: int) -> None:
    pixels = np.zeros((900, 900), np.bool_)
    pixels[20:420, 30:430] = True
    other = np.roll(pixels, away, axis)
    wanted = (pixels & other).sum() / (pixels | other).sum()
    assert quick_iou(encoded(pixels), encoded(other)) == pytest.approx(wanted, abs=0.02)
    assert inside(None, encoded(other)) == inside(encoded(other), None) == 0


@pytest.mark.parametrize(("side", "step"), [(1, 1), (191, 1), (192, 2), (287, 2), (288, 3)])
def test_the_longer_side_says_how_much_a_mask_is_thinned_out(side: int, step: int) -> None:
    for rows, columns in ((side, 1), (1, side), (side, side)):
        pixels = np.zeros((300, 310), np.bool_)
        pixels[5 : 5 + rows, 7 : 7 + columns] = True
        assert thinning(encoded(pixels)) == step


@pytest.mark.parametrize("sides", [(193, 193), (193, 1), (1, 193), (289, 290)])
def test_no_share_is_more_than_all(sides: tuple[int, int]) -> None:
    """Of an odd number of rows every second one is more than half of them."""
    mask = encoded(np.ones(sides, np.bool_))
    assert quick_iou(mask, mask) == inside(mask, mask) == 1


def test_of_a_large_and_a_small_mask_both_are_thinned_out() -> None:
    large, small = np.zeros((2, 400, 400), np.bool_)
    large[:, :], small[40:60, 40:60] = True, True
    small[1::2] = False
    small[:, 1::2] = False  # all of it lies on the pixels that are looked at: it counts fourfold
    for one, other in ((large, small), (small, large)):
        assert quick_iou(encoded(one), encoded(other)) == 400 / (400 * 400 + 100 - 400)
    assert inside(encoded(small), encoded(large)) == 1
    assert inside(encoded(large), encoded(small)) == 400 / 160_000


@settings(max_examples=100, deadline=None)
@given(pixel_maps, st.integers(0, 9), st.integers(0, 9))
def test_what_only_moves_has_the_same_shape(pixels: BoolMask, down: int, right: int) -> None:
    moved = np.pad(pixels, ((down, 9 - down), (right, 9 - right)))
    at_rest = np.pad(pixels, ((0, 9), (0, 9)))
    assert shape_iou(encoded(moved), encoded(at_rest)) == 1


def test_shapes_are_compared_centre_on_centre() -> None:
    pixels = np.zeros((2, 900, 900), np.bool_)
    pixels[0, 20:420, 30:430] = True
    pixels[1, 500:700, 100:900] = True  # half as high and twice as wide
    one, other = encoded(pixels[0]), encoded(pixels[1])
    assert shape_iou(one, other) == pytest.approx(80 / 240, abs=0.02)
    assert shape_iou(other, one) == shape_iou(one, other)
