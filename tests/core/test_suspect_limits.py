"""Suspects: from where on a mask is one, where one ends, and what it is worth."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from app.core.document import Document, Entry, Key, ObjectInfo, Origin
from app.core.events import Event, Reason
from app.core.finder import Finder, find
from app.core.marks import Facts, Limits, measure
from app.core.mask import Mask
from app.core.suspects import Order, Suspect
from models.api import BoolMask

SIZE = (80, 120)
ANCHOR = {"origin": Origin.DRAWN}


def box(rows: int = 10, columns: int = 10, x: int = 30, y: int = 30) -> BoolMask:
    pixels = np.zeros(SIZE, np.bool_)
    pixels[y : y + rows, x : x + columns] = True
    return pixels


def entry(pixels: BoolMask | None, **facts: object) -> Entry:
    mask = None if pixels is None else Mask.encode(pixels)
    return Entry(mask, **{"origin": Origin.PROPAGATED, "score": 0.8, **facts})  # type: ignore[arg-type]


def suspects(
    odd: Mapping[int, Entry],
    count: int = 40,
    usual: BoolMask | None = None,
    limits: Limits | None = None,
) -> tuple[Suspect, ...]:
    """Return the suspects of a mask that stands still but for the odd entries."""
    same = box() if usual is None else usual
    entries = {Key(f, 1): odd.get(f, entry(same)) for f in range(count)}
    if 0 not in odd:
        entries[Key(0, 1)] = entry(same, **ANCHOR)
    return find(Document((ObjectInfo(1, "knife", (1, 2, 3)),), entries), limits)


def from_on(first: int, pixels: BoolMask | None, **facts: object) -> dict[int, Entry]:
    return {frame: entry(pixels, **facts) for frame in range(first, 40)}


@pytest.mark.parametrize(
    ("odd", "is_one"),
    [
        # The score: .8 is enough.
        ({20: entry(box(), score=0.8)}, False),
        ({20: entry(box(), score=0.79)}, True),
        ({20: entry(box(), score=None)}, False),
        # The area: half as much again as is usual, or two thirds.
        (from_on(20, box(10, 15)), False),
        (from_on(20, box(10, 16)), True),
        # The overlap with the frame before: 5 of 15 columns are .33, 7 of 13 .54, 8 of 12 .67.
        (from_on(20, box(x=32)), False),
        (from_on(20, box(x=33)), True),
        # What only moves, of which the model is sure.
        (from_on(20, box(x=36), score=0.9), False),  # 4 of 16
        (from_on(20, box(x=37), score=0.9), True),
        (from_on(20, box(x=36), score=0.89), True),
        (from_on(20, box(x=36), score=None), True),
        (from_on(20, box(11, 10, x=36), score=0.9), True),  # 40 of 170 pixels are shared
        (from_on(20, box(10, 12, x=35), score=0.9), False),  # larger by a fifth
        (from_on(20, box(10, 13, x=34), score=0.9), True),
        (from_on(20, box(8, 10, x=34), score=0.9), False),  # 1 / 1.25
        (from_on(20, box(7, 10, x=34), score=0.9), True),
    ],
)
def test_a_mask_is_suspect_beyond_a_limit_and_not_at_it(
    odd: dict[int, Entry], is_one: bool
) -> None:
    assert bool(suspects(odd)) is is_one


def test_three_fifths_of_what_is_usually_shared_are_enough() -> None:
    """6 of 10 columns, where all are shared otherwise."""
    assert suspects(from_on(20, box(10, 8, x=32)), usual=box(10, 8)) == ()
    assert suspects(from_on(20, box(10, 8, x=33)), usual=box(10, 8))


def test_a_mask_of_which_nothing_is_left_when_it_is_thinned_out_is_one_piece() -> None:
    pixels = np.zeros((200, 300), np.bool_)
    pixels[0, 1] = pixels[193, 0] = True
    mask = Mask.encode(pixels)
    assert mask is not None
    assert measure(mask, 0.1) == Facts(2, 1, at_border=True)


def test_a_mask_that_shrinks_by_a_third_is_no_suspect() -> None:
    usual = box(10, 15)
    assert suspects(from_on(20, box(10, 10)), usual=usual) == ()
    assert suspects(from_on(20, box(10, 9)), usual=usual)


def growing(steps: Sequence[int]) -> dict[int, Entry]:
    """Return a mask of 10 rows and 4 columns that grows by some columns on each frame."""
    columns = itertools.accumulate(steps, initial=4)
    return {f: entry(box(10, each, x=5), **(ANCHOR if f == 0 else {}))
            for f, each in enumerate(columns)}  # fmt: skip


@pytest.mark.parametrize(
    ("steps", "first"),
    [
        # It grows by a quarter each time: after the frames before, by half as much again.
        ((1, 1, 1, 2, 2, 3, 4, 9), None),
        ((1, 1, 1, 2, 2, 3, 4, 25), 8),
        ((1, 1, 1, 2, 2, 3, 4, -15), 8),
        # Two steps say nothing yet, three do.
        ((1, 1, 3), 3),
        ((1, 1, 1, 3), None),
        # What has only begun to grow is not what grows by itself.
        ((0,) * 14 + (1, 1, 1, 1), 17),
        ((0,) * 6 + (1, 1, 1, 1), 9),
    ],
)
def test_the_area_is_told_from_how_the_thing_grows(
    steps: tuple[int, ...], first: int | None
) -> None:
    found = suspects(growing(steps), len(steps) + 1, limits=Limits(overlap=0.0))
    jumps = [each.first for each in found if Reason.AREA_JUMP in each.reasons]
    assert jumps == ([] if first is None else [first])


def test_the_overlap_is_told_from_what_is_usual_for_the_object() -> None:
    """One that moves by two columns a frame all the time shares 8 of 12 with itself: .67."""
    moving = {frame: entry(box(x=2 + 2 * frame)) for frame in range(40)}
    moving[0] = entry(box(x=2), **ANCHOR)
    assert suspects(moving) == ()
    half = {frame: each for frame, each in moving.items() if frame < 20}
    half |= {frame: entry(box(x=44 + 2 * (frame - 20))) for frame in range(20, 40)}
    assert suspects(half) == ()  # 6 of 14: more than .6 of it
    far = half | {frame: entry(box(x=45 + 2 * (frame - 20))) for frame in range(20, 40)}
    assert [each.first for each in suspects(far)] == [20]


@pytest.mark.parametrize(
    ("limits", "odd"),
    [
        (Limits(score=0.9), {20: entry(box(), score=0.85)}),
        (Limits(overlap=0.95), from_on(20, box(x=31))),
        (Limits(area=1.05), from_on(20, box(11, 10))),
        (Limits(piece=0.01), from_on(20, box(11, 9) | box(1, 1, x=60))),
        (Limits(sliver=0.9), from_on(20, box(9, 9))),
    ],
)
def test_every_limit_can_be_set(limits: Limits, odd: dict[int, Entry]) -> None:
    assert suspects(odd) == ()
    assert suspects(odd, limits=limits) != ()


@pytest.mark.parametrize(("columns", "is_sliver"), [(10, False), (9, True)])
def test_a_tenth_of_the_last_anchor_is_no_sliver(columns: int, is_sliver: bool) -> None:
    """Of 100 pixels; each frame is an anchor's successor, so that nothing else speaks."""
    shrinking = {0: entry(box(), **ANCHOR), 1: entry(box(1, columns))}
    (found,) = suspects(shrinking, 2)
    assert (Reason.SLIVER in found.reasons) is is_sliver
    again = shrinking | {1: entry(box(1, 90, x=5), **ANCHOR), 2: entry(box(1, 9, x=5))}
    (found,) = suspects(again, 3)
    assert (found.first, Reason.SLIVER in found.reasons) == (2, False)


def test_before_the_first_anchor_that_one_says_what_is_a_sliver() -> None:
    small = dict.fromkeys(range(20), entry(box(1, 9)))
    found = min(suspects(small | {20: entry(box(), **ANCHOR)}), key=lambda each: each.first)
    assert (found.first, found.last, Reason.SLIVER in found.reasons) == (0, 19, True)
    assert suspects(dict.fromkeys(range(40), entry(box(1, 9)))) == ()


@pytest.mark.parametrize("gone", [True, False])
def test_an_absent_anchor_leaves_what_is_a_sliver_as_it_was(gone: bool) -> None:
    said = entry(None if gone else box(3, 3), **ANCHOR)
    small = {5: said} | {frame: entry(box(1, 9)) for frame in range(6, 40)}
    found = suspects(small)
    assert any(Reason.SLIVER in each.reasons for each in found) is gone


@pytest.mark.parametrize(
    ("x", "y", "meets"),
    [
        (0, 30, True), (1, 30, False), (30, 0, True), (30, 1, False),
        (110, 30, True), (109, 30, False), (30, 70, True), (30, 69, False),
    ],
)  # fmt: skip
def test_the_facts_of_a_mask(x: int, y: int, meets: bool) -> None:
    mask = Mask.encode(box(x=x, y=y))
    assert mask is not None
    assert measure(mask, 0.1) == Facts(100, 1, meets)
    assert Facts(9, 1, meets).is_sliver(10) is not meets
    assert not Facts(10, 1, meets).is_sliver(10)


@pytest.mark.parametrize(("pixels", "pieces"), [(9, 2), (8, 1)])
def test_a_piece_counts_from_a_tenth_of_the_area_on(pixels: int, pieces: int) -> None:
    """81 pixels, 9 that count as a tenth, or 8; by a corner they are one piece."""
    mask = Mask.encode(box(9, 9) | box(1, pixels, x=60))
    assert mask is not None
    assert measure(mask, 0.1).pieces == pieces
    touching = Mask.encode(box(9, 9) | box(9, 1, x=39, y=39))
    assert touching is not None
    assert measure(touching, 0.1).pieces == 1
    three = Mask.encode(box(3, 3) | box(3, 3, x=60) | box(3, 3, x=90))
    assert three is not None
    assert measure(three, 0.1).pieces == 3


SPLIT = box(5, 5) | box(15, 5, x=60)  # as large as the others


@pytest.mark.parametrize(
    ("pixels", "score", "is_one"),
    [
        (box(10, 5) | box(10, 5, x=36), 0.9, False),  # it only comes apart
        (box(10, 5) | box(10, 5, x=36), 0.89, True),
        (box(10, 5) | box(10, 5, x=36), None, True),
        (box(11, 5) | box(11, 5, x=36), 0.9, False),  # a tenth larger
        (box(12, 5) | box(10, 5, x=36) | box(1, 1, x=50), 0.9, False),
        (box(12, 5) | box(10, 5, x=36) | box(1, 1, x=50), 0.89, True),
        (box(10, 5) | box(8, 5, x=36) | box(1, 1, x=41), 0.9, False),
        (box(10, 5) | box(8, 5, x=36), 0.9, False),
        (box(10, 5) | box(8, 5, x=36), 0.89, True),
    ],
)
def test_a_mask_of_more_pieces_is_suspect_unless_it_surely_only_comes_apart(
    pixels: BoolMask, score: float | None, is_one: bool
) -> None:
    found = suspects(from_on(20, pixels, score=score), limits=Limits(overlap=0.0))
    assert bool(found) is is_one
    assert all(each.reasons == (Reason.SPLIT,) for each in found)


def frames_of(found: tuple[Suspect, ...]) -> list[tuple[int, int]]:
    return sorted((each.first, each.last) for each in found)


LOW = entry(box(), score=0.1)


@pytest.mark.parametrize(("apart", "one"), [(3, True), (4, False)])
def test_suspect_frames_that_are_near_are_one(apart: int, one: bool) -> None:
    found = suspects({10: LOW, 10 + apart: LOW})
    assert frames_of(found) == ([(10, 10 + apart)] if one else [(10, 10), (10 + apart,) * 2])


@pytest.mark.parametrize("anchor", [10, 11, 12])
def test_an_anchor_parts_what_is_near(anchor: int) -> None:
    marks = {10: LOW, 11: LOW, 12: LOW, anchor: entry(box(), **ANCHOR)}
    left = {10: [(11, 12)], 11: [(10, 10), (12, 12)], 12: [(10, 11)]}
    assert frames_of(suspects(marks)) == left[anchor]


@pytest.mark.parametrize(("after", "one"), [(4, True), (5, False)])
def test_a_mask_that_falls_apart_after_a_while_is_something_of_its_own(
    after: int, one: bool
) -> None:
    odd = dict.fromkeys(range(10, 20), LOW)
    odd |= {frame: entry(SPLIT, score=0.1) for frame in range(10 + after, 20)}
    found = suspects(odd, limits=Limits(overlap=0.0))
    assert frames_of(found) == ([(10, 19)] if one else [(10, 9 + after), (10 + after, 19)])


def test_a_mask_that_vanishes_is_something_of_its_own_at_once() -> None:
    odd = {10: LOW, 11: LOW, **from_on(12, None)}
    assert frames_of(suspects(odd)) == [(10, 11), (12, 12)]


def test_what_is_only_stale_is_none_and_what_is_a_sliver_stands_apart() -> None:
    stale = {frame: entry(box(), stale=True) for frame in range(10, 13)}
    assert suspects(stale) == ()
    slivers = from_on(12, box(1, 9)) | {10: LOW, 11: LOW}
    found = suspects(slivers, limits=Limits(overlap=0.0, area=99))
    assert frames_of(found) == [(10, 11), (12, 39)]


def test_an_event_is_worth_what_a_correction_heals_times_how_likely_it_is_wrong() -> None:
    (low,) = suspects({10: LOW})
    assert (low.severity, low.value) == pytest.approx((0.5, 0.5))
    (hit,) = suspects({10: entry(box(), conflict=True)})
    assert (hit.severity, hit.value) == pytest.approx((0.9, 30 * 0.9))
    (both,) = suspects({10: entry(box(), score=0.1, conflict=True), 15: entry(box(), **ANCHOR)})
    assert both.reasons == (Reason.CONFLICT, Reason.LOW_SCORE)
    assert (both.severity, both.value) == pytest.approx((0.95, 5 * 0.95))
    entries = {Key(f, 1): entry(box()) for f in range(40) if f != 20}
    entries |= {Key(10, 1): entry(box(), conflict=True), Key(0, 1): entry(box(), **ANCHOR)}
    (broken,) = find(Document((ObjectInfo(1, "knife", (1, 2, 3)),), entries))
    assert broken.value == pytest.approx(10 * 0.9)  # up to where nothing is known


@pytest.mark.parametrize(
    ("odd", "frame"),
    [
        ({10: (0.4, 10), 11: (0.3, 10), 12: (0.3, 10)}, 11),  # of equals the first
        ({10: (0.4, 10), 11: (None, 10), 12: (0.3, 10)}, 12),
        ({10: (0.9, 20), 11: (0.9, 22), 12: (0.9, 22)}, 11),  # sure of all: the size
        ({10: (0.9, 20), 11: (0.89, 22), 12: (0.95, 22)}, 11),
        ({10: (0.95, 22), 11: (0.9, 20), 12: (0.95, 20)}, 10),
    ],
)
def test_the_frame_to_look_at_is_the_one_of_the_least_score_or_of_the_greatest_change(
    odd: dict[int, tuple[float | None, int]], frame: int
) -> None:
    entries = {f: entry(box(10, columns), score=score) for f, (score, columns) in odd.items()}
    found = suspects({**entries, 13: entry(box(), **ANCHOR)})
    assert min(found, key=lambda each: each.first).frame == frame


def test_where_the_model_is_sure_the_size_is_told_from_the_last_good_mask() -> None:
    """A thing is lost on 10, comes back on 14 in small pieces, and is whole again from 18 on."""
    odd = {f: entry(None, score=0.1) for f in range(10, 14)}
    pieces = {14: box(1, 9), 15: box(1, 9), 16: box(10, 2), 17: box(10, 4)}
    odd |= {f: entry(pieces.get(f, box()), score=0.95) for f in range(14, 40)}
    (found,) = (each for each in suspects(odd) if each.first <= 18 <= each.last)
    assert (found.first, found.frame) == (16, 16)


@pytest.mark.parametrize(("frames", "middle"), [(range(10, 13), 11), (range(10, 14), 12)])
def test_of_what_disagrees_the_middle_is_to_be_looked_at(frames: range, middle: int) -> None:
    odd = {frame: entry(box(), score=0.9 - frame / 100, conflict=True) for frame in frames}
    (found,) = suspects(odd)
    assert found.frame == middle
    unseen = odd | {middle: entry(None, conflict=True)}
    assert middle not in {
        each.frame for each in suspects(unseen) if Reason.CONFLICT in each.reasons
    }


@pytest.mark.parametrize(
    ("shown", "looked_at"), [((), 12), ((13,), 13), ((12, 13), 13), ((11, 12, 13), 12)]
)
def test_of_what_disagrees_a_frame_with_a_mask_is_to_be_looked_at(
    shown: tuple[int, ...], looked_at: int
) -> None:
    odd = {f: entry(box() if f in shown else None, conflict=True) for f in range(10, 14)}
    (found,) = (each for each in suspects(odd) if Reason.CONFLICT in each.reasons)
    assert (found.first, found.frame) == (10, looked_at)


@pytest.mark.parametrize(("slivers", "is_end"), [((11,), True), ((10,), False)])
def test_what_vanishes_right_after_a_sliver_is_the_end_of_it(
    slivers: tuple[int, ...], is_end: bool
) -> None:
    odd = from_on(12, None) | {frame: entry(box(1, 9)) for frame in slivers}
    found = [each for each in suspects(odd) if Reason.VANISHED in each.reasons]
    assert [Reason.SLIVER in each.reasons for each in found] == [is_end]


def test_suspects_of_one_value_or_time_come_by_their_frame_and_object() -> None:
    entries = {Key(f, n): entry(box(x=10 + 40 * n)) for f in range(30) for n in (1, 2)}
    entries |= {Key(0, n): entry(box(x=10 + 40 * n), **ANCHOR) for n in (1, 2)}
    entries |= {Key(f, n): entry(box(x=10 + 40 * n), score=0.1) for f in (10, 20) for n in (1, 2)}
    document = Document(tuple(ObjectInfo(n, "", (1, 2, 3)) for n in (2, 1)), entries)
    finder = Finder()
    for number in (2, 1):
        finder.examine(number, document.of_object(number))
    by_value = [(each.first, each.object) for each in finder.ranked()]
    assert by_value == [(10, 1), (10, 2), (20, 1), (20, 2)]
    assert [(each.first, each.object) for each in finder.ranked(Order.TIME)] == by_value
    finder.forget([2])
    assert [(each.first, each.object) for each in finder.ranked()] == [(10, 2), (20, 2)]


def test_the_text_of_a_single_frame_is_its_number() -> None:
    assert Suspect(1, 20, 20, 20, (Reason.CONFLICT,), 0.9, 5.0).text == "20: conflict"


# Two objects

LEFT, RIGHT = box(x=20), box(x=80)


def two(odd: Mapping[Key, Entry], count: int = 40) -> tuple[Suspect, ...]:
    places = {1: LEFT, 2: RIGHT}
    entries = {Key(f, n): entry(places[n]) for f in range(count) for n in (1, 2)}
    entries |= {Key(0, n): entry(places[n], **ANCHOR) for n in (1, 2)}
    infos = (ObjectInfo(1, "knife", (1, 2, 3)), ObjectInfo(2, "fork", (3, 2, 1)))
    return find(Document(infos, {**entries, **odd}))


def swapped(first: int, last: int) -> dict[Key, Entry]:
    places = {1: RIGHT, 2: LEFT}
    return {Key(f, n): entry(places[n]) for f in range(first, last + 1) for n in (1, 2)}


@pytest.mark.parametrize(("first", "last"), [(10, 39), (10, 14), (1, 39)])
def test_a_swap_is_one_event_of_both_from_its_first_frame_to_its_last(
    first: int, last: int
) -> None:
    (found,) = two(swapped(first, last))
    assert (found.event, {found.object, found.other}) == (Event.SWAP, {1, 2})
    assert found.first == first
    assert found.last == (last if last < 39 else first)


def test_a_swap_that_ends_on_the_last_frame_of_an_unrest_leaves_nothing_of_it() -> None:
    odd = swapped(12, 19) | {Key(20, 1): entry(LEFT, score=0.1)}
    (found,) = (each for each in two(odd) if each.object == 1)
    assert (found.first, found.last, found.event) == (12, 19, Event.SWAP)
    odd[Key(21, 1)] = entry(LEFT, score=0.1)
    found, rest = (each for each in two(odd) if each.object == 1)
    assert (rest.first, rest.last, rest.event, rest.other) == (20, 21, Event.DRIFT, None)


def test_two_swaps_far_apart_are_two() -> None:
    found = two(swapped(5, 10) | swapped(20, 25))
    assert [(each.first, each.last, each.event) for each in sorted(found, key=lambda s: s.first)] \
        == [(5, 10, Event.SWAP), (20, 25, Event.SWAP)]  # fmt: skip


def test_a_conflict_is_named_whatever_another_object_does() -> None:
    odd = {k: entry(e.mask.decode() if e.mask else None, conflict=True)
           for k, e in swapped(10, 39).items()}  # fmt: skip
    assert {each.event for each in two(odd)} == {Event.CONFLICT}
    assert all(each.other is None for each in two(odd))


def several(odd: Mapping[Key, Entry], places: Mapping[int, BoolMask]) -> tuple[Suspect, ...]:
    entries = {Key(f, n): entry(place) for f in range(40) for n, place in places.items()}
    entries |= {Key(0, n): entry(place, **ANCHOR) for n, place in places.items()}
    infos = tuple(ObjectInfo(n, f"thing {n}", (1, 2, 3)) for n in places)
    return find(Document(infos, {**entries, **odd}))


def test_two_pairs_that_swap_at_once_are_two_swaps() -> None:
    places = {n: box(x=10 + 25 * n) for n in range(4)}
    theirs = {0: places[1], 1: places[0], 2: places[3], 3: places[2]}
    odd = {Key(f, n): entry(theirs[n]) for f in range(10, 16) for n in places}
    found = several(odd, places)
    pairs = sorted(tuple(sorted((each.object, each.other or 0))) for each in found)
    assert pairs == [(0, 1), (2, 3)]
    assert {each.event for each in found} == {Event.SWAP}


def test_what_else_falls_apart_while_one_is_taken_is_told() -> None:
    places = {1: LEFT, 2: RIGHT, 3: box(x=50)}
    odd: dict[Key, Entry] = {Key(f, 1): entry(None, score=0.1) for f in range(20, 24)}
    odd |= {Key(f, 2): entry(RIGHT | LEFT, score=0.1) for f in range(20, 24)}
    odd |= {Key(f, 3): entry(box(x=50) | box(x=50, y=60), score=0.1) for f in range(20, 24)}
    found = {(each.object, each.event, each.other) for each in several(odd, places)}
    assert found == {(1, Event.TAKEN, 2), (3, Event.TWO_THINGS, None)}


def test_what_was_taken_is_a_suspect_for_as_long_as_it_is_gone() -> None:
    odd: dict[Key, Entry] = {Key(f, 1): entry(None, score=0.1) for f in range(10, 25)}
    odd |= {Key(f, 2): entry(RIGHT | LEFT) for f in range(10, 25)}
    odd[Key(17, 2)] = entry(RIGHT | box(20, 10, x=20))
    found = [each for each in two(odd) if each.object == 1]
    taken = found[0]
    assert (taken.event, taken.other, taken.first, taken.last) == (Event.TAKEN, 2, 10, 24)
    assert taken.frame == 17
    assert taken.severity == 0.9


def test_where_the_taker_is_much_larger_only_later_that_frame_is_not_looked_for() -> None:
    odd: dict[Key, Entry] = {Key(f, 1): entry(None, score=0.1) for f in range(10, 99)}
    odd |= {Key(f, 2): entry(RIGHT | LEFT) for f in range(10, 99)}
    for far, frame in ((70, 70), (71, 10)):
        later = odd | {Key(far, 2): entry(RIGHT | box(12, 10, x=20))}
        (taken,) = (each for each in two(later, 99) if each.object == 1)
        assert (taken.last, taken.frame) == (98, frame)


@pytest.mark.parametrize(("apart", "one"), [(3, True), (4, False)])
def test_two_things_and_what_was_taken_are_told_once_where_they_are_near(
    apart: int, one: bool
) -> None:
    odd: dict[Key, Entry] = {Key(f, 1): entry(None, score=0.1) for f in range(20, 21)}
    odd |= {Key(f, 2): entry(RIGHT | LEFT, score=0.1) for f in range(20 - apart, 21)}
    events = [(each.object, each.event) for each in two(odd)]
    assert events.count((1, Event.TAKEN)) <= 1
    assert len(events) >= 1
