"""Exclusion: what one object takes the others give, and nobody else gives anything."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.core.document import Changes, Document, Entry, Key, Origin
from app.core.exclusion import admit, exclude, keepers, points_into, settle
from app.core.mask import Mask
from models.api import BoolMask, Box, Click
from tests.fakes import square

SHAPE = (9, 11)
KEY = Key(4, 1)
pixel_maps = arrays(np.bool_, SHAPE)
# Which of four objects, or none, each pixel belongs to: masks that exclude each other.
label_maps = arrays(np.uint8, SHAPE, elements=st.integers(0, 4))


def entry(pixels: BoolMask, origin: Origin = Origin.PROPAGATED, *clicks: Click) -> Entry:
    return Entry(Mask.encode(pixels), origin, clicks=clicks)


def labelled(labels: np.ndarray) -> dict[int, Entry]:
    return {number: entry(labels == number) for number in range(1, 5) if (labels == number).any()}


def pixels_of(entries: dict[int, Entry], number: int) -> BoolMask:
    found = entries.get(number)
    return found.mask.decode() if found and found.mask else np.zeros(SHAPE, np.bool_)


def after(entries: dict[int, Entry], changes: Changes) -> dict[int, Entry]:
    document = Document((), {Key(KEY.frame, number): each for number, each in entries.items()})
    document.replace(changes)
    return dict(document.on_frame(KEY.frame))


@settings(max_examples=100, deadline=None)
@given(label_maps, pixel_maps, st.sets(st.integers(2, 4)))
def test_no_two_masks_overlap_and_keeping_ones_stay_as_they_are(
    labels: np.ndarray, new: BoolMask, keeping: set[int]
) -> None:
    entries = labelled(labels)
    left = after(entries, exclude(entries, KEY, entry(new), keeping=keeping))
    owners = sum(pixels_of(left, number).astype(int) for number in range(1, 5))
    assert np.max(owners) <= 1
    for number in keeping:
        assert left.get(number) == entries.get(number)


@settings(max_examples=100, deadline=None)
@given(label_maps, pixel_maps, st.sets(st.integers(2, 4)))
def test_the_new_mask_is_as_given_but_for_what_is_kept(
    labels: np.ndarray, new: BoolMask, keeping: set[int]
) -> None:
    entries = labelled(labels)
    changes = exclude(entries, KEY, entry(new, Origin.CLICKED), keeping=keeping)
    wanted = new & ~np.isin(labels, list(keeping))
    assume(wanted.any())
    assert changes[KEY] == entry(wanted, Origin.CLICKED)
    for number in {2, 3, 4} - keeping:
        left = after(entries, changes)
        np.testing.assert_array_equal(pixels_of(left, number), (labels == number) & ~wanted)


@settings(max_examples=100, deadline=None)
@given(label_maps, pixel_maps, st.sets(st.integers(2, 4)), st.booleans())
def test_undo_restores_every_mask(
    labels: np.ndarray, new: BoolMask, keeping: set[int], overlap: bool
) -> None:
    entries = labelled(labels)
    document = Document((), {Key(KEY.frame, number): each for number, each in entries.items()})
    changes = exclude(entries, KEY, entry(new), keeping=keeping, overlap=overlap)
    document.replace(document.replace(changes))
    assert dict(document.on_frame(KEY.frame)) == entries


@settings(max_examples=100, deadline=None)
@given(arrays(np.bool_, (3, *SHAPE)), pixel_maps)
def test_what_overlapped_before_still_does(masks: np.ndarray, new: BoolMask) -> None:
    entries = {number: entry(mask) for number, mask in enumerate(masks, 1) if mask.any()}
    left = after(entries, exclude(entries, KEY, entry(new | masks[0])))
    for number in (2, 3):
        wanted = masks[number - 1] & ~(new & ~masks[0])
        np.testing.assert_array_equal(pixels_of(left, number), wanted)


def test_where_overlap_is_allowed_nobody_gives() -> None:
    entries = {2: entry(square(10)), 3: entry(square(20))}
    new = entry(square(5, side=20))
    assert exclude(entries, KEY, new, overlap=True) == {KEY: new}


def test_an_anchor_that_gives_remains_an_anchor_without_the_clicks_that_lay_there() -> None:
    inside, outside = Click(11, 22), Click(17, 22)
    away = Click(12, 23, positive=False)
    entries = {2: entry(square(10), Origin.CLICKED, inside, outside, away)}
    changes = exclude(entries, KEY, entry(square(5)))
    wanted = entry(square(10) & ~square(5), Origin.CLICKED, outside, away)
    assert changes[Key(KEY.frame, 2)] == wanted
    assert wanted.is_anchor


def test_an_object_that_loses_its_last_pixel_has_no_entry_any_more() -> None:
    entries = {2: entry(square(12, 22, side=3), Origin.DRAWN)}
    assert exclude(entries, KEY, entry(square(10)))[Key(KEY.frame, 2)] is None


def test_an_object_whose_place_is_taken_gets_the_place_that_was_left() -> None:
    there, here = entry(square(40), Origin.PROPAGATED), entry(square(10), Origin.PROPAGATED)
    new = entry(square(40), Origin.CLICKED)
    changes = exclude({1: here, 2: there}, KEY, new, exchanges=True)
    assert changes == {KEY: new, Key(KEY.frame, 2): entry(square(10), Origin.PROPAGATED)}
    assert exclude({1: here, 2: there}, KEY, new)[Key(KEY.frame, 2)] is None


def test_of_an_object_whose_place_is_taken_specks_may_be_left_beside_it() -> None:
    thing, speck = square(40), square(4, 4, side=1)
    place, lump = square(10), square(2, 2, side=3)
    here, new = entry(place, Origin.PROPAGATED), entry(thing, Origin.CLICKED)
    there = entry(thing | speck, Origin.PROPAGATED)
    changes = exclude({1: here, 2: there}, KEY, new, exchanges=True)
    assert changes == {KEY: new, Key(KEY.frame, 2): entry(place, Origin.PROPAGATED)}
    there = entry(thing | lump, Origin.PROPAGATED)
    changes = exclude({1: here, 2: there}, KEY, new, exchanges=True)
    assert changes == {KEY: new, Key(KEY.frame, 2): entry(lump, Origin.PROPAGATED)}


def test_a_remnant_is_no_place_that_another_object_could_have() -> None:
    entries = {1: entry(square(10, side=2)), 2: entry(square(40))}
    changes = exclude(entries, KEY, entry(square(40)), exchanges=True)
    assert changes[Key(KEY.frame, 2)] is None


def test_objects_that_are_not_touched_or_not_visible_do_not_change() -> None:
    entries = {2: entry(square(40)), 3: Entry(None, Origin.DRAWN)}
    assert set(exclude(entries, KEY, entry(square(10)))) == {KEY}


def test_a_mask_that_lies_in_a_kept_one_altogether_changes_nothing() -> None:
    entries = {1: entry(square(40)), 2: entry(square(10))}
    assert exclude(entries, KEY, entry(square(12, 22, side=4)), keeping={2}) == {}


def test_saying_that_an_object_is_absent_takes_nothing() -> None:
    entries = {1: entry(square(10)), 2: entry(square(20))}
    absent = Entry(None, Origin.DRAWN)
    assert exclude(entries, KEY, absent) == {KEY: absent}


def test_anchors_keep_what_no_click_points_at_and_fixed_objects_keep_everything() -> None:
    entries = {
        2: entry(square(10), Origin.CLICKED),
        3: entry(square(20), Origin.DRAWN),
        4: entry(square(30)),
        5: entry(square(40)),
    }
    clicks = [Click(12, 22), Click(22, 22, positive=False), Click(42, 22)]
    assert keepers(entries, clicks, fixed={5}) == {3, 5}
    assert keepers(entries, [Click(22, 22)]) == {2}


def test_a_box_round_a_part_of_an_anchor_takes_it_and_one_beside_it_does_not() -> None:
    entries = {2: entry(square(10, 10, side=30), Origin.DRAWN)}
    assert keepers(entries, (), Box(12, 12, 22, 22)) == set()
    assert keepers(entries, (), Box(35, 12, 60, 30)) == {2}
    assert keepers(entries, (), Box(8, 8, 44, 44)) == {2}


# The masks of a model


@settings(max_examples=100, deadline=None)
@given(label_maps, pixel_maps, pixel_maps, st.sets(st.integers(3, 4)), st.sets(st.integers(3, 4)))
def test_masks_of_a_model_spare_anchors_and_fixed_ones_and_take_no_last_pixel(
    labels: np.ndarray, one: BoolMask, two: BoolMask, anchors: set[int], fixed: set[int]
) -> None:
    entries = {
        number: replace(each, verified=number in anchors)
        for number, each in labelled(labels).items()
    }
    found = {1: entry(one), 2: entry(two)}
    left = after(entries, settle(entries, KEY.frame, found, fixed=fixed))
    owners = sum(pixels_of(left, number).astype(int) for number in range(1, 5))
    assert np.max(owners) <= 1
    assert entries.keys() <= left.keys()
    for number in anchors | fixed:
        assert left.get(number) == entries.get(number)


def test_a_mask_of_a_model_that_meets_nothing_is_as_it_was_found() -> None:
    found = {1: entry(square(0, 0, 3, (9, 11)))}
    beside = {2: entry(square(5, 5, 3, (9, 11)))}
    assert settle(beside, 4, found) == {KEY: found[1]}


def test_two_that_change_places_by_a_model_are_not_in_each_others_way() -> None:
    before = {1: entry(square(10)), 2: entry(square(40))}
    found = {1: entry(square(40)), 2: entry(square(10))}
    assert settle(before, 4, found) == {Key(4, n): each for n, each in found.items()}


def test_one_that_finds_no_place_stays_and_the_others_respect_it() -> None:
    before = {1: entry(square(10)), 2: entry(square(40)), 3: entry(square(25), Origin.DRAWN)}
    found = {1: entry(square(25)), 2: entry(square(5))}
    changes = settle(before, 4, found)
    assert changes == {
        Key(4, 1): entry(square(10) & ~square(5)),  # what was only propagated gives
        Key(4, 2): entry(square(5)),
    }


@given(label_maps, st.lists(pixel_maps, min_size=2, max_size=2), st.sets(st.integers(1, 4)))
def test_ready_masks_take_from_all_but_the_fixed_and_leave_each_other_alone(
    labels: np.ndarray, ready: list[BoolMask], fixed: set[int]
) -> None:
    assume(all(each.any() for each in ready))
    there = labelled(labels)
    put = {
        number: entry(pixels, Origin.IMPORTED) for number, pixels in zip((5, 6), ready, strict=True)
    }
    left = after(there, admit(there, KEY.frame, put, fixed=fixed))
    held = np.isin(labels, sorted(fixed))
    taken = (ready[0] | ready[1]) & ~held
    for number, pixels in zip((5, 6), ready, strict=True):
        assert np.array_equal(pixels_of(left, number), pixels & ~held)
    for number in range(1, 5):
        assert np.array_equal(pixels_of(left, number), (labels == number) & ~taken)


# What a person points into


@pytest.mark.parametrize(
    ("inside", "beyond", "means"),
    [(50, 100, False), (51, 51, False), (51, 52, True), (100, 100, False), (100, 101, True)],
)
def test_a_box_means_what_covers_most_of_it_and_lies_mostly_beyond_it(
    inside: int, beyond: int, means: bool
) -> None:
    """A box of 100 pixels, so many of which are set, and so many elsewhere."""
    mask = np.zeros((30, 40), np.bool_)
    mask[5:15, 10:20] = np.arange(100).reshape(10, 10) < inside
    mask[20:] = np.arange(400).reshape(10, 40) < beyond
    assert points_into(mask, (), Box(10, 5, 20, 15)) is means
    assert points_into(mask, (), Box(9.6, 5.4, 20.4, 14.6)) is means


def test_a_box_may_lie_partly_outside_the_frame() -> None:
    mask = np.zeros((30, 40), np.bool_)
    mask[:4, :4] = mask[10:20, 10:30] = True
    assert points_into(mask, (), Box(-5, -5, 4, 4))
    assert points_into(mask, (), Box(-5, 0, 4, 4))
    assert points_into(mask, (), Box(0, -5, 4, 4))
    assert points_into(np.ascontiguousarray(mask[::-1, ::-1]), (), Box(36, 26, 50, 50))
    mask[:4, :4] = [[True] * 4, [True] * 4, [True] + [False] * 3, [False] * 4]  # 9 of 16
    assert points_into(mask, (), Box(-5, -5, 4, 4))
    assert points_into(np.ascontiguousarray(mask.T), (), Box(-5, -5, 4, 4))


def test_a_click_means_what_it_lies_in() -> None:
    mask = square(10)
    assert points_into(mask, (Click(10, 20),))
    assert points_into(mask, (Click(19, 29, positive=False), Click(19, 29)))
    assert not points_into(mask, (Click(19, 29, positive=False), Click(20, 29)))
    assert not points_into(mask, ())


# Things that change places


@pytest.mark.parametrize(
    ("old", "changes_places"),
    [
        (square(10, side=5), False),  # a quarter of the new one is a remnant
        (square(10, side=6), True),
        (square(32, y=20), False),  # a ninth of it is shared: it is where it was
        (square(31, y=29), True),  # one pixel
    ],
)
def test_a_thing_like_the_new_one_was_elsewhere_where_it_has_changed_places(
    old: BoolMask, changes_places: bool
) -> None:
    entries = {1: entry(old), 2: entry(square(40) & ~old)}
    changes = exclude(entries, KEY, entry(square(40)), exchanges=True)
    left = changes[Key(KEY.frame, 2)]
    if changes_places:
        assert left == entry(old & ~square(40))
    else:
        assert left is None


@pytest.mark.parametrize(("shared", "is_elsewhere"), [(5, False), (4, True)])
def test_a_twentieth_of_overlap_is_the_same_place(shared: int, is_elsewhere: bool) -> None:
    """Of 100 columns in all, 5 are shared; 4 of 100 are less."""
    old, new = np.zeros((2, 10, 120), np.bool_)
    old[:, : 50 + shared], new[:, 50:100] = True, True
    changes = exclude({1: entry(old), 2: entry(new & ~old)}, KEY, entry(new), exchanges=True)
    assert (changes[Key(KEY.frame, 2)] is not None) is is_elsewhere


def test_of_two_that_are_gone_none_gets_the_place_that_was_left() -> None:
    entries = {1: entry(square(10)), 2: entry(square(40, side=4)), 3: entry(square(45, side=4))}
    changes = exclude(entries, KEY, entry(square(40)), exchanges=True)
    assert [changes[Key(KEY.frame, number)] for number in (2, 3)] == [None, None]


def test_what_changes_places_leaves_its_clicks_and_keeps_the_rest() -> None:
    other = replace(entry(square(40), Origin.CLICKED, Click(42, 22)), score=0.7)
    changes = exclude({1: entry(square(10)), 2: other}, KEY, entry(square(40)), exchanges=True)
    wanted = replace(other, mask=Mask.encode(square(10)), clicks=())
    assert changes[Key(KEY.frame, 2)] == wanted
    assert exclude({2: other}, KEY, entry(square(40)), exchanges=True)[Key(KEY.frame, 2)] is None
