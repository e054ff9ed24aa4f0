"""An edit that is taken back later: what it put there goes, what came after it stays."""

from dataclasses import replace

import pytest

from app.core.document import Changes, Document, Entry, Key, Origin
from app.core.mask import Mask
from app.session.edits.edit import Edit, masks_of
from tests.fakes import square

FRAME = 4
KEY, OTHER, MARKED = Key(FRAME, 1), Key(FRAME, 2), Key(FRAME + 1, 1)


def entry(x: int, origin: Origin = Origin.PROPAGATED) -> Entry:
    return Entry(Mask.encode(square(x)), origin)


def document() -> Document:
    return Document((), {KEY: entry(10), OTHER: entry(40), MARKED: entry(11)})


def make(there: Document, changes: Changes) -> Edit:
    """Make an edit that is about one frame."""
    beside = {FRAME: masks_of(there.on_frame(FRAME))}
    before: Changes = {key: there.get(key) for key in changes}
    there.replace(changes)
    return Edit(before, dict(changes), beside)


def clicked(there: Document) -> Edit:
    """Make an edit that takes a part of a neighbour, and makes the next frame stale."""
    shrunk = Entry(Mask.encode(square(44, side=6)), Origin.PROPAGATED)
    stale = replace(entry(11), stale=True)
    return make(there, {KEY: entry(34, Origin.CLICKED), OTHER: shrunk, MARKED: stale})


BACK = {KEY: entry(10), OTHER: entry(40), MARKED: entry(11)}


def test_all_that_it_changed_comes_back() -> None:
    there = document()
    assert clicked(there).undone_in(there) == BACK


def test_what_it_left_as_it_was_is_not_changed() -> None:
    there = document()
    edit = make(there, {KEY: entry(34, Origin.CLICKED), OTHER: entry(40)})
    assert edit.undone_in(there) == {KEY: entry(10)}


@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("later", [entry(50), Entry(None, Origin.DRAWN)])
def test_where_a_mask_of_its_frame_changed_since_nothing_does(number: int, later: Entry) -> None:
    there = document()
    there.replace({Key(FRAME, 3): entry(20)})
    edit = clicked(there)
    there.replace({Key(FRAME, number): later})
    assert edit.undone_in(there) == {MARKED: entry(11)}


def test_where_the_mask_of_its_object_changed_since_nothing_does() -> None:
    for later in (entry(35), None, replace(entry(34, Origin.CLICKED), verified=True)):
        there = document()
        edit = clicked(there)
        there.replace({KEY: later})
        assert edit.undone_in(there) == {MARKED: entry(11)}


def test_a_mask_that_was_propagated_anew_since_stays_and_the_frame_of_the_edit_does_not() -> None:
    there = document()
    edit = clicked(there)
    there.replace({MARKED: entry(12)})
    assert edit.undone_in(there) == {KEY: entry(10), OTHER: entry(40)}


def test_what_became_stale_since_then_still_is() -> None:
    there = document()
    there.replace({Key(FRAME, 3): entry(20, Origin.DRAWN)})
    changes: Changes = {
        KEY: entry(34, Origin.CLICKED),
        OTHER: replace(entry(44), score=0.5),
        Key(FRAME, 3): entry(21),
        Key(FRAME, 4): entry(22),
    }
    edit = make(there, changes)
    there.replace({key: replace(e, stale=True) for key, e in changes.items() if e})
    assert edit.undone_in(there) == {
        KEY: replace(entry(10), stale=True),
        OTHER: replace(entry(40), stale=True),
        Key(FRAME, 3): entry(20, Origin.DRAWN),  # a person's own mask is never stale
        Key(FRAME, 4): None,
    }


def test_a_mask_that_the_edit_took_away_comes_back() -> None:
    there = document()
    there.replace({KEY: replace(entry(10), stale=True)})
    edit = make(there, {KEY: None})
    assert edit.undone_in(there) == {KEY: replace(entry(10), stale=True)}
    there.replace({KEY: entry(10)})
    assert edit.undone_in(there) == {}


def test_two_edits_as_one_go_back_to_before_the_first() -> None:
    there = document()
    first = clicked(there)
    both = first.then(make(there, {KEY: entry(36, Origin.CLICKED), Key(FRAME, 3): entry(20)}))
    assert both.undone_in(there) == {**BACK, Key(FRAME, 3): None}
    there.replace({Key(FRAME, 3): entry(21)})
    assert both.undone_in(there) == {MARKED: entry(11)}


def test_it_hides_what_a_person_says_is_not_to_be_seen() -> None:
    there = document()
    absent, lost = Entry(None, Origin.DRAWN), Entry(None, Origin.PROPAGATED)
    edit = make(there, {KEY: absent, OTHER: lost, Key(FRAME, 3): None, MARKED: entry(9)})
    assert edit.hides == {KEY}
    assert make(there, {OTHER: entry(9, Origin.DRAWN)}).hides == frozenset()
