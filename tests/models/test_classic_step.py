"""One step of the classic tracker: what is kept of an object, and when it is taken up again."""

import cv2
import numpy as np
import pytest

from models.api import BoolMask, Image
from models.classic.colour import ColourModel
from models.classic.step import Following, View, advance, lose, restart

SIZE = (60, 90)
GREY, RED, BLUE = (120, 120, 120), (210, 50, 50), (50, 60, 200)


def square(side: int, top: int = 20, left: int = 30) -> BoolMask:
    mask = np.zeros(SIZE, np.bool_)
    mask[top : top + side, left : left + side] = True
    return mask


def showing(*things: tuple[BoolMask, tuple[int, int, int]]) -> Image:
    image = np.full((*SIZE, 3), GREY, np.uint8)
    for mask, color in things:
        image[mask] = color
    return image


def red_colours(blue_rows: int = 0) -> ColourModel:
    """The colours of a red square of 20 rows, of which so many are blue."""
    thing, blue = square(20), square(20) & (np.arange(SIZE[0]) < 20 + blue_rows)[:, None]
    view = View.of(0, showing((thing, RED), (blue, BLUE)))
    return ColourModel.of([(view.bins, thing)])


def away(usual: int, colours: ColourModel | None = None) -> Following:
    """Return an object that is nowhere to be seen, of a usual area."""
    view = View.of(0, showing())
    return restart(view, np.zeros(SIZE, np.bool_), colours or red_colours(), usual)


def after(each: Following, image: Image) -> Following:
    """Return the object one frame later."""
    advance({1: each}, View.of(1, showing()), View.of(2, image))
    return each


@pytest.mark.parametrize(
    ("usual", "side", "returns"),
    [
        (400, 11, False),  # of 121 pixels 117 are seen: the corners are blurred
        (400, 12, True),
        (400, 28, True),
        (400, 29, False),
        (63, 9, False),  # too small a thing to be sought
        (64, 9, True),
        (2500, 31, False),  # a larger thing is looked for more coarsely: 821 pixels are seen
        (2500, 32, True),
    ],
)
def test_an_object_returns_at_about_its_size(usual: int, side: int, returns: bool) -> None:
    thing = square(side)
    found = after(away(usual), showing((thing, RED)))
    assert (found.probability > 0.5).any() == returns
    assert found.score == pytest.approx(0.5 if returns else 0, abs=0.01)
    if returns:
        mask = found.probability > 0.5
        assert np.count_nonzero(mask & thing) > 0.85 * np.count_nonzero(mask | thing)


@pytest.mark.parametrize(("blue_rows", "returns"), [(9, True), (12, False)])
def test_an_object_returns_where_its_colours_are(blue_rows: int, returns: bool) -> None:
    found = after(away(400, red_colours(blue_rows)), showing((square(20), RED)))
    assert (found.probability > 0.5).any() == returns
    share = 1 - blue_rows / 20
    assert found.score == pytest.approx(0.5 * share**0.5 if returns else 0, abs=0.01)


def test_of_two_that_may_be_it_the_likest_returns() -> None:
    mixed, plain = square(20, left=10), square(20, left=60)
    half = mixed & (np.arange(SIZE[0]) < 30)[:, None]
    image = showing((mixed, RED), (half, BLUE), (plain, RED))
    found = after(away(400, red_colours(10)), image)
    assert found.probability[mixed].mean() > 0.9
    assert not found.probability[plain].any()
    assert found.score > 0.49


def test_an_object_that_stays_is_sure_and_its_area_believed() -> None:
    thing = square(20)
    view = View.of(0, showing((thing, RED)))
    each = restart(view, thing, red_colours(), 7)
    assert (each.score, each.area) == (1.0, 400)
    each.area = 380
    advance({1: each}, view, View.of(1, view.image))
    assert np.array_equal(each.probability > 0.5, thing)
    assert 0.9 < each.score <= 1
    assert each.area == 400


def test_an_object_of_few_pixels_is_let_go() -> None:
    for side, stays in ((3, False), (4, True)):
        thing = square(side)
        view = View.of(0, showing((thing, RED)))
        colours = ColourModel.of([(view.bins, thing)])
        each = restart(view, thing, colours, 7)
        advance({1: each}, view, View.of(1, view.image))
        assert each.probability.any() == stays
        assert (each.score <= 0.1) == (not stays)


def test_an_object_that_lost_its_colours_is_let_go_but_its_area_stays() -> None:
    thing = square(20)
    view = View.of(0, showing((thing, RED)))
    each = restart(view, thing, red_colours(), 7)
    advance({1: each}, view, View.of(1, showing((thing, BLUE))))
    assert not each.probability.any()
    assert each.score <= 0.1
    assert each.area == 400


def test_an_object_that_is_lost_is_surely_away_and_remembered() -> None:
    view = View.of(0, showing((square(20), RED)))
    each = restart(view, square(20), red_colours(), 7)
    lose(each)
    assert not each.probability.any()
    assert each.score == 1
    assert each.area == 400
    assert each.mask.any()
    assert away(250).area == 250


@pytest.mark.parametrize("apart", [0, 6, 12, 30])
def test_the_picture_of_the_anchor_counts_as_far_as_it_is_still_seen(apart: int) -> None:
    """Of all votes only this one says anything here: one grey, and a probability of a half."""
    size = (200, 300)
    thing = np.zeros(size, np.bool_)
    thing[40:160, 50:250] = True
    home, view = (View.of(k, np.full((*size, 3), 120 + k * apart, np.uint8)) for k in (0, 1))
    colours = ColourModel.of([(each.bins, thing) for each in (home, view)])
    each = restart(home, thing, colours, 7)
    each.probability = np.full(size, 0.5, np.float32)
    advance({1: each}, home, view)
    vote = 0.4 * np.exp(-((apart / 12) ** 2)) * np.log(9)
    expected = 0.5 + 2 * (1 / (1 + np.exp(-vote)) - 0.5)
    inside, outside = each.probability[100, 150], each.probability[2:5, 2:5]
    assert inside == pytest.approx(expected, abs=2e-3)
    assert outside == pytest.approx(1 - expected, abs=2e-3)
    mask, unsure = each.probability > 0.5, np.abs(each.probability - 0.5) < 0.4
    clear = max(0.0, 1 - np.count_nonzero(unsure) / np.count_nonzero(mask))
    assert (0 < clear < 1) == (apart == 0)
    assert each.score == pytest.approx(colours.likeness(view.bins, mask) * (0.5 + 0.5 * clear))


def test_the_colours_of_the_anchors_count() -> None:
    """Only they say anything here: the probability is a half, and the anchor shows nothing."""
    thing = square(40, 10, 20)
    view = View.of(0, showing((thing, RED)))
    each = restart(view, thing & False, ColourModel.of([(view.bins, thing)]), 1600)
    each.probability = np.full(SIZE, 0.5, np.float32)
    each.home = View.of(5, np.full((*SIZE, 3), (0, 255, 0), np.uint8))  # another picture
    advance({1: each}, view, View.of(1, view.image))
    vote = 0.6 * np.log(9)
    expected = np.clip(0.5 + 2 * (1 / (1 + np.exp(-vote)) - 0.5), 0, 1)
    assert each.probability[30, 40] == pytest.approx(expected, abs=0.02)
    assert each.probability[2, 2] == pytest.approx(1 - expected, abs=0.02)


def noise(size: tuple[int, int], seed: int = 0) -> Image:
    """A cloudy picture, in which every place looks different."""
    rough = np.random.default_rng(seed).standard_normal((*size, 3)).astype(np.float32)
    smooth = cv2.GaussianBlur(rough, (0, 0), 2.5)
    return np.asarray(np.clip(128 + smooth * (50 / smooth.std()), 0, 255), np.uint8)


@pytest.mark.parametrize("way", [(12, 0), (-9, 7)])
def test_the_way_from_the_anchor_is_known_however_far_it_has_become(way: tuple[int, int]) -> None:
    """A view that pans: each step is short, and all together half the picture's width."""
    world = noise((260, 420))
    x, y = (40, 40) if way[0] > 0 else (160, 40)
    drawn = np.zeros((140, 200), np.bool_)
    drawn[50:90, 80:120] = True

    def view(frame: int) -> View:
        left, top = x + frame * way[0], y + frame * way[1]
        return View.of(frame, np.ascontiguousarray(world[top : top + 140, left : left + 200]))

    before = view(0)
    each = restart(before, drawn, ColourModel.of([(before.bins, drawn)]), 7)
    for frame in range(1, 6):
        now = view(frame)
        advance({1: each}, before, now)
        before = now
        gone = np.roll(drawn, (-frame * way[1], -frame * way[0]), (0, 1))
        assert np.median(each.flow[gone], axis=0) == pytest.approx(np.array(way) * frame, abs=1)
        mask = each.probability > 0.5
        assert np.count_nonzero(mask & gone) > 0.8 * np.count_nonzero(mask | gone)


def test_what_comes_into_view_is_no_black_ground_beside_a_black_thing() -> None:
    """Only the colours of the place say anything here: the probability is a half everywhere."""
    world = noise((80, 260), 3) // 4 + 110
    thing = np.zeros((80, 260), np.bool_)
    thing[25:50, 36:48] = True
    world[thing] = 0
    before, now = (
        View.of(k, np.ascontiguousarray(world[:, left : left + 160]))
        for k, left in ((0, 34), (1, 24))
    )
    everywhere = np.ones((80, 160), np.bool_)
    nothing_told = ColourModel.of([(before.bins, everywhere), (before.bins, ~everywhere)])
    each = restart(before, thing[:, 34:194], nothing_told, 7)
    each.home = View.of(5, np.full((80, 160, 3), 255, np.uint8))  # another picture
    each.probability = np.full((80, 160), 0.5, np.float32)
    advance({1: each}, before, now)
    assert each.probability[thing[:, 24:184]].mean() == pytest.approx(0.5, abs=0.05)
