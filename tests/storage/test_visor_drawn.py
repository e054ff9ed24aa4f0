"""What is seen of masks that are drawn over each other, and which of them border each other."""

import zlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.mask import Mask
from app.storage.formats.visor.read_back import is_same
from app.storage.formats.visor.validation.masks import border, visible
from models.api import BoolMask

SIZE = (20, 30)
BOXES = st.tuples(st.integers(0, 19), st.integers(1, 9), st.integers(0, 29), st.integers(1, 9))


def mask_of(box: tuple[int, int, int, int], size: tuple[int, int] = SIZE) -> Mask:
    top, height, left, width = box
    pixels = np.zeros(size, np.bool_)
    pixels[top : top + height, left : left + width] = True
    pixels[top, left] = True
    found = Mask.encode(pixels)
    assert found is not None
    return found


@given(st.lists(st.none() | BOXES, max_size=5))
def test_of_a_mask_is_seen_what_no_later_one_covers(
    boxes: list[tuple[int, int, int, int] | None],
) -> None:
    drawn = [None if box is None else mask_of(box) for box in boxes]
    labels = np.full(SIZE, -1)
    for place, mask in enumerate(drawn):
        if mask is not None:
            labels[mask.decode()] = place
    wanted = {place: int((labels == place).sum()) for place, mask in enumerate(drawn) if mask}
    assert visible(drawn) == wanted


def _grown(pixels: BoolMask, times: int) -> BoolMask:
    """Return pixels and those that so many steps up, down or aside lead to; room is added."""
    grown = np.pad(pixels, 12)
    for _ in range(times):
        grown = (
            grown | np.roll(grown, 1, 0) | np.roll(grown, -1, 0)
            | np.roll(grown, 1, 1) | np.roll(grown, -1, 1)
        )  # fmt: skip
    return grown


@pytest.mark.parametrize(("scale", "reach"), [(1, 1), (54, 5)])
@given(one=BOXES, other=BOXES)
def test_masks_border_each_other_where_they_meet_once_both_are_grown(
    scale: int,
    reach: int,
    one: tuple[int, int, int, int],
    other: tuple[int, int, int, int],
) -> None:
    size = (SIZE[0] * scale, SIZE[1])
    first, second = (mask_of(box, size) for box in (one, other))
    near = [each.decode()[:40] for each in (first, second)]
    wanted = int((_grown(near[0], reach) & _grown(near[1], reach)).sum())
    assert border(first, second) == border(second, first) == wanted


@given(st.none() | BOXES, st.none() | BOXES)
def test_masks_are_the_same_by_their_pixels_however_they_are_packed(
    one: tuple[int, int, int, int] | None, other: tuple[int, int, int, int] | None
) -> None:
    first, second = (None if box is None else mask_of(box) for box in (one, other))
    same = [mask.decode().tolist() if mask else None for mask in (first, second)]
    assert is_same(first, second) is (same[0] == same[1])
    if first is not None:
        again = replace(first, bits=zlib.compress(zlib.decompress(first.bits), 0))
        assert first.bits != again.bits
        assert is_same(first, again)
        assert not is_same(first, None)
