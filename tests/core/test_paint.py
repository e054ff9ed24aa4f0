"""Pixel edits: what a stroke, a polygon or a repair changes, and what it leaves alone."""

import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import paint
from app.core.paint import NOTHING, Point, Stroke
from models.api import BoolMask

coordinate = st.floats(-20, 60, allow_nan=False)
points = st.lists(st.builds(Point, coordinate, coordinate), min_size=1, max_size=5)


def blank(height: int = 32, width: int = 40) -> BoolMask:
    return np.zeros((height, width), np.bool_)


def disc(diameter: float) -> BoolMask:
    stroke = Stroke(blank(), diameter=diameter)
    stroke.line_to(Point(20, 16))
    return stroke.pixels


@pytest.mark.parametrize("diameter", [1, 2, 3, 5, 8, 15])
def test_a_dot_is_as_wide_and_as_high_as_the_brush(diameter: float) -> None:
    pixels = disc(diameter)
    odd = diameter // 2 * 2 + 1
    assert pixels.any(axis=0).sum() == odd
    assert pixels.any(axis=1).sum() == odd
    assert pixels[16, 20]


def test_a_dot_has_the_area_of_the_disc() -> None:
    assert disc(25).sum() == pytest.approx(np.pi * 12.5**2, rel=0.03)


@settings(max_examples=60, deadline=None)
@given(points=points, diameter=st.floats(0.5, 30))
def test_a_stroke_changes_nothing_outside_the_areas_that_it_reports(
    points: list[Point], diameter: float
) -> None:
    stroke = Stroke(blank(), diameter=diameter)
    reported = blank()
    for point in points:
        y0, y1, x0, x1 = stroke.line_to(point)
        reported[y0:y1, x0:x1] = True
    assert not (stroke.pixels & ~reported).any()
    assert paint.union(stroke.area, NOTHING) == stroke.area


@settings(max_examples=60, deadline=None)
@given(points=points, diameter=st.floats(0.5, 30))
def test_erasing_along_the_same_points_takes_a_stroke_away(
    points: list[Point], diameter: float
) -> None:
    drawn = Stroke(blank(), diameter=diameter)
    for point in points:
        drawn.line_to(point)
    erased = Stroke(drawn.pixels, diameter=diameter, erases=True)
    for point in points:
        erased.line_to(point)
    assert not erased.pixels.any()


def test_a_thin_slanting_line_has_no_gaps() -> None:
    stroke = Stroke(blank(), diameter=1)
    stroke.line_to(Point(2, 3))
    stroke.line_to(Point(37, 21))
    assert stroke.pixels[:, 2:38].any(axis=0).all()
    assert paint.keep_largest(stroke.pixels).sum() == stroke.pixels.sum()


def test_a_line_of_next_to_no_length_is_a_dot() -> None:
    stroke = Stroke(blank(), diameter=5)
    stroke.line_to(Point(20, 16))
    stroke.line_to(Point(np.nextafter(20, 21), 16))
    stroke.line_to(Point(20, 16 + 1e-50))
    np.testing.assert_array_equal(stroke.pixels, disc(5))
    stroke = Stroke(blank(), diameter=5)
    stroke.line_to(Point(0, 16))
    stroke.line_to(Point(1e-60, 16))
    assert stroke.pixels[:, 0].sum() == 5


def test_a_brush_paints_on_the_first_and_last_rows_and_columns() -> None:
    stroke = Stroke(blank(), diameter=1)
    for corner in ((0, 0), (39, 0), (39, 31), (0, 31), (0, 0)):
        stroke.line_to(Point(*corner))
    wanted = ~blank()
    wanted[1:-1, 1:-1] = False
    np.testing.assert_array_equal(stroke.pixels, wanted)
    assert stroke.area == (0, 32, 0, 40)


def far_from(line: tuple[Point, Point], at: Point) -> float:
    """Return how far a point lies from a line between two."""
    start, end = (np.array(point) for point in line)
    along, there = end - start, np.array(at) - start
    share = np.clip(there @ along / (along @ along), 0, 1) if along.any() else 0.0
    return float(np.hypot(*(there - share * along)))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.builds(Point, *[st.integers(-6, 44)] * 2), min_size=2, max_size=2),
       st.integers(2, 20))  # fmt: skip
def test_a_stroke_holds_what_lies_within_half_the_brush_of_its_line(
    points: list[Point], diameter: int
) -> None:
    stroke = Stroke(blank(), diameter=diameter)
    for point in points:
        stroke.line_to(point)
    for y, x in np.ndindex(stroke.pixels.shape):
        away = far_from((points[0], points[1]), Point(x, y)) - diameter / 2
        if abs(away) > 1e-3:
            assert stroke.pixels[y, x] == (away < 0)


@pytest.mark.parametrize(
    ("diameter", "area"),
    [(1, (7, 14, 9, 20)), (2, (7, 14, 9, 20)), (3, (6, 15, 8, 21)), (8, (4, 17, 6, 23))],
)
def test_no_more_is_reported_than_a_line_can_touch(
    diameter: int, area: tuple[int, int, int, int]
) -> None:
    for start, end in ((Point(10, 8), Point(18, 12)), (Point(18, 8), Point(10, 12))):
        for one, other in ((start, end), (end, start)):
            assert paint.line_area((32, 40), one, other, diameter) == area
            assert paint.line_area((10, 12), one, other, diameter) == (area[0], 10, area[2], 12)


def test_a_line_beside_the_frame_touches_what_it_reaches_of_it() -> None:
    assert paint.line_area((32, 40), Point(-3, -2), Point(-3, 50), 8) == (0, 32, 0, 2)
    assert paint.line_area((32, 40), Point(-3, 31 + 4), Point(60, 31 + 4), 8) == (31, 32, 0, 40)
    for outside in (Point(-5, 9), Point(44, 9), Point(9, -5), Point(9, 36)):
        assert paint.line_area((32, 40), outside, outside, 8) == NOTHING


@pytest.mark.parametrize("area", [(3, 3, 0, 5), (0, 5, 3, 3), (4, 3, 0, 5), (0, 5, 4, 3), NOTHING])
def test_an_area_without_rows_or_columns_is_empty(area: tuple[int, int, int, int]) -> None:
    assert paint.is_empty(area)
    assert paint.union(area, (1, 2, 3, 4)) == paint.union((1, 2, 3, 4), area) == (1, 2, 3, 4)
    assert not paint.is_empty((3, 4, 7, 8))
    assert paint.intersection((0, 3, 0, 9), (3, 9, 0, 9)) == NOTHING
    assert paint.intersection((0, 3, 0, 9), (2, 9, 8, 12)) == (2, 3, 8, 9)


def test_a_stroke_knows_all_that_it_may_have_changed() -> None:
    stroke = Stroke(blank(), diameter=3)
    assert stroke.area == NOTHING
    for point in (Point(10, 10), Point(-50, 10), Point(20, 12)):
        stroke.line_to(point)
    assert stroke.area == (8, 15, 0, 23)


def test_a_stroke_leaves_the_mask_that_it_began_on_alone() -> None:
    before = blank()
    Stroke(before, diameter=9).line_to(Point(10, 10))
    assert not before.any()


def test_a_stroke_outside_the_frame_reports_no_area() -> None:
    stroke = Stroke(blank(), diameter=5)
    assert paint.is_empty(stroke.line_to(Point(-100, -100)))
    assert not stroke.pixels.any()


def test_a_polygon_covers_its_corners_and_nothing_beyond_them() -> None:
    pixels = paint.polygon((32, 40), [Point(5, 4), Point(15, 4), Point(15, 10), Point(5, 10)])
    expected = blank()
    expected[4:11, 5:16] = True
    np.testing.assert_array_equal(pixels, expected)
    assert pixels.tobytes() == expected.tobytes()  # OpenCV takes any other byte for another value


def test_a_polygon_of_no_points_is_empty() -> None:
    assert not paint.polygon((8, 8), []).any()


def ring() -> BoolMask:
    pixels = blank()
    pixels[5:15, 5:15] = True
    pixels[8:12, 8:12] = False
    pixels[20:25, 20:25] = True
    pixels[22, 22] = False
    return pixels


def test_only_the_hole_under_the_point_is_filled() -> None:
    filled = paint.fill_hole(ring(), Point(9, 9))
    assert filled[8:12, 8:12].all()
    assert not filled[22, 22]


@pytest.mark.parametrize(
    "at",
    [
        Point(30, 30),
        Point(6, 6),
        Point(-5, 900),
        Point(9 - 40, 9),  # a column from the right, as indices go
        Point(9, 9 - 32),
        Point(40, 9),
        Point(9, 32),
    ],
)
def test_filling_where_there_is_no_hole_changes_nothing(at: Point) -> None:
    np.testing.assert_array_equal(paint.fill_hole(ring(), at), ring())


def test_all_holes_are_filled_and_bays_that_reach_the_edge_are_not() -> None:
    pixels = ring()
    pixels[26:, 0:10] = True
    pixels[28:, 3:6] = False  # open to the bottom edge
    filled = paint.fill_holes(pixels)
    assert filled[8:12, 8:12].all()
    assert filled[22, 22]
    assert not filled[28:, 3:6].any()


def holes_in(pixels: BoolMask) -> BoolMask:
    """Return the background that no path along rows and columns leads out of the frame from."""
    outside = np.pad(~pixels, 1, constant_values=True)
    reached = np.zeros_like(outside)
    waiting = [(0, 0)]
    while waiting:
        y, x = waiting.pop()
        inside = 0 <= y < outside.shape[0] and 0 <= x < outside.shape[1]
        if inside and outside[y, x] and not reached[y, x]:
            reached[y, x] = True
            waiting += [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
    return ~pixels & ~reached[1:-1, 1:-1]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_hole_is_what_cannot_be_left(seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.random(rng.integers(1, 9, 2)) < 0.65
    holes = holes_in(pixels)
    np.testing.assert_array_equal(paint.fill_holes(pixels), pixels | holes)
    y, x = (int(rng.integers(side)) for side in pixels.shape)
    filled = paint.fill_hole(pixels, Point(x + 0.4, y - 0.4))
    assert filled[y, x] == (pixels[y, x] or holes[y, x])
    assert not (filled & ~pixels & ~holes).any()


def test_the_largest_island_is_kept() -> None:
    kept = paint.keep_largest(ring())
    assert kept[5, 5]
    assert not kept[20:25, 20:25].any()


def test_of_equal_islands_the_topmost_is_kept() -> None:
    pixels = blank()
    pixels[20:24, 3:8] = pixels[5:9, 20:25] = True
    pixels[2, 30] = pixels[30, 30] = True
    assert np.argwhere(paint.keep_largest(pixels)).min(axis=0).tolist() == [5, 20]
    pixels[9, 25] = True  # by a corner only: it belongs to it
    assert paint.keep_largest(pixels).sum() == 21


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(-4, 4))
def test_growing_takes_what_is_within_the_radius_and_shrinking_is_growing_of_the_rest(
    seed: int, radius: int
) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.random((9, 13)) < rng.choice([0.05, 0.5, 0.95])
    grows = pixels if radius >= 0 else ~pixels
    wanted = np.zeros_like(pixels)
    for y, x in np.argwhere(grows):
        rows, columns = np.ogrid[:9, :13]
        wanted |= (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
    np.testing.assert_array_equal(paint.grow(pixels, radius), wanted if radius >= 0 else ~wanted)


@pytest.mark.parametrize(
    "change",
    [
        lambda pixels: paint.grow(pixels, 0),
        paint.keep_largest,
        paint.fill_holes,
        lambda pixels: paint.fill_hole(pixels, Point(3, 3)),
    ],
)
def test_what_is_changed_is_never_the_mask_that_was_given(
    change: Callable[[BoolMask], BoolMask],
) -> None:
    for pixels in (blank(), ring()):
        changed = change(pixels)
        changed[0, 0] = True
        assert not pixels[0, 0]


def test_an_empty_mask_has_no_island_and_no_hole() -> None:
    assert not paint.keep_largest(blank()).any()
    assert not paint.fill_holes(blank()).any()


def test_growing_by_a_radius_reaches_just_that_far() -> None:
    pixels = blank()
    pixels[16, 20] = True
    grown = paint.grow(pixels, 3)
    assert grown[16, 23]
    assert not grown[16, 24]
    assert not grown[19, 23]


@settings(max_examples=30, deadline=None)
@given(radius=st.integers(0, 5), seed=st.integers(0, 100))
def test_shrinking_stays_inside_and_growing_covers(radius: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).random((32, 40)) > 0.4
    assert not (paint.grow(pixels, -radius) & ~pixels).any()
    assert not (pixels & ~paint.grow(pixels, radius)).any()


def test_a_full_frame_does_not_shrink_from_the_edge() -> None:
    assert paint.grow(~blank(), -2).all()


def test_subtracting_leaves_what_the_other_does_not_hold() -> None:
    left, right = blank(), blank()
    left[:, :20] = True
    right[:, 10:] = True
    rest = paint.subtract(left, right)
    assert rest[:, :10].all()
    assert not rest[:, 10:].any()


def test_areas_meet_and_unite() -> None:
    assert paint.union((0, 2, 0, 2), (5, 6, 5, 7)) == (0, 6, 0, 7)
    assert paint.intersection((0, 4, 0, 4), (2, 9, 3, 9)) == (2, 4, 3, 4)
    assert paint.intersection((0, 2, 0, 2), (5, 6, 5, 7)) == NOTHING


@pytest.mark.parametrize("at", [(5, 5), (5.4, 5.4), (5.5, 5.5), (4.6, 5.2), (0, 0), (19.4, 9.4)])
def test_a_brush_of_one_pixel_paints_one(at: tuple[float, float]) -> None:
    stroke = paint.Stroke(np.zeros((10, 20), np.bool_), diameter=1)
    stroke.line_to(Point(*at))
    assert stroke.pixels.sum() == 1
    assert stroke.pixels[math.floor(at[1] + 0.5), math.floor(at[0] + 0.5)]


@pytest.mark.parametrize(
    ("end", "count"), [((15, 5), 11), ((5, 2), 4), ((12, 8), 8), ((6.2, 5.4), 2), ((40, 5), 15)]
)
def test_a_line_of_one_pixel_is_a_chain(end: tuple[float, float], count: int) -> None:
    stroke = paint.Stroke(np.zeros((10, 20), np.bool_), diameter=1)
    stroke.line_to(Point(5, 5))
    stroke.line_to(Point(*end))
    assert stroke.pixels.sum() == count
    assert cv2.connectedComponents(stroke.pixels.view(np.uint8), connectivity=8)[0] == 2


@given(st.tuples(*[st.integers(0, 19)] * 2), st.tuples(*[st.integers(0, 19)] * 2))
def test_a_line_of_one_pixel_is_as_long_as_its_longer_side(
    start: tuple[int, int], end: tuple[int, int]
) -> None:
    stroke = paint.Stroke(np.zeros((20, 20), np.bool_), diameter=1)
    for point in (start, end):
        stroke.line_to(Point(*point))
        assert stroke.pixels[point[1], point[0]]
    longer = max(abs(start[0] - end[0]), abs(start[1] - end[1]))
    assert stroke.pixels.sum() == longer + 1


def test_an_eraser_of_one_pixel_erases_one() -> None:
    stroke = paint.Stroke(np.ones((10, 20), np.bool_), diameter=1, erases=True)
    stroke.line_to(Point(7.5, 3.5))
    assert (~stroke.pixels).sum() == 1
