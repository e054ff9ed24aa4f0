"""Candidates: how they are ranked, and from where on a piece, a part or a neighbour counts."""

import numpy as np
import pytest

from app.core.candidates import Scene, candidates, prompt_among
from models.api import BoolMask, Box, Click, Prediction
from tests.fakes import SIZE, square

LARGE = (400, 500)


def found(scene: Scene, *predictions: tuple[BoolMask, float]) -> list[BoolMask]:
    given = [Prediction(mask, score) for mask, score in predictions]
    return [each.mask for each in candidates(scene, given)]


def is_first(mask: BoolMask, scene: Scene, *predictions: tuple[BoolMask, float]) -> bool:
    return bool((found(scene, *predictions)[0] == mask).all())


BEFORE = square(10)
WIDE, SMALL = square(20), square(20, 24, side=3)  # 100 and 9 pixels beside it
CLICK = Click(21, 25)


@pytest.mark.parametrize(
    ("score", "first"),
    [
        (0.761, SMALL),  # .05 for the rank and .009 for the change, of which the other has .1
        (0.757, WIDE),
    ],
)
def test_a_change_is_ranked_by_its_score_its_rank_and_its_size(
    score: float, first: BoolMask
) -> None:
    scene = Scene((CLICK,), before=BEFORE)
    assert is_first(BEFORE | first, scene, (BEFORE | WIDE, 0.8), (BEFORE | SMALL, score))


@pytest.mark.parametrize(("score", "goes"), [(0.97, 100), (0.95, 40)])
def test_what_is_taken_away_is_ranked_in_the_same_way(score: float, goes: int) -> None:
    """40 or 100 of 200 pixels go: .02 or .05 for the change, .05 for the rank."""
    whole = BEFORE | WIDE
    less, most = whole.copy(), whole.copy()
    less[:, 26:], most[:, 20:] = False, False
    scene = Scene((Click(28, 25, positive=False),), before=whole)
    mask = found(scene, (less, 0.88), (most, score))[0]
    assert (whole & ~mask).sum() == goes


@pytest.mark.parametrize(("score", "adds"), [(0.54, 2), (0.52, 40)])
def test_what_is_taken_of_another_counts_by_its_share(score: float, adds: int) -> None:
    """40 of 100 pixels of the one beside it, or 2: .4 or .02, and .04 or .002 for the change."""
    more, less = np.zeros((2, *SIZE), np.bool_)
    more[20:30, 20:24] = less[25, 20:22] = True
    scene = Scene((Click(20, 25),), before=BEFORE, others=(square(20),))
    mask = found(scene, (BEFORE | more, 0.9), (BEFORE | less, score))[0]
    assert (mask & ~BEFORE).sum() == adds


@pytest.mark.parametrize(
    ("piece", "rest", "offered"),
    [
        (square(20, 22, side=4), square(40, side=4), True),  # half of it
        (square(20, 22, side=4), square(40, side=3), False),
        (square(20, 22, side=1), square(40, side=1), True),
    ],
)
def test_a_loose_piece_is_offered_where_it_is_no_more_than_half_of_the_neighbour(
    piece: BoolMask, rest: BoolMask, offered: bool
) -> None:
    scene = Scene((Click(20, 22),), before=square(8, side=11), others=(piece | rest,))
    wanted = square(8, side=11) | piece
    masks = found(scene, (square(8, side=11), 0.9))
    assert any((mask == wanted).all() for mask in masks) is offered


def test_a_dab_reaches_a_hundredth_of_the_short_side_and_no_click_that_says_the_opposite() -> None:
    before = square(10, 10, 50, LARGE)
    rows, columns = np.ogrid[:400, :500]
    far = np.hypot(rows - 200, columns - 300)
    for clicks, radius in (
        ((Click(300, 200),), 4),
        ((Click(300, 200), Click(302, 200, positive=False)), 2),
        ((Click(300, 200), Click(302, 200)), 4),
    ):
        mask = found(Scene(clicks, before=before), (before, 0.9))[0]
        dab = mask & ~before
        assert (dab & (columns < 301)).sum() == ((far < radius) & (columns < 301)).sum()
    small = found(Scene((Click(50, 10),), before=BEFORE), (BEFORE, 0.9))[0]
    assert (small & ~BEFORE).sum() == 1
    away = found(Scene((Click(12, 22, positive=False),), before=BEFORE), (BEFORE, 0.9))[0]
    assert (BEFORE & ~away).sum() == 1


def test_a_dab_on_nothing_that_was_found_has_no_score() -> None:
    scene = Scene((Click(50, 10),), before=BEFORE)
    (only,) = candidates(scene, [])
    assert only.score == 0
    assert candidates(scene, [Prediction(BEFORE, 0.7)])[0].score == 0.7


@pytest.mark.parametrize(("side", "named"), [(4, False), (5, True)])
def test_a_neighbour_is_named_where_it_is_more_than_two_pixels_thick(
    side: int, named: bool
) -> None:
    scene = Scene((Click(21, 23),), before=BEFORE, others=(square(40, side=side),))
    clicks = prompt_among(scene).clicks
    assert clicks == ((Click(42, 22, positive=False), Click(21, 23)) if named else (Click(21, 23),))


def test_a_neighbour_that_goes_beyond_the_frame_is_thickest_within_it() -> None:
    edge = np.zeros(SIZE, np.bool_)
    edge[:9, 50:] = True
    scene = Scene((Click(21, 23),), before=BEFORE, kept=(edge,))
    (reminder, _) = prompt_among(scene).clicks
    assert 3 <= reminder.y <= 5
    assert 53 <= reminder.x <= 60


def test_the_three_nearest_neighbours_are_named_the_nearest_first() -> None:
    others = [square(x, y, side=7) for x, y in ((0, 0), (50, 20), (30, 38), (35, 10))]
    scene = Scene((Click(21, 23),), before=BEFORE, others=others[:2], kept=others[2:])
    *reminders, _ = prompt_among(scene).clicks
    assert [(each.x, each.y) for each in reminders] == [(38, 13), (33, 41), (3, 3)]
    negative = Scene((Click(21, 23, positive=False),), before=BEFORE, others=others)
    assert prompt_among(negative).clicks == negative.clicks


@pytest.mark.parametrize(("side", "part"), [(20, False), (21, True)])
def test_a_part_is_less_than_a_quarter_of_the_mask_that_holds_it(side: int, part: bool) -> None:
    """10 x 10 pixels of 20 x 20 are a quarter."""
    labelled = square(4, 4)
    whole, hand = square(4, 4, side=side), square(14, 14)
    scene = Scene((Click(15, 15),), others=(labelled,))
    assert is_first(hand if part else whole & ~labelled, scene, (whole, 0.9), (hand, 0.8))


@pytest.mark.parametrize(("columns", "last"), [(5, False), (6, True)])
def test_a_new_mask_that_takes_more_than_half_of_another_comes_last(
    columns: int, last: bool
) -> None:
    other = square(30)
    takes = square(30 + columns - 20, side=20)
    takes[:20], takes[30:] = False, False
    plain = square(30 + columns - 4, 22, side=4)
    click = Click(30 + columns - 1, 24)
    scene = Scene((click,), others=(other,))
    assert is_first(plain if last else takes, scene, (takes, 0.9), (plain, 0.8))


@pytest.mark.parametrize(("pixels", "count"), [(95, 2), (96, 1)])
def test_masks_that_share_more_than_nineteen_twentieths_are_one(pixels: int, count: int) -> None:
    whole, less = np.zeros((2, *SIZE), np.bool_)
    whole.ravel()[:100] = less.ravel()[:pixels] = True
    assert len(found(Scene((Click(3, 0),)), (whole, 0.9), (less, 0.8))) == count


def test_no_more_than_six_are_offered() -> None:
    masks = [(square(10, 10, side=side), 0.9) for side in range(2, 30, 3)]
    assert len(found(Scene((Click(10, 10),)), *masks)) == 6


@pytest.mark.parametrize(("gap", "touches"), [(3, True), (4, False)])
@pytest.mark.parametrize("turned", [False, True])
def test_two_touch_up_to_a_hundredth_of_the_short_side(
    gap: int, touches: bool, turned: bool
) -> None:
    """Half of the other one is taken where it touches, and all of it where it lies apart."""
    before, other = square(100, 100, 60, LARGE), square(160 + gap, 100, 60, LARGE)
    half = other.copy()
    half[130:] = False
    if turned:
        before, other, half = (np.ascontiguousarray(each.T) for each in (before, other, half))
    y, x = (int(at) for at in np.argwhere(half).mean(axis=0))
    scene = Scene((Click(x, y),), before=before, others=(other,))
    wanted = before | half if touches else other
    assert is_first(wanted, scene, (before | half, 0.9))


@pytest.mark.parametrize(("rows", "is_thing"), [(4, False), (5, True)])
def test_a_piece_is_a_thing_like_the_mask_from_four_tenths_of_it_on(
    rows: int, is_thing: bool
) -> None:
    other = square(40)
    other[20 + rows :] = False
    scene = Scene((Click(42, 21),), before=BEFORE, others=(other,))
    assert is_first(other if is_thing else BEFORE | other, scene, (BEFORE | other, 0.9))


def test_what_misses_a_click_is_offered_behind_what_does_not() -> None:
    both, one, other = square(10, side=20), square(10, side=10), square(22, side=6)
    scene = Scene((Click(12, 22), Click(25, 25)))
    masks = found(scene, (one, 0.9), (other, 0.8), (both, 0.7))
    assert [mask.sum() for mask in masks] == [both.sum(), one.sum(), other.sum()]
    kept = found(Scene((Click(12, 22), Click(25, 25, positive=False))), (both, 0.9), (one, 0.8))
    assert [mask.sum() for mask in kept] == [one.sum(), both.sum()]


def test_what_a_scene_mends_is_a_mask_that_is_there() -> None:
    nothing = np.zeros(SIZE, np.bool_)
    assert Scene((CLICK,), before=nothing).mends is None
    assert Scene((), before=BEFORE).mends is None
    assert Scene((CLICK,), before=BEFORE, drafted=True).mends is None
    assert Scene((CLICK,), before=BEFORE, box=Box(1, 1, 5, 5)).mends is None
    assert Scene((CLICK,)).mends is None
    assert Scene((CLICK,), before=BEFORE).mends is BEFORE
