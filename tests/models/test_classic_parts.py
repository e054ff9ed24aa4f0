"""What the parts of the models without weights compute."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.api import BoolMask, Image
from models.classic.colour import ColourModel, PlaceColours, coarse_bins, fine_bins
from models.classic.confidence import confidence
from models.classic.edges import cut, guided, window_of
from models.classic.flow import FlowField, GreyImage, OpticalFlow, carried, consistency
from models.classic.trimap import Scene


def plain(size: tuple[int, int], color: tuple[int, int, int]) -> Image:
    return np.full((*size, 3), color, np.uint8)


def noisy(seed: int, size: tuple[int, ...]) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)


def area(size: tuple[int, int], rows: slice, columns: slice) -> BoolMask:
    mask = np.zeros(size, np.bool_)
    mask[rows, columns] = True
    return mask


# --- flow ---


def searched(image: GreyImage, other: GreyImage, start: FlowField | None) -> FlowField:
    """Return the flow that OpenCV finds."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    return np.asarray(search.calc(image, other, start), np.float32)  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(40, 48), (33, 200), (200, 33)])
def test_an_image_that_is_large_enough_is_searched_as_it_is(size: tuple[int, int]) -> None:
    image, other = noisy(1, size), noisy(2, size)
    np.testing.assert_array_equal(OpticalFlow().between(image, other), searched(image, other, None))


@pytest.mark.parametrize(
    ("size", "wanted"), [((20, 48), (32, 48)), ((48, 20), (48, 32)), ((40, 800), (50, 800))]
)
def test_a_small_image_is_searched_with_its_border_drawn_on(
    size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    more = [(0, large - small) for small, large in zip(size, wanted, strict=True)]
    image, other = noisy(1, size), noisy(2, size)
    start = np.random.default_rng(3).normal(0, 2, (*size, 2)).astype(np.float32)
    large, larger = (np.pad(each, more, mode="edge") for each in (image, other))
    begin = np.pad(start, [*more, (0, 0)], mode="edge")
    expected = searched(large, larger, begin)[: size[0], : size[1]]
    np.testing.assert_array_equal(OpticalFlow().between(image, other, start), expected)


def test_values_are_carried_along_the_flow() -> None:
    values = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
    flow = np.zeros((3, 4, 2), np.float32)
    flow[..., 0], flow[..., 1] = 1, -1  # from one to the right and one above
    moved = [[0, 0, 0, 0], [2, 3, 4, 0], [6, 7, 8, 0]]
    np.testing.assert_allclose(carried(values, flow), moved)
    kept = [[2, 3, 4, 4], [2, 3, 4, 4], [6, 7, 8, 8]]
    np.testing.assert_allclose(carried(values, flow, edge=True), kept)


def test_flow_is_trusted_where_the_way_back_ends_where_it_began() -> None:
    flow = np.zeros((6, 8, 2), np.float32)
    flow[..., 0], flow[..., 1] = 2, -1
    np.testing.assert_allclose(consistency(flow, -flow), 1)
    astray = -flow
    astray[..., 1] += 3
    np.testing.assert_allclose(consistency(flow, astray), np.exp(-1), rtol=1e-5)


# --- edges ---


def test_the_guided_filter_is_a_linear_fit_to_the_colours_of_each_window() -> None:
    size, radius_px, smoothness = (9, 11), 2, 0.02
    image = noisy(4, (*size, 3))
    values = np.random.default_rng(5).random(size).astype(np.float32)
    colors = image.reshape(*size, 3) / 255
    border = [(radius_px, radius_px)] * 2
    wide, wide_values = (
        np.pad(colors, [*border, (0, 0)], mode="reflect"),
        np.pad(values, border, mode="reflect"),
    )
    slope, offset = np.zeros((*size, 3)), np.zeros(size)
    side = 2 * radius_px + 1
    for row, column in np.ndindex(size):
        window = wide[row : row + side, column : column + side].reshape(-1, 3)
        shown = wide_values[row : row + side, column : column + side].ravel()
        spread = np.cov(window.T, bias=True) + smoothness * np.eye(3)
        shared = ((window - window.mean(0)) * (shown - shown.mean())[:, None]).mean(0)
        slope[row, column] = np.linalg.solve(spread, shared)
        offset[row, column] = shown.mean() - slope[row, column] @ window.mean(0)
    slopes, offsets = cv2.blur(slope, (side, side)), cv2.blur(offset, (side, side))
    expected = np.clip((slopes * colors).sum(-1) + offsets, 0, 1)
    found = guided(image, values, radius_px=radius_px, smoothness=smoothness)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_window_is_the_box_with_a_margin_within_the_frame() -> None:
    mask = area((20, 30), slice(4, 9), slice(1, 6))
    assert window_of(mask, 3) == (slice(1, 12), slice(0, 9))
    assert window_of(mask, 0) == (slice(4, 9), slice(1, 6))
    assert window_of(mask, 9) == (slice(0, 18), slice(0, 15))
    nothing = window_of(mask & False, 3)
    assert mask[nothing].size == 0


@pytest.mark.parametrize(("count", "kept"), [(9, True), (10, False)])
def test_pixels_too_few_to_learn_from_are_kept_as_they_are_labelled(count: int, kept: bool) -> None:
    image, labels = noisy(6, (12, 20, 3)), np.full((12, 20), cv2.GC_PR_BGD, np.uint8)
    labels.ravel()[:count] = cv2.GC_PR_FGD
    assert np.array_equal(cut(image, labels), labels == cv2.GC_PR_FGD) == kept


# --- colours ---


@pytest.mark.parametrize(
    ("color", "fine", "coarse"),
    [
        ((0, 0, 0), (0, 12, 12), (0, 4, 4)),
        ((255, 255, 255), (23, 12, 12), (7, 4, 4)),
        ((128, 128, 128), (12, 12, 12), (4, 4, 4)),
        ((255, 0, 0), (12, 23, 23), (4, 7, 7)),  # beyond the bins
        ((0, 0, 255), (7, 23, 0), (2, 7, 0)),
        ((0, 255, 0), (21, 0, 23), (7, 0, 7)),
        ((15, 0, 120), (3, 20, 0), (1, 6, 0)),  # the first light of its bin
    ],
)
def test_most_bins_of_hue_are_round_grey(
    color: tuple[int, int, int], fine: tuple[int, int, int], coarse: tuple[int, int, int]
) -> None:
    image = plain((1, 1), color)
    assert fine_bins(image)[0, 0] == np.ravel_multi_index(fine, (24, 24, 24))
    assert coarse_bins(image)[0, 0] == np.ravel_multi_index(coarse, (8, 8, 8))


SIZE = (40, 240)
THING = (slice(10, 30), slice(10, 30))
HERE, THERE, ELSEWHERE = (np.ravel_multi_index((at,) * 3, (24, 24, 24)) for at in (4, 12, 20))


def told_apart(near: slice) -> ColourModel:
    """A thing whose colour stands again in these columns, on other ground."""
    bins = np.full(SIZE, THERE, np.intp)
    bins[THING] = bins[:, near] = HERE
    return ColourModel.of([(bins, area(SIZE, *THING))])


def test_a_colour_is_a_thing_s_where_it_stands_and_no_other_s() -> None:
    model = told_apart(slice(0, 0))
    here, there, elsewhere = model.probability(np.array([[HERE, THERE, ELSEWHERE]]))[0]
    assert here > 0.99
    assert there == elsewhere == 0


def test_ground_near_the_thing_is_what_it_must_be_told_from() -> None:
    """Ground as near as 40 pixels counts whole, and a fifth beyond."""
    colours = np.array([[HERE]])
    near = told_apart(slice(60, 70)).probability(colours)[0, 0]
    last = told_apart(slice(69, 70)).probability(colours)[0, 0]
    beyond = told_apart(slice(70, 71)).probability(colours)[0, 0]
    far = told_apart(slice(100, 110)).probability(colours)[0, 0]
    assert near < far < 0.999
    assert last < beyond
    inside = 1.0
    ground = 30 + 40  # columns that are near, of 40 rows; the thing takes 400 of these pixels
    whole = ground * 40 - 400 + (SIZE[1] - ground) * 40 * 0.2
    peak = 0.5**3
    for found, share in ((near, 400), (far, 80)):
        outside = share / whole
        expected = peak * inside / (peak * (inside + outside) + 1e-5)
        assert found == pytest.approx(expected, abs=1e-3)


def test_a_colour_that_is_hardly_a_thing_s_says_little() -> None:
    bins = np.full((100, 125), THERE, np.intp)
    bins[50, 50] = HERE  # a share of 1e-5, smoothed
    model = ColourModel.of([(bins, np.ones((100, 125), np.bool_))])
    assert model.probability(np.array([[HERE]]))[0, 0] == pytest.approx(0.5, abs=1e-3)


def test_each_mask_shown_says_as_much_as_the_others() -> None:
    size = (10, 10)
    small, large = area(size, slice(0, 2), slice(0, 2)), area(size, slice(0, 8), slice(0, 8))
    one, other = np.full(size, HERE, np.intp), np.full(size, THERE, np.intp)
    model = ColourModel.of([(one, small), (other, large), (one, small & False)])
    assert model.likeness(one, small) == pytest.approx(model.likeness(other, large))
    assert model.inside.sum() == pytest.approx(1)
    assert model.outside.sum() == pytest.approx(1)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(
    ("apart", "likeness"),
    [(0, 1.0), (1, 0.5**0.5), (-1, 0.5**0.5), (2, 0.25), (-2, 0.25), (3, 0.0), (-3, 0.0)],
)
def test_colours_are_alike_as_far_as_their_smoothed_bins_overlap(
    axis: int, apart: int, likeness: float
) -> None:
    at = [12, 12, 12]
    mask = np.ones((2, 2), np.bool_)
    model = ColourModel.of([(np.full((2, 2), np.ravel_multi_index(at, (24,) * 3)), mask)])
    at[axis] += apart
    other = np.full((2, 2), np.ravel_multi_index(at, (24,) * 3))
    assert model.likeness(other, mask) == pytest.approx(likeness, abs=1e-6)
    assert model.likeness(other, mask & False) == 0


def test_places_know_the_colours_of_their_own_and_the_next_cells() -> None:
    size = (24, 144)
    image = plain(size, (128, 128, 128))
    colours = PlaceColours(image, image, np.full(size, 0.5, np.float32))
    mask = area(size, slice(0, 24), slice(14, 20)).astype(np.float32)  # in the second cell
    found = colours.probability(mask)
    inside = 24 * 6 * 0.5 / 8  # pixels, their weight, and the middle bin's share
    columns = {0: 12, 1: 24, 2: 24, 3: 24, 4: 24, 5: 24, 6: 12}  # of each cell
    for cell, column in ((0, 0), (0, 11), (1, 12), (1, 35), (2, 36), (2, 59), (3, 60), (6, 143)):
        seen = sum(columns.get(near, 0) for near in (cell - 1, cell, cell + 1))
        known = inside if cell <= 2 else 0
        expected = (known + 0.25) / (24 * seen * 0.5 / 8 + 0.5)
        np.testing.assert_allclose(found[:, column], expected, rtol=1e-4)


def test_places_tell_colours_apart_in_every_channel() -> None:
    size = (24, 24)
    before, image = plain(size, (128, 128, 128)), plain(size, (128, 128, 128))
    thing = area(size, slice(0, 24), slice(0, 12))
    before[thing] = (200, 40, 40)
    image[:, 12:] = (200, 40, 40)
    weight = np.ones(size, np.float32)
    found = PlaceColours(image, before, weight).probability(thing.astype(np.float32))
    assert found[:, 12:].min() > 0.9
    assert found[:, :12].max() < 0.1


# --- confidence ---


def sure(image: Image, mask: BoolMask) -> float:
    return confidence(Scene(image, (), None, mask), mask)


GREY, RED = (110, 110, 110), (210, 50, 50)
FRAME = (80, 100)
MIDDLE = area(FRAME, slice(30, 50), slice(40, 60))


def shown(*things: BoolMask) -> Image:
    image = plain(FRAME, GREY)
    for thing in things:
        image[thing] = RED
    return image


def test_a_mask_is_sure_that_ends_where_its_colours_end() -> None:
    half = area(FRAME, slice(30, 50), slice(40, 50))
    assert sure(shown(MIDDLE), MIDDLE) > sure(shown(MIDDLE), half) + 0.05
    assert sure(shown(MIDDLE), MIDDLE) > sure(shown(), MIDDLE) + 0.3
    assert sure(shown(MIDDLE), MIDDLE) == pytest.approx(
        0.47 + 0.46 + 0.07 * np.log(400 / 8000 + 1e-4), abs=1e-3
    )


def test_only_the_colours_just_outside_count() -> None:
    far = area(FRAME, slice(0, 10), slice(0, 10))
    assert sure(shown(MIDDLE, far), MIDDLE) == sure(shown(MIDDLE), MIDDLE)
    last = area(FRAME, slice(30, 50), slice(65, 66))
    assert sure(shown(MIDDLE, last), MIDDLE) < sure(shown(MIDDLE), MIDDLE)
    beyond = area(FRAME, slice(30, 50), slice(66, 67))
    assert sure(shown(MIDDLE, beyond), MIDDLE) == sure(shown(MIDDLE), MIDDLE)


def test_a_large_mask_is_surer_than_a_small_one() -> None:
    small = area(FRAME, slice(38, 42), slice(48, 52))
    assert sure(shown(MIDDLE), MIDDLE) > sure(shown(small), small)


@pytest.mark.parametrize(
    ("side", "inward"),
    [
        ((slice(0, 1), slice(20, 80)), (slice(1, 2), slice(20, 80))),
        ((slice(79, 80), slice(20, 80)), (slice(78, 79), slice(20, 80))),
        ((slice(10, 70), slice(0, 1)), (slice(10, 70), slice(1, 2))),
        ((slice(10, 70), slice(99, 100)), (slice(10, 70), slice(98, 99))),
    ],
    ids=["top", "bottom", "left", "right"],
)
def test_a_mask_along_the_border_is_less_sure(
    side: tuple[slice, slice], inward: tuple[slice, slice]
) -> None:
    at_border, off_border = MIDDLE | area(FRAME, *side), MIDDLE | area(FRAME, *inward)
    lost = sure(shown(off_border), off_border) - sure(shown(at_border), at_border)
    assert lost == pytest.approx(0.75 * 60 / (2 * 80 + 2 * 100), abs=0.01)


def test_nothing_and_everything_are_not_believed() -> None:
    assert sure(shown(), MIDDLE & False) == 0
    assert sure(shown(), MIDDLE | True) == 0
    rim = ~area(FRAME, slice(1, 79), slice(1, 99))
    assert sure(shown(), rim) == 0.02
    assert sure(shown(area(FRAME, slice(1, 79), slice(1, 99))), ~rim) <= 0.95
