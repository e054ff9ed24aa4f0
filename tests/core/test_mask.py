"""Masks: what goes in comes out, and overlap is what the pixels say."""

import numpy as np
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays

from app.core.mask import Mask
from models.api import BoolMask
from tests.fakes import square

pixel_maps = arrays(np.bool_, array_shapes(min_dims=2, max_dims=2, max_side=40))


@settings(max_examples=60, deadline=None)
@given(pixel_maps)
def test_pixels_come_back_exactly(pixels: BoolMask) -> None:
    mask = Mask.encode(pixels)
    if mask is None:
        assert not pixels.any()
    else:
        np.testing.assert_array_equal(mask.decode(), pixels)
        assert mask.area == np.count_nonzero(pixels)


@settings(max_examples=60, deadline=None)
@given(arrays(np.bool_, (12, 17)), arrays(np.bool_, (12, 17)))
def test_iou_is_that_of_the_pixels(first: BoolMask, second: BoolMask) -> None:
    one, other = Mask.encode(first), Mask.encode(second)
    if one is not None and other is not None:
        wanted = np.count_nonzero(first & second) / np.count_nonzero(first | second)
        assert one.iou(other) == wanted


def test_a_mask_with_no_pixel_is_nothing() -> None:
    assert Mask.encode(np.zeros((4, 5), np.bool_)) is None


def test_equal_pixels_make_equal_masks() -> None:
    assert Mask.encode(square(3)) == Mask.encode(square(3))
    assert Mask.encode(square(3)) != Mask.encode(square(4))


def test_a_full_hd_mask_takes_a_few_kilobytes() -> None:
    y, x = np.ogrid[:1080, :1920]
    mask = Mask.encode((x - 900) ** 2 / 4 + (y - 500) ** 2 < 300**2)
    assert mask is not None
    assert len(mask.bits) < 8192
