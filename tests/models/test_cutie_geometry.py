"""The geometry between a frame and what Cutie sees of it, to the pixel."""

import math

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st

from models.cutie.inference.geometry import Geometry
from models.cutie.inference.view import View

sides = st.integers(1, 90)


def of(height: int, width: int, *, short: int = 0, multiple: int = 16, **more: bool) -> Geometry:
    return Geometry.of((height, width), short_side=short, scale=1, multiple=multiple, **more)


@pytest.mark.parametrize("multiple", [16, 32])
@given(height=sides, width=sides)
def test_what_is_seen_is_padded_on_both_sides_to_the_next_multiple(
    height: int, width: int, multiple: int
) -> None:
    geometry = of(height, width, multiple=multiple)
    assert geometry.inner == (height, width)
    assert geometry.padded == tuple(multiple * math.ceil(s / multiple) for s in (height, width))
    left, right, top, bottom = geometry.margins
    assert (top + height + bottom, left + width + right) == geometry.padded
    assert 0 <= right - left <= 1
    assert 0 <= bottom - top <= 1
    image = torch.rand(1, 3, height, width)
    seen = geometry.image_in(image)
    assert seen.shape[-2:] == geometry.padded
    assert torch.equal(geometry.inside(seen), image)


@pytest.mark.parametrize(
    ("size", "thin"),
    [((8, 64), True), ((9, 64), False), ((64, 8), True), ((64, 9), False), ((8, 8), True)],
)
def test_beside_what_is_thin_the_borders_go_on_and_elsewhere_are_zeros(
    size: tuple[int, int], thin: bool
) -> None:
    """Thin in one direction is enough: 8 of 16 pixels are padding there."""
    geometry = of(*size)
    image = geometry.image_in(torch.full((1, 3, *size), 2.0))
    masks = geometry.masks_in(torch.ones(2, *size))
    wanted = math.prod(geometry.padded) if thin else math.prod(size)
    assert int((image[0, 0] == 2).sum()) == wanted
    assert int(masks[1].sum()) == wanted


@pytest.mark.parametrize(
    ("size", "short", "enlarge", "inner"),
    [
        ((60, 80), 30, False, (30, 40)),
        ((80, 60), 30, False, (40, 30)),
        ((60, 80), 60, False, (60, 80)),
        ((60, 80), 90, False, (60, 80)),
        ((60, 80), 90, True, (90, 120)),
        ((60, 80), 0, True, (60, 80)),
        ((60, 85), 30, False, (30, 42)),  # rounded down
        ((300, 2), 1, False, (150, 1)),
        ((4000, 1), 1, True, (4000, 1)),
    ],
)
def test_the_short_side_says_how_much_is_seen(
    size: tuple[int, int], short: int, enlarge: bool, inner: tuple[int, int]
) -> None:
    geometry = of(*size, short=short, enlarge=enlarge)
    assert geometry.inner == inner
    assert geometry.scale == pytest.approx((inner[0] / size[0], inner[1] / size[1]))


def test_no_side_becomes_nothing_and_the_scale_comes_after_the_short_side() -> None:
    assert Geometry.of((300, 2), short_side=0, scale=0.1, multiple=16).inner == (30, 1)
    doubled = Geometry.of((60, 80), short_side=30, scale=2, multiple=16)
    assert doubled.inner == (60, 80)
    assert Geometry.of((60, 80), short_side=30, scale=1.5, multiple=16).inner == (45, 60)


@given(
    st.tuples(st.integers(40, 90), st.integers(40, 90)),
    st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(16, 31), st.integers(16, 31)),
    st.integers(20, 60),
)
def test_the_centre_of_a_cell_lies_in_the_cell_and_a_view_only_moves_it(
    size: tuple[int, int], place: tuple[int, int, int, int], short: int
) -> None:
    geometry = of(*size, short=short)
    for each in (geometry, geometry.looking_at(View(*place))):
        down, across = each.scale
        left, _, top, _ = each.margins
        for column, row in ((0, 0), (2, 1), (1, 3)):
            x, y = each.centre(column, row)
            assert (x + 0.5 - each.view.left) * across + left == pytest.approx(16 * column + 8)
            assert (y + 0.5 - each.view.top) * down + top == pytest.approx(16 * row + 8)
            assert each.cell(x, y) == (column, row)
            edge = (x - 7.99 / across, y - 7.99 / down), (x + 7.99 / across, y + 7.99 / down)
            assert [each.cell(*at) for at in edge] == [(column, row)] * 2


def test_a_view_is_cut_out_of_the_frame_and_put_back_there() -> None:
    geometry = of(40, 60).looking_at(View(5, 9, 40 - 8, 60 - 12))
    image = torch.arange(40 * 60.0).view(1, 1, 40, 60).expand(1, 3, -1, -1)
    cut = image[..., 5:37, 9:57]
    wanted = torch.nn.functional.interpolate(cut, size=(40, 60), mode="bilinear")
    assert torch.allclose(geometry.inside(geometry.image_in(image)), wanted)
    probability = torch.rand(3, 40, 60)
    out = geometry.out(probability)
    small = torch.nn.functional.interpolate(probability[None], size=(32, 48), mode="bilinear")[0]
    assert torch.allclose(out[:, 5:37, 9:57], small)
    beyond = torch.ones(40, 60, dtype=torch.bool)
    beyond[5:37, 9:57] = False
    assert out[0][beyond].eq(1).all()
    assert out[1:, beyond].eq(0).all()
    whole = of(40, 60)
    assert whole.out(probability) is probability


def test_no_mask_that_is_set_gets_lost_and_the_others_are_as_they_are_seen() -> None:
    geometry = of(64, 64, short=8)
    masks = torch.zeros(3, 64, 64)
    masks[0, 8:40, 16:48] = 1
    masks[1, 17, 33] = 1  # between the pixels that are looked at
    seen = geometry.inside(geometry.masks_in(masks))
    assert seen[0].sum() == 4 * 4
    assert seen[1].nonzero().tolist() == [[2, 4]]
    assert seen[2].sum() == 0


@given(st.integers(0, 20), st.integers(0, 20))
def test_what_was_seen_before_is_found_where_the_view_has_moved_to(down: int, right: int) -> None:
    """At the full size each pixel is found again exactly."""
    assume((down, right) != (0, 0))
    size = (64, 96)
    frame = Geometry.of(size, short_side=0, scale=1, multiple=32)
    one = Geometry((64, 96), (32, 48), (32, 64), View(0, 0, 32, 48))
    other = one.looking_at(View(down, right, 32, 48))
    image = torch.rand(1, 1, *size)
    assert frame.margins == (0, 0, 0, 0)
    moved = other.inside(other.resampled(one.image_in(image), one))
    wanted = other.inside(other.image_in(image))
    shared = (..., slice(0, 32 - down), slice(0, 48 - right))
    assert torch.allclose(moved[shared], wanted[shared], atol=1e-3)
