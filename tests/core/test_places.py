"""Objects that were taken for each other, from one frame that was put right."""

from dataclasses import replace

import pytest

from app.core.document import Document, Entry, Key, Origin
from app.core.mask import Mask
from app.core.places import Exchanges, all_exchanged, changes_place, exchanged
from tests.fakes import square

LEFT, MIDDLE, RIGHT = (Mask.encode(square(x, side=10)) for x in (0, 22, 40))
FRAME = 10


def entry(mask: Mask | None, *, verified: bool = False) -> Entry:
    return Entry(mask, Origin.PROPAGATED, verified=verified, score=0.9)


def swapped_until(first: int) -> Document:
    """Objects 1 and 2, whose masks are each other's from `first` on, but right on FRAME."""
    one = {frame: entry(LEFT if frame < first else RIGHT) for frame in range(20)}
    two = {frame: entry(RIGHT if frame < first else LEFT) for frame in range(20)}
    one[FRAME], two[FRAME] = entry(LEFT, verified=True), entry(RIGHT, verified=True)
    entries = {Key(f, 1): e for f, e in one.items()} | {Key(f, 2): e for f, e in two.items()}
    return Document((), entries)


def frames_of(document: Document) -> list[int]:
    return sorted({key.frame for key in exchanged(document, FRAME, {1: 2, 2: 1})})


def test_they_get_their_masks_back_from_there_on() -> None:
    document = swapped_until(5)
    changes = exchanged(document, FRAME, {1: 2, 2: 1})
    assert frames_of(document) == list(range(FRAME + 1, 20))
    assert changes[Key(15, 1)] == document.get(Key(15, 2))
    assert changes[Key(15, 2)] == document.get(Key(15, 1))


def test_what_they_get_back_waits_for_no_heal() -> None:
    document = swapped_until(5)
    document.replace({key: replace(e, stale=True) for key, e in document.items()})
    assert not any(e.stale for e in exchanged(document, FRAME, {1: 2, 2: 1}).values() if e)


def test_back_to_where_they_met() -> None:
    document = swapped_until(5)
    near = Mask.encode(square(8, side=10))
    document.replace({Key(6, 1): entry(near), Key(6, 2): entry(LEFT)})
    assert frames_of(document) == [*range(7, FRAME), *range(FRAME + 1, 20)]
    document.replace({Key(8, 1): entry(None)})
    assert frames_of(document) == [9, *range(FRAME + 1, 20)]


def test_where_one_is_lost_it_waits_for_a_heal() -> None:
    document = swapped_until(5)
    document.replace({Key(f, 1): Entry(None, Origin.PROPAGATED, score=0.0) for f in (12, 13)})
    changes = exchanged(document, FRAME, {1: 2, 2: 1})
    assert {key for key, e in changes.items() if e and e.stale} == {Key(12, 2), Key(13, 2)}


def test_specks_of_a_mask_are_no_place_where_they_meet() -> None:
    document = swapped_until(3)
    near = square(8, side=10)
    spread = square(40, side=10)
    document.replace({Key(4, 1): entry(Mask.encode(near)), Key(4, 2): entry(LEFT)})
    spread[25, 5] = True
    document.replace({Key(7, 1): entry(Mask.encode(spread))})
    assert frames_of(document) == [*range(5, FRAME), *range(FRAME + 1, 20)]


def test_up_to_where_they_change_back() -> None:
    document = swapped_until(5)
    document.replace({Key(f, 1): entry(LEFT) for f in range(14, 20)})
    document.replace({Key(f, 2): entry(RIGHT) for f in range(14, 20)})
    assert frames_of(document) == list(range(FRAME + 1, 14))
    document.replace({Key(f, 1): entry(LEFT) for f in range(FRAME + 1, 20)})
    document.replace({Key(f, 2): entry(RIGHT) for f in range(FRAME + 1, 20)})
    assert frames_of(document) == []


def test_up_to_where_one_is_back_and_the_other_lost() -> None:
    """The mask that is left says whose place it has, whichever of the two is lost."""
    for lost in (1, 2):
        document = swapped_until(5)
        document.replace({Key(f, 1): entry(LEFT) for f in range(14, 20)})
        document.replace({Key(f, 2): entry(RIGHT) for f in range(14, 20)})
        document.replace({Key(14, lost): entry(None)})
        before, after = document.on_frame(13), document.on_frame(14)
        assert changes_place(before, after, 1, 2) is True
        assert changes_place(before, after, 2, 1) is True
        assert frames_of(document) == list(range(FRAME + 1, 14))


def test_what_stays_where_it_is_while_the_other_is_lost_changes_no_place() -> None:
    document = swapped_until(5)
    document.replace({Key(14, 1): entry(None)})
    before, after = document.on_frame(13), document.on_frame(14)
    assert changes_place(before, after, 2, 1) is False
    document.replace({Key(14, 2): entry(None)})
    assert changes_place(before, document.on_frame(14), 2, 1) is None


def test_up_to_the_next_anchor_of_either() -> None:
    document = swapped_until(5)
    right = document.get(Key(15, 2))
    assert right is not None
    document.replace({Key(15, 2): replace(right, verified=True)})
    assert frames_of(document) == list(range(FRAME + 1, 15))


def test_up_to_where_one_of_them_takes_the_place_of_a_third() -> None:
    document = swapped_until(5)
    third = {Key(f, 3): entry(MIDDLE) for f in range(20)}
    document.replace(third)
    assert frames_of(document) == list(range(FRAME + 1, 20))
    document.replace({Key(f, 2): entry(MIDDLE) for f in range(15, 20)})
    document.replace({Key(f, 3): entry(LEFT) for f in range(15, 20)})
    assert frames_of(document) == list(range(FRAME + 1, 15))


def test_up_to_where_one_of_them_is_lost_in_the_other() -> None:
    document = swapped_until(5)
    pixels = square(0, side=10) | square(40, side=10)
    document.replace({Key(f, 2): entry(None) for f in range(15, 17)})
    assert frames_of(document) == list(range(FRAME + 1, 20))  # behind something else
    document.replace({Key(f, 1): entry(Mask.encode(pixels)) for f in range(15, 17)})
    assert frames_of(document) == list(range(FRAME + 1, 15))


def test_three_that_went_round_are_put_right_together() -> None:
    places = {1: LEFT, 2: MIDDLE, 3: RIGHT}
    wrong = {1: MIDDLE, 2: RIGHT, 3: LEFT}
    entries = {Key(f, n): entry(mask) for f in (11, 12) for n, mask in wrong.items()}
    entries |= {Key(FRAME, n): entry(mask, verified=True) for n, mask in places.items()}
    document = Document((), entries)
    exchanges = Exchanges()
    exchanges.note(document, FRAME, 1, 3)  # 1 has what 3 had, 3 what 1 had
    exchanges.note(document, FRAME, 2, 3)  # and then 2 what 3 had got
    owners = exchanges.take(document)
    assert owners == {FRAME: {1: 3, 2: 1, 3: 2}}
    changes = exchanged(document, FRAME, owners[FRAME])
    assert {key.object: e.mask for key, e in changes.items() if e and key.frame == 12} == places


def test_what_was_changed_since_is_no_exchange() -> None:
    document, exchanges = swapped_until(5), Exchanges()
    exchanges.note(document, FRAME, 1, 2)
    document.replace({Key(FRAME, 2): entry(MIDDLE)})
    assert exchanges.take(document) == {}
    exchanges.note(document, FRAME, 1, 2)
    exchanges.forget(FRAME)
    assert exchanges.take(document) == {}


def wide(x: int) -> Mask:
    """Return a box of 12 columns: moved by 8 it shares 4 of 20 with itself, by 7 5 of 19."""
    mask = Mask.encode(square(x, side=12))
    assert mask is not None
    return mask


FAR = wide(50)


@pytest.mark.parametrize(("away", "wanted"), [(8, None), (7, False)])
def test_a_mask_has_a_place_where_it_lies_clearly_more_on_it(
    away: int, wanted: bool | None
) -> None:
    before = {1: entry(wide(0)), 2: entry(wide(30))}
    near, far = entry(wide(away)), entry(FAR)
    turned = None if wanted is None else not wanted
    for after in ({1: near, 2: far}, {1: near}):
        assert changes_place(before, after, 1, 2) is wanted
    for after in ({1: far, 2: near}, {2: near}):
        assert changes_place(before, after, 1, 2) is turned


def test_what_was_not_there_before_has_no_place_to_change() -> None:
    one, two = {1: entry(LEFT)}, {2: entry(RIGHT)}
    swapped = {1: entry(RIGHT), 2: entry(LEFT)}
    assert changes_place(two, swapped, 1, 2) is None
    assert changes_place({1: entry(None), **two}, swapped, 1, 2) is None
    assert changes_place(one, swapped, 1, 2) is True  # both are there now: that tells it
    assert changes_place(one, {1: entry(RIGHT)}, 1, 2) is None
    assert changes_place(one, two, 1, 2) is None


@pytest.mark.parametrize(("down", "right"), [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (-1, -1)])
@pytest.mark.parametrize("beside", [9, 10])
def test_two_meet_where_their_boxes_share_a_pixel(beside: int, down: int, right: int) -> None:
    """On frame 6; a pixel further away they only touch."""
    document = swapped_until(5)
    near = Mask.encode(square(25 + beside * right, y=20 + beside * down))
    document.replace({Key(6, 1): entry(near), Key(6, 2): entry(Mask.encode(square(25)))})
    back = [7, 8, 9] if beside == 9 else []
    assert frames_of(document) == [*back, *range(FRAME + 1, 20)]


def test_nothing_changes_back_where_they_have_not_met() -> None:
    document = swapped_until(0)
    document.replace({Key(0, 1): None, Key(0, 2): None})
    assert frames_of(document) == [*range(1, FRAME), *range(FRAME + 1, 20)]
    document = swapped_until(0)
    assert frames_of(document) == list(range(FRAME + 1, 20))
    assert exchanged(Document(), FRAME, {1: 2, 2: 1}) == {}


def test_what_one_gets_where_the_other_has_nothing_is_nothing() -> None:
    document = swapped_until(5)
    document.replace({Key(f, 2): None for f in range(15, 20)})
    changes = exchanged(document, FRAME, {1: 2, 2: 1})
    assert changes[Key(16, 1)] is None
    assert changes[Key(16, 2)] == document.get(Key(16, 1))


@pytest.mark.parametrize(("columns", "lost"), [(5, False), (6, True)])
def test_more_than_half_of_what_is_gone_lies_in_the_other_where_it_was_lost_in_it(
    columns: int, lost: bool
) -> None:
    document = swapped_until(5)
    over = square(40)
    over[20:30, :columns] = True
    document.replace({Key(f, 1): entry(Mask.encode(over)) for f in range(15, 20)})
    document.replace({Key(f, 2): entry(None) for f in range(15, 20)})
    assert frames_of(document) == list(range(FRAME + 1, 15 if lost else 20))


def test_who_takes_the_place_of_a_third_is_seen_from_one_frame_to_the_next() -> None:
    document = swapped_until(5)
    document.replace({Key(f, 3): entry(MIDDLE) for f in range(20)})
    document.replace({Key(f, 2): entry(MIDDLE) for f in range(15, 20)})
    document.replace({Key(f, 3): entry(LEFT) for f in range(15, 20)})
    document.replace({Key(13, 2): None})
    assert frames_of(document) == list(range(FRAME + 1, 15))


def test_back_to_no_meeting_that_lies_before_an_anchor() -> None:
    document = swapped_until(5)
    near = Mask.encode(square(8, side=10))
    document.replace({Key(3, 1): entry(near), Key(3, 2): entry(LEFT)})
    assert frames_of(document) == [*range(4, FRAME), *range(FRAME + 1, 20)]
    document.replace({Key(6, 2): entry(LEFT, verified=True)})
    assert frames_of(document) == list(range(FRAME + 1, 20))


def test_of_three_two_meet() -> None:
    document = swapped_until(5)
    document.replace({Key(f, 3): entry(MIDDLE) for f in range(20)})
    document.replace({Key(6, 3): entry(Mask.encode(square(33, side=10)))})
    owners = {1: 2, 2: 1, 3: 3}
    frames = sorted({key.frame for key in exchanged(document, FRAME, owners)})
    assert frames[:3] == [7, 8, 9]


def test_of_several_corrections_each_holds_up_to_the_next() -> None:
    document = swapped_until(5)
    verified = {Key(15, 1): entry(LEFT, verified=True), Key(15, 2): entry(RIGHT, verified=True)}
    document.replace(verified)
    owners = {1: 2, 2: 1}
    one, other = exchanged(document, FRAME, owners), exchanged(document, 15, owners)
    assert {key.frame for key in one} == set(range(FRAME + 1, 15))
    assert {key.frame for key in other} == set(range(16, 20))
    assert all_exchanged(document, {15: owners, FRAME: owners}) == {**one, **other}
    # Where both reach a frame it is the earlier one that holds.
    free = swapped_until(5)
    whole = exchanged(free, FRAME, owners)
    assert all_exchanged(free, {12: {1: 1, 2: 2}, FRAME: owners}) == whole


def test_exchanges_are_known_until_they_are_taken_or_forgotten() -> None:
    document, exchanges = swapped_until(5), Exchanges()
    exchanges.note(document, FRAME, 1, 2)
    exchanges.note(document, 12, 1, 2)
    exchanges.forget(12)
    exchanges.forget(13)
    assert exchanges.take(document) == {FRAME: {1: 2, 2: 1}}
    assert exchanges.take(document) == {}
