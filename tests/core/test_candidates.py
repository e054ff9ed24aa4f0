"""Candidates: a click changes what is near it, and takes from others only where it points."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.core.candidates import Scene, candidates, prompt_among
from models.api import BoolMask, Box, Click, Prediction
from tests.fakes import SIZE, square

SHAPE = (9, 11)
masks = arrays(np.bool_, SHAPE)
points = st.tuples(st.integers(0, SHAPE[1] - 1), st.integers(0, SHAPE[0] - 1))


def seen(*found: BoolMask) -> list[Prediction]:
    return [Prediction(mask, 0.9 - 0.1 * rank) for rank, mask in enumerate(found)]


def masks_of(scene: Scene, *found: BoolMask) -> list[BoolMask]:
    return [each.mask for each in candidates(scene, seen(*found))]


def same(one: BoolMask, other: BoolMask) -> bool:
    return bool((one == other).all())


def test_a_positive_click_adds_what_is_connected_to_it_and_leaves_the_rest() -> None:
    before, handle, far = square(10), square(20, 22, side=4), square(45)
    lost = before.copy()
    lost[20:22, 10:12] = False
    scene = Scene((Click(21, 23),), before=before)
    first = masks_of(scene, lost | handle | far)[0]
    assert same(first, before | handle)


def test_a_negative_click_takes_away_what_is_connected_to_it_and_leaves_the_rest() -> None:
    thing, leak, loose = square(10), square(20, 22, side=4), square(45)
    scene = Scene((Click(21, 23, positive=False),), before=thing | leak | loose)
    assert same(masks_of(scene, thing)[0], thing | loose)


@pytest.mark.parametrize(("goes", "whole"), [(5, False), (6, True)])
def test_a_piece_apart_that_goes_for_the_most_part_goes_whole(goes: int, *, whole: bool) -> None:
    """What the model leaves of it would only have to be clicked away, too."""
    thing, apart = square(5), square(40, 20, side=10)
    leaves = apart & (np.indices(SIZE)[1] >= 40 + goes)
    scene = Scene((Click(41, 25, positive=False),), before=thing | apart)
    first, *others = masks_of(scene, thing | leaves)
    assert same(first, thing if whole else thing | leaves)
    assert any(same(mask, thing | leaves if whole else thing) for mask in others)


def test_a_negative_click_in_a_hole_takes_away_what_lies_round_it_and_leaves_the_rest() -> None:
    thing, ring = square(5), square(40, 20, side=10)
    ring[24:26, 44:46] = False
    lost = thing & (np.indices(SIZE)[1] >= 7)
    scene = Scene((Click(44, 24, positive=False),), before=thing | ring)
    first, *others = masks_of(scene, lost)
    assert same(first, thing)
    assert any(same(mask, lost) for mask in others)


def test_a_negative_click_with_nothing_round_it_asks_the_model() -> None:
    thing = square(5)
    lost = thing & (np.indices(SIZE)[1] >= 7)
    scene = Scene((Click(50, 40, positive=False),), before=thing)
    assert same(masks_of(scene, lost)[0], lost)


def test_a_part_of_a_mask_in_one_piece_goes_alone() -> None:
    thing, speck = square(10, side=10), square(45, 45, side=1)
    scene = Scene((Click(11, 25, positive=False),), before=thing | speck)
    rest = thing & (np.indices(SIZE)[1] >= 19)
    assert same(masks_of(scene, rest)[0], rest | speck)


def test_the_models_own_masks_come_after_the_small_changes() -> None:
    before, handle = square(10), square(20, 22, side=4)
    whole = square(8, 18, side=24)
    found = masks_of(Scene((Click(21, 23),), before=before), handle, whole)
    assert same(found[0], before | handle)
    assert any(same(mask, handle) for mask in found[1:])
    assert any(same(mask, whole) for mask in found[1:])


def test_a_mask_that_clicks_have_just_made_may_be_done_again() -> None:
    before, whole = square(10), square(8, 18, side=24)
    scene = Scene((Click(12, 22), Click(30, 30)), before=before, drafted=True)
    assert same(masks_of(scene, whole)[0], whole)
    hole = np.zeros(SIZE, np.bool_)
    hole[25, 25] = True
    again = Scene((Click(12, 22), Click(25, 25, positive=False)), before=whole, drafted=True)
    assert same(masks_of(again, whole, whole & ~hole)[0], whole & ~hole)


def test_a_change_that_takes_little_of_a_neighbour_goes_before_one_that_takes_all() -> None:
    before, cup = square(0, side=20), square(20, side=20)
    handle = square(20, 20, side=6)
    scene = Scene((Click(22, 22),), before=before, others=(cup,))
    first, *others = masks_of(scene, before | cup, before | handle)
    assert same(first, before | handle)
    assert any(same(mask, before | cup) for mask in others)


def test_a_click_on_all_of_another_object_says_that_the_two_were_taken_for_each_other() -> None:
    before, other = square(0, side=20), square(40, side=20)
    scene = Scene((Click(45, 25),), before=before, others=(other,))
    first, *others = masks_of(scene, before | other)
    assert same(first, other)
    assert any(same(mask, before | other) for mask in others)


def test_a_thing_apart_is_meant_as_a_whole_where_another_object_has_it() -> None:
    before, other = square(0, side=20), square(40, side=20)
    half = square(40, side=20) & (np.indices(SIZE)[0] < 25)
    scene = Scene((Click(45, 22),), before=before, others=(other,))
    assert same(masks_of(scene, before | half)[0], other)
    pair = other | square(40, 45, side=14)
    two = Scene((Click(45, 22),), before=before, others=(pair,))
    assert same(masks_of(two, before | half)[0], other)


@pytest.mark.parametrize("gap", [0, 1])
@pytest.mark.parametrize("turns", range(4))
def test_the_part_of_a_neighbour_that_touches_is_taken_whatever_side_it_is_on(
    turns: int, gap: int
) -> None:
    """One pixel between two things, and they are apart."""

    def turned(mask: BoolMask) -> BoolMask:
        return np.ascontiguousarray(np.rot90(mask, turns))

    before, other, half = (
        turned(square(x, side=side, y=20, size=(60, 60)) & (np.indices((60, 60))[0] < lowest))
        for x, side, lowest in ((20, 10, 60), (30 + gap, 10, 60), (30 + gap, 10, 25))
    )
    y, x = np.argwhere(half).mean(axis=0).round().tolist()
    first = masks_of(Scene((Click(x, y),), before=before, others=(other,)), before | half)[0]
    assert same(first, other if gap else before | half)


def test_what_is_found_in_another_object_beside_but_apart_is_all_of_it() -> None:
    before, other = square(0, side=20), square(20, side=20)
    inner = square(28, 24, side=8)  # within the other one, which touches
    first, *others = masks_of(
        Scene((Click(32, 28),), before=before, others=(other,)), before | inner
    )
    assert same(first, other)
    assert any(same(mask, before | inner) for mask in others)


def test_a_loose_piece_of_a_neighbour_can_be_taken_even_if_the_model_does_not_see_it() -> None:
    cup, handle = square(30, side=16), square(20, 22, side=4)
    scene = Scene((Click(21, 23),), before=square(10), others=(cup | handle,))
    assert same(masks_of(scene, square(10))[0], square(10) | handle)


def test_patches_of_a_neighbour_round_the_clicked_one_go_with_it_where_the_model_means_them() -> (
    None
):
    """Two things alike are mixed up in patches, of which a person clicks the largest."""
    thing, body = square(10, 10, side=30), square(48, 2, side=12)
    clicked, crumb = square(20, 20, side=8), square(29, 16, side=4)
    kept, far = square(14, 34, side=4), square(60, 44, side=4)
    others = (body | clicked | crumb | kept | far,)
    scene = Scene((Click(23, 23),), before=thing & ~clicked & ~crumb & ~kept, others=others)
    first = masks_of(scene, thing & ~kept | far)[0]
    assert same(first, thing & ~kept)


def test_what_a_negative_click_takes_away_takes_the_smaller_patches_beside_it_along() -> None:
    thing, leak, crumb = square(4, 10, side=20), square(36, 20, side=8), square(34, 15, side=4)
    scene = Scene((Click(40, 24, positive=False),), before=thing | leak | crumb)
    assert same(masks_of(scene, thing)[0], thing)
    assert same(masks_of(scene, thing | crumb)[0], thing | crumb)


def test_what_is_left_of_a_mask_is_no_patch_of_what_a_click_takes_away() -> None:
    thing, wrong, far = square(30, 20, side=8), square(12, 16, side=16), square(55, side=4)
    scene = Scene((Click(20, 24, positive=False),), before=thing | wrong | far)
    assert same(masks_of(scene, far)[0], thing | far)


def test_what_no_click_points_at_is_not_taken() -> None:
    cup = square(20, side=20)
    scene = Scene((Click(15, 25),), others=(cup,))
    for mask in masks_of(scene, square(10, side=20), cup | square(10)):
        assert not (mask & cup).any()
    boxed = Scene((), box=Box(10, 20, 30, 40), others=(cup,))
    assert same(masks_of(boxed, square(10, side=20))[0], square(10, side=20) & ~cup)


def test_a_box_within_another_object_asks_for_a_part_of_it() -> None:
    person, hand = square(2, 2, side=44), square(30, 30, side=8)
    boxed = Scene((), box=Box(29, 29, 39, 39), others=(person,))
    assert same(masks_of(boxed, hand)[0], hand)


def test_kept_masks_are_not_taken_even_where_a_click_lies_in_them() -> None:
    cup = square(20, side=20)
    scene = Scene((Click(25, 25),), kept=(cup,))
    for mask in masks_of(scene, square(10, side=20)):
        assert not (mask & cup).any()


def test_beside_a_labelled_hand_a_click_means_a_hand_and_not_the_person() -> None:
    person = square(2, 2, side=44)
    labelled, other_hand = square(6, 30, side=8), square(30, 30, side=8)
    scene = Scene((Click(33, 33),), others=(labelled,))
    first, *others = masks_of(scene, person, square(20, 20, side=26), other_hand)
    assert same(first, other_hand)
    assert any(same(mask, person & ~labelled) for mask in others)
    # With more than a click it is said what is meant: the model knows best.
    for clicks, box in (
        ((Click(33, 33), Click(20, 10)), None),
        ((Click(33, 33),), Box(1, 1, 47, 47)),
        ((), Box(1, 1, 47, 47)),
    ):
        told = Scene(clicks, box=box, others=(labelled,))
        assert same(masks_of(told, person, other_hand)[0], person & ~labelled)


def test_a_part_is_held_by_what_has_more_than_four_fifths_of_it() -> None:
    person, other_hand = square(2, 2, side=44), square(10, 30, side=8)
    for columns_in, held in ((8, False), (9, True)):
        labelled = square(46 - columns_in, 4, side=10)
        first = masks_of(Scene((Click(13, 33),), others=(labelled,)), person, other_hand)[0]
        assert same(first, other_hand if held else person & ~labelled)


def test_of_several_labelled_parts_the_largest_tells_the_scale() -> None:
    person, hand, finger = square(0, 0, side=44), square(30, 30), square(30, 20, side=3)
    labelled = (square(5, 30), square(5, 20, side=3))
    clicked = Click(31, 31)
    finger_at_click = square(30, 30, side=3)
    for others in (labelled, labelled[::-1]):
        scene = Scene((clicked,), others=others, kept=(finger,))
        assert same(masks_of(scene, person, finger_at_click, hand)[0], hand)


def test_a_new_mask_has_neither_specks_nor_pinholes() -> None:
    thing, speck, pinhole = square(10, 10, side=30), square(50, 5, side=1), square(20, side=1)
    mask = (thing & ~pinhole) | speck
    assert same(masks_of(Scene((Click(30, 30),)), mask)[0], thing)
    assert same(masks_of(Scene((), box=Box(8, 8, 42, 42)), mask)[0], thing)


def test_a_new_object_is_not_the_other_one_once_more() -> None:
    person, hand = square(2, 2, side=44), square(30, 30, side=8)
    scene = Scene((Click(33, 33),), others=(person,))
    assert same(masks_of(scene, person, hand)[0], hand)


def test_a_click_that_no_candidate_satisfies_is_dabbed() -> None:
    before = square(10)
    first = masks_of(Scene((Click(50, 10),), before=before), before)[0]
    assert first[10, 50]
    assert same(first & before, before)
    assert np.count_nonzero(first & ~before) < 30


def test_where_nothing_is_found_nothing_is_made_up() -> None:
    nothing = np.zeros(SIZE, np.bool_)
    assert [mask.any() for mask in masks_of(Scene((Click(50, 10),)), nothing)] == [False]


def test_a_mask_is_offered_once() -> None:
    nearly = square(10, side=20)
    nearly[20, 10] = False
    assert len(masks_of(Scene((Click(15, 25),)), square(10, side=20), nearly)) == 1


def test_a_mending_click_tells_the_segmenter_what_the_neighbours_are() -> None:
    click = Click(21, 23)
    others = (square(40), square(20, 20, side=4))
    prompt = prompt_among(Scene((click,), before=square(10), others=others))
    *reminders, last = prompt.clicks
    assert last == click
    assert reminders
    for each in reminders:
        assert not each.positive
        assert others[0][round(each.y), round(each.x)]


def test_a_neighbour_that_a_click_points_into_is_named_where_it_is_thick_and_far_away() -> None:
    cup, handle = square(40, 10, side=20), square(21, 18, side=4)
    bridge = square(25, 19, side=2) | square(27, 19, side=2)
    click = Click(22, 20)
    scene = Scene((click,), before=square(10, 14), others=(cup | handle | bridge,))
    (reminder, last) = prompt_among(scene).clicks
    assert last == click
    assert cup[round(reminder.y), round(reminder.x)]
    # Nothing is left of what the click asks for.
    assert prompt_among(Scene((click,), before=square(10), others=(handle,))).clicks == (click,)


@pytest.mark.parametrize(("right", "down"), [(0, 30), (40, 0), (25, 70)])
def test_where_in_the_frame_a_scene_lies_changes_no_reminder(right: int, down: int) -> None:
    """One click lies in the thicker part of a neighbour: what is named is the other part."""
    size = (140, 160)
    part, rest, third = square(31, 20, 13, size), square(70, 22, 9, size), square(5, 45, 12, size)
    masks = [part | rest, third]

    def asked(x: int, y: int) -> set[tuple[float, float]]:
        before, *others = (
            np.roll(each, (y, x), (0, 1)) for each in (square(20, 20, 9, size), *masks)
        )
        scene = Scene((Click(33 + x, 26 + y),), before=before, others=tuple(others))
        return {(each.x - x, each.y - y) for each in prompt_among(scene).clicks}

    there = asked(0, 0)
    assert len(there) == 3  # the click, and one on each of the two
    assert any(rest[int(y), int(x)] for x, y in there)
    assert asked(right, down) == there


def test_a_new_object_is_asked_for_as_it_is_clicked() -> None:
    clicks, others = (Click(21, 23),), (square(40),)
    assert prompt_among(Scene(clicks, others=others)).clicks == clicks
    box = Box(1, 1, 30, 30)
    asked = prompt_among(Scene(clicks, box=box, before=square(10), others=others))
    assert (asked.clicks, asked.box) == (clicks, box)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(points, st.booleans()), min_size=1, max_size=3, unique_by=lambda each: each[0]
    ),
    st.lists(masks, min_size=1, max_size=3),
    masks,
    masks,
)
def test_the_first_candidate_satisfies_all_clicks_where_a_mask_is_mended(
    asked: list[tuple[tuple[int, int], bool]],
    found: list[BoolMask],
    before: BoolMask,
    other: BoolMask,
) -> None:
    clicks = tuple(Click(x, y, positive) for (x, y), positive in asked)
    before[0, 0] = True
    scene = Scene(clicks, before=before, others=(other & ~before,))
    first = candidates(scene, seen(*found))[0].mask
    assert all(first[round(y), round(x)] == positive for x, y, positive in clicks)


@settings(max_examples=100, deadline=None)
@given(points, st.lists(masks, min_size=1, max_size=3), masks)
def test_the_first_candidate_holds_the_first_click_where_anything_is_found(
    at: tuple[int, int], found: list[BoolMask], other: BoolMask
) -> None:
    other[at[1], at[0]] = False
    first = candidates(Scene((Click(*at),), others=(other,)), seen(*found))[0].mask
    if any((mask & ~other).any() for mask in found):
        assert first[at[1], at[0]]
        assert not (first & other).any()


@settings(max_examples=100, deadline=None)
@given(points, st.booleans(), st.lists(masks, min_size=1, max_size=3), masks)
def test_the_first_candidate_changes_one_connected_part_at_the_click(
    at: tuple[int, int], positive: bool, found: list[BoolMask], before: BoolMask
) -> None:
    before[-1, -1] = True
    found = [mask | (np.indices(SHAPE).sum(axis=0) == sum(SHAPE) - 2) for mask in found]
    before[at[1], at[0]] = not positive
    assume(before[-1, -1] and at != (SHAPE[1] - 1, SHAPE[0] - 1))
    click = Click(*at, positive)
    first = candidates(Scene((click,), before=before), seen(*found))[0].mask
    changed = first ^ before
    assert changed[at[1], at[0]]
    assert ((first & ~before) if positive else (before & ~first)).sum() == changed.sum()


def test_of_two_that_touch_the_place_of_the_other_is_offered_behind_the_part() -> None:
    before, other = square(10), square(20)
    part = other.copy()
    part[:, 27:] = False
    scene = Scene((Click(22, 25),), before=before, others=[other])
    found = masks_of(scene, before | part)
    assert same(found[0], before | part)
    assert any(same(mask, other) for mask in found[1:])


def _tall(rows: slice, columns: slice) -> BoolMask:
    mask = np.zeros((200, 300), np.bool_)
    mask[rows, columns] = True
    return mask


def test_a_new_mask_has_no_shreds_along_the_neighbour_that_it_is_cut_by() -> None:
    neighbour = _tall(slice(50, 100), slice(50, 100))
    thing = _tall(slice(40, 110), slice(100, 160))
    rim = _tall(slice(48, 50), slice(50, 90))
    scene = Scene((Click(120, 80),), others=[neighbour])
    assert same(masks_of(scene, thing | rim | neighbour)[0], thing)
    scene = Scene((Click(60, 48),), others=[neighbour])  # but where one is clicked it is meant
    assert masks_of(scene, rim | neighbour)[0][48, 60]


def test_of_a_mask_that_lies_in_neighbours_only_the_clicked_piece_is_left() -> None:
    neighbour = _tall(slice(50, 150), slice(50, 150))
    top, far = _tall(slice(30, 50), slice(60, 80)), _tall(slice(30, 60), slice(200, 210))
    scene = Scene((Click(70, 40),), others=[neighbour])
    assert same(masks_of(scene, top | far | neighbour)[0], top)
    small = neighbour & _tall(slice(50, 60), slice(50, 100))
    whole = masks_of(Scene((Click(70, 40),), others=[small]), top | far | small)[0]
    assert same(whole, top | far)


def test_what_a_click_takes_leaves_no_shreds_of_the_neighbour() -> None:
    before, handle = _tall(slice(50, 100), slice(50, 100)), _tall(slice(60, 90), slice(100, 120))
    rim, cup = _tall(slice(58, 60), slice(102, 120)), _tall(slice(20, 50), slice(150, 200))
    scene = Scene((Click(110, 75),), before=before, others=[handle | rim | cup])
    assert same(masks_of(scene, before | handle)[0], before | handle | rim)


def test_a_loose_piece_that_is_taken_for_the_most_part_is_taken_whole() -> None:
    piece, body = _tall(slice(50, 100), slice(50, 100)), _tall(slice(50, 110), slice(150, 210))
    seen_of_it = piece & _tall(slice(50, 76), slice(50, 100))
    scene = Scene((Click(70, 70),), others=[piece | body])
    assert same(masks_of(scene, seen_of_it)[0], piece)
    half = piece & _tall(slice(50, 75), slice(50, 100))
    assert same(masks_of(scene, half)[0], half)


def test_no_shred_is_taken_that_a_click_says_is_not_the_object() -> None:
    before, handle = _tall(slice(50, 100), slice(50, 100)), _tall(slice(60, 90), slice(100, 120))
    rim = _tall(slice(58, 60), slice(102, 120))
    body = _tall(slice(20, 50), slice(150, 200))
    clicks = (Click(110, 59, positive=False), Click(110, 75))
    scene = Scene(clicks, before=before, others=[handle | rim | body])
    assert same(masks_of(scene, before | handle)[0], before | handle)


def test_a_speck_beside_another_object_does_not_make_the_two_touch() -> None:
    before, place = _tall(slice(50, 100), slice(20, 70)), _tall(slice(50, 100), slice(150, 200))
    speck, lump = _tall(slice(70, 71), slice(149, 150)), _tall(slice(60, 90), slice(140, 150))
    part = place & _tall(slice(70, 100), slice(150, 200))
    for loose, first in ((speck, place), (lump, before | lump | part)):
        scene = Scene((Click(170, 80),), before=before | loose, others=[place])
        assert same(masks_of(scene, part)[0], first)
