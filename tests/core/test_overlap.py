"""The quick overlap: exact on small masks, near on large ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import arrays

from app.core.mask import Mask
from app.core.overlap import inside, quick_iou
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
    assert quick_iou(first, second) == pytest.approx((one & other).sum() / (one | other).sum())
    assert inside(first, second) == pytest.approx((one & other).sum() / one.sum())
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
