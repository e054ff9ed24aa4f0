"""Objects that were taken for each other, from one frame that was put right."""

from dataclasses import replace

from app.core.document import Document, Entry, Key, Origin
from app.core.mask import Mask
from app.core.places import Exchanges, changes_place, exchanged
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
