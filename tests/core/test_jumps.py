"""Jumps and losses that end as they began: all between is suspect, what comes after is not."""

from collections.abc import Mapping

import numpy as np
import pytest

from app.core.document import Entry, Origin
from app.core.events import Reason
from app.core.jumps import growth, joined
from app.core.mask import Mask

AREA, OVERLAP, SPLIT = Reason.AREA_JUMP, Reason.LOW_OVERLAP, Reason.SPLIT
VANISHED, RETURNED, EXIT = Reason.VANISHED, Reason.RETURNED, Reason.BORDER_EXIT
SCORE = Reason.LOW_SCORE


def box(rows: int, columns: int, x: int = 10, y: int = 10) -> Mask:
    pixels = np.zeros((80, 120), np.bool_)
    pixels[y : y + rows, x : x + columns] = True
    mask = Mask.encode(pixels)
    assert mask is not None
    return mask


USUAL = box(10, 16)  # 160 pixels


def entries(
    odd: Mapping[int, Mask | None], count: int = 100, anchors: tuple[int, ...] = ()
) -> dict[int, Entry]:
    made = {frame: Entry(odd.get(frame, USUAL), Origin.PROPAGATED) for frame in range(count)}
    return made | {frame: Entry(made[frame].mask, Origin.DRAWN) for frame in anchors}


def marked(marks: Mapping[int, set[Reason]], found: Mapping[int, Entry]) -> dict[int, set[Reason]]:
    frozen = {frame: frozenset(reasons) for frame, reasons in marks.items()}
    return {frame: set(reasons) for frame, reasons in joined(frozen, found).items()}


def leak(first: int, back: int, mask: Mask | None = None) -> dict[int, Mask | None]:
    return dict.fromkeys(range(first, back), mask or box(20, 16))


@pytest.mark.parametrize(("length", "one"), [(1, True), (4, True), (60, True), (61, False)])
def test_a_jump_and_the_jump_back_are_one_unless_they_are_far_apart(length: int, one: bool) -> None:
    back = 10 + length
    found = marked({10: {AREA}, back: {AREA, SPLIT, SCORE}}, entries(leak(10, back)))
    if one:
        assert found == {frame: {AREA} for frame in range(10, back)} | {back: {SCORE}}
    else:
        assert found == {10: {AREA}, back: {AREA, SPLIT, SCORE}}


def test_an_anchor_between_parts_a_jump_from_the_jump_back() -> None:
    marks = {10: {AREA}, 20: {AREA}}
    for anchor, one in ((9, True), (10, False), (11, False), (20, False), (21, True)):
        found = marked(marks, entries(leak(10, 20), anchors=(anchor,)))
        assert (20 not in found) is one


def test_what_else_is_known_of_the_frames_between_stays_and_frames_without_an_entry_get_none() -> (
    None
):
    there = entries(leak(10, 20))
    del there[15]
    found = marked({10: {AREA, SCORE}, 12: {SCORE}, 20: {AREA}}, there)
    assert found[10] == {AREA, SCORE}
    assert found[12] == {AREA, SCORE}
    assert found[19] == {AREA}
    assert 15 not in found
    assert 20 not in found


def test_frames_come_in_order_and_jumps_within_a_jump_are_not_looked_at() -> None:
    marks = {10: {AREA}, 13: {AREA}, 20: {AREA}, 30: {OVERLAP}}
    found = marked(marks, entries(leak(10, 20)))
    assert list(found) == [*range(10, 20), 30]
    assert found[30] == {OVERLAP}


def test_a_second_jump_has_a_jump_back_of_its_own() -> None:
    marks = {10: {AREA}, 20: {AREA}, 30: {AREA}, 40: {AREA}}
    found = marked(marks, entries(leak(10, 20) | leak(30, 40)))
    assert list(found) == [*range(10, 20), *range(30, 40)]


def test_the_first_jump_back_counts() -> None:
    marks = {10: {AREA}, 20: {AREA}, 30: {AREA}}
    found = marked(marks, entries(leak(10, 20) | leak(30, 99)))
    assert list(found) == [*range(10, 20), 30]


@pytest.mark.parametrize(
    ("before", "left", "last", "now", "back"),
    [
        (160, 320, 320, 160, True),
        (160, 320, 320, 200, True),  # a quarter more is as large
        (160, 320, 320, 201, False),
        (160, 320, 1600, 240, False),
        (160, 200, 200, 160, False),  # it has never left its size
        (160, 200, 201, 160, True),
        (160, 201, 200, 160, False),  # it has come back little by little
        (160, 320, 320, 128, True),
        (160, 80, 80, 126, False),
    ],
)
def test_a_mask_is_back_at_its_size(
    before: int, left: int, last: int, now: int, back: bool
) -> None:
    """Areas in pixels; none lies where the first one did, so that the place says nothing."""

    def of(area: int, *, first: bool = False) -> Mask:
        pixels = np.zeros((80, 120), np.bool_)
        corner = np.zeros(80 * 24, np.bool_)
        corner[:area] = True
        pixels[:, :24] = corner.reshape(80, 24)
        pixels = pixels if first else pixels[:, ::-1]
        mask = Mask.encode(pixels)
        assert mask is not None
        return mask

    masks = {9: of(before, first=True), 10: of(left), 19: of(last), 20: of(now)}
    there = entries({**leak(10, 20), **masks})
    assert (20 not in marked({10: {AREA}, 20: {AREA}}, there)) is back


def test_a_mask_that_leaves_its_size_little_by_little_left_it_where_it_was_last_so_large() -> None:
    """From 10 to 15 it grows by a third each time, jumps back on 16; only that is a jump."""
    grows = {frame: box(10, columns) for frame, columns in enumerate((16, 21, 28, 37, 49, 65), 10)}
    there = entries(grows)
    assert marked({16: {AREA}}, there) == {frame: {AREA} for frame in range(11, 16)}
    # A mask larger by a quarter is as large.
    assert marked({16: {AREA}}, entries({**grows, 11: box(10, 20)})).keys() == {12, 13, 14, 15}


def test_what_is_as_large_as_once_but_looks_different_is_not_back() -> None:
    """A thing grows, and from 20 on a part of it is left, no larger than it all was at first."""
    whole = {frame: box(10, 16) if frame < 12 else box(20, 32) for frame in range(20)}
    there = entries({**whole, **dict.fromkeys(range(20, 100), box(5, 32))})
    assert marked({20: {AREA}}, there) == {20: {AREA}}
    there = entries({**whole, **dict.fromkeys(range(20, 100), box(10, 16, x=50))})
    assert marked({20: {AREA}}, there) == {frame: {AREA} for frame in range(12, 20)}


@pytest.mark.parametrize(("columns", "rows", "back"), [(12, 13, True), (11, 14, False)])
def test_three_fifths_of_overlap_look_alike_centre_on_centre(
    columns: int, rows: int, back: bool
) -> None:
    """With 16 columns of 10 rows they share 120 of 196 pixels, or 110 of 204."""
    now = box(rows, columns)
    there = entries({**leak(10, 20), 20: now})
    assert (20 not in marked({10: {AREA}, 20: {AREA}}, there)) is back


@pytest.mark.parametrize(
    ("away", "home", "back"),
    [
        (20, -20, True),
        (20, -16, True),  # off by less than half of its size
        (20, -15, False),
        (20, -24, True),
        (20, -25, False),
        (20, 20, False),
        (6, -4, True),
        (6, -3, False),  # off by half of the jump
    ],
)
def test_a_mask_is_back_at_its_place_where_it_jumps_back_as_far_as_it_had_jumped(
    away: int, home: int, back: bool
) -> None:
    """Of 10 by 10 pixels, and it moves on by 3 a frame, so that the places share nothing."""
    aside = {frame: box(10, 10, x=10 + away + 3 * (frame - 10)) for frame in range(10, 20)}
    now = box(10, 10, x=37 + away + home)
    there = entries({9: box(10, 10), **aside, 20: now})
    found = marked({10: {OVERLAP}, 20: {OVERLAP}}, there)
    assert (20 not in found) is back
    assert (15 in found) is back


def test_only_another_place_is_come_back_to_by_a_jump_to_another_place() -> None:
    away = {frame: box(10, 10, x=30) for frame in range(10, 20)}
    there = entries({9: box(10, 10), **away, 20: box(10, 10)})
    assert 20 in marked({10: {AREA}, 20: {OVERLAP}}, there)
    assert 20 in marked({10: {OVERLAP}, 20: {AREA}}, there)


def test_only_a_jump_ends_what_a_jump_began_and_all_that_began_it_is_said_of_all_between() -> None:
    there = entries(leak(10, 20))
    assert marked({10: {AREA}, 20: {SCORE}}, there) == {10: {AREA}, 20: {SCORE}}
    elsewhere = entries(leak(10, 20, box(10, 16, x=60)))
    both = {AREA, OVERLAP}
    assert marked({10: both, 20: {OVERLAP}}, elsewhere) == dict.fromkeys(range(10, 20), both)


def test_what_is_missing_beside_a_jump_is_no_jump_back() -> None:
    marks = {10: {AREA}, 20: {AREA}}
    for frame in (9, 10, 19, 20):
        assert 20 in marked(marks, entries({**leak(10, 20), frame: None}))


@pytest.mark.parametrize(
    ("after", "mask", "echo"),
    [
        (1, USUAL, True),
        (4, USUAL, True),
        (5, USUAL, False),
        (2, box(8, 16), True),  # by a quarter
        (2, box(8, 15), False),
        (2, None, False),
    ],
)
def test_after_a_jump_back_only_what_was_usual_meanwhile_is_no_jump(
    after: int, mask: Mask | None, echo: bool
) -> None:
    """Up to four frames on, and where the mask has the size that it came back to."""
    there = entries({**leak(10, 20), 20 + after: mask})
    found = marked({10: {AREA}, 20: {AREA}, 20 + after: {AREA, OVERLAP, SCORE}}, there)
    assert 20 not in found
    assert found[20 + after] == ({OVERLAP, SCORE} if echo else {AREA, OVERLAP, SCORE})


def gone(first: int, back: int) -> dict[int, Mask | None]:
    return dict.fromkeys(range(first, back))


@pytest.mark.parametrize(("length", "one"), [(1, True), (15, True), (16, False)])
@pytest.mark.parametrize("how", [VANISHED, EXIT])
def test_a_loss_and_the_return_are_one_where_it_is_brief(
    length: int, one: bool, how: Reason
) -> None:
    back = 10 + length
    found = marked({10: {how}, back: {RETURNED, SCORE}}, entries(gone(10, back)))
    if one:
        wanted: dict[int, set[Reason]] = {frame: {how} for frame in range(10, back)}
        wanted[back - 1] |= {RETURNED}
        assert found == wanted | {back: {SCORE}}
    else:
        assert found == {10: {how}, back: {RETURNED, SCORE}}


def test_an_anchor_between_parts_a_loss_from_the_return() -> None:
    marks = {10: {VANISHED}, 20: {RETURNED}}
    for anchor, one in ((9, True), (10, True), (15, False), (20, False), (21, True)):
        found = marked(marks, entries(gone(10, 20), anchors=(anchor,)))
        assert (20 not in found) is one


def test_a_return_without_a_loss_or_after_one_that_has_ended_is_a_suspect() -> None:
    assert marked({20: {RETURNED}}, entries({19: None})) == {20: {RETURNED}}
    marks = {10: {VANISHED}, 12: {RETURNED}, 14: {RETURNED}}
    assert marked(marks, entries(gone(10, 12)))[14] == {RETURNED}
    # Of two losses it is the latter that ends.
    marks = {10: {VANISHED}, 30: {VANISHED}, 35: {RETURNED}}
    found = marked(marks, entries(gone(30, 35)))
    assert list(found) == [10, *range(30, 35)]


@pytest.mark.parametrize(
    ("mask", "how", "one"),
    [
        (box(15, 16), VANISHED, True),  # half as much again
        (box(15, 17), VANISHED, False),
        (box(10, 11), VANISHED, True),
        (box(10, 10), VANISHED, False),
        (box(10, 16, x=60), VANISHED, True),  # it may have moved
        (box(10, 16, x=60), EXIT, False),  # that may be another one
        (box(6, 13), EXIT, False),  # 78 of 160 pixels
        (box(10, 16, x=18), EXIT, True),  # a third is shared
        (box(13, 16, y=16), EXIT, False),  # 64 of 304
        (box(12, 13, x=17, y=10), EXIT, True),  # 90 of 226: .40
    ],
)
def test_what_comes_back_has_to_be_as_large_and_in_its_place_where_it_has_left(
    mask: Mask, how: Reason, one: bool
) -> None:
    there = entries({**gone(10, 15), **dict.fromkeys(range(15, 100), mask)})
    found = marked({10: {how}, 15: {RETURNED}}, there)
    assert (15 not in found) is one


@pytest.mark.parametrize(("shared", "one"), [(6, True), (5, False)])
def test_three_tenths_of_overlap_are_the_same_place(shared: int, one: bool) -> None:
    """Two boxes of 13 columns: 6 of 20 columns are shared, or 5 of 21."""
    there = entries({9: box(10, 13), **gone(10, 15), 15: box(10, 13, x=23 - shared)})
    assert (15 not in marked({10: {EXIT}, 15: {RETURNED}}, there)) is one


def test_what_comes_back_is_nothing_known_where_nothing_was_before() -> None:
    marks = {10: {VANISHED}, 15: {RETURNED}}
    assert marked(marks, entries(gone(9, 15))) == marks
    assert marked(marks, entries(gone(10, 16))) == marks


@pytest.mark.parametrize(("score", "one"), [(0.5, True), (0.49, False), (None, True)])
def test_what_comes_back_has_to_be_sure(score: float | None, one: bool) -> None:
    there = entries(gone(10, 15))
    there[15] = Entry(USUAL, Origin.PROPAGATED, score=score)
    assert (15 not in marked({10: {VANISHED}, 15: {RETURNED}}, there)) is one


def test_growth_is_the_same_both_ways_and_nothing_for_equals() -> None:
    small, large = box(10, 10), box(20, 10)
    assert growth(small, large) == growth(large, small) == pytest.approx(np.log(2))
    assert growth(small, small) == 0
