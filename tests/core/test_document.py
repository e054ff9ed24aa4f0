"""The document: one replace, its own inverse, whatever the history."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QUndoStack

from app.commands import EditObjects, ReplaceEntries
from app.core.attributes import Attributes
from app.core.document import (
    Changes,
    Document,
    Entry,
    Key,
    ObjectInfo,
    Objects,
    Origin,
    State,
    ids_for,
    why_not_editable,
)
from app.core.mask import Mask
from tests.fakes import square

MASKS = [Mask.encode(square(x)) for x in range(0, 50, 5)]
keys = st.builds(Key, st.integers(0, 5), st.integers(1, 3))
entries = st.builds(
    Entry,
    st.sampled_from([None, *MASKS]),
    st.sampled_from(Origin),
    verified=st.booleans(),
    stale=st.booleans(),
)
changes = st.dictionaries(keys, st.none() | entries, max_size=8)
infos = st.builds(ObjectInfo, st.integers(1, 3), st.just("thing"), st.just((1, 2, 3)))
object_lists = st.lists(infos, max_size=3).map(tuple)


def everything(document: Document) -> tuple[dict[Key, Entry], Objects, int]:
    return dict(document.items()), document.objects, len(document)


@given(changes, changes)
def test_replace_returns_its_own_inverse(start: Changes, change: Changes) -> None:
    document = Document()
    document.replace(start)
    before = everything(document)
    document.replace(document.replace(change))
    assert everything(document) == before


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("edit"), changes),
            st.tuples(st.just("series"), changes),
            st.tuples(st.just("objects"), object_lists),
            st.tuples(st.just("undo"), st.integers(1, 3)),
            st.tuples(st.just("redo"), st.integers(1, 3)),
        ),
        max_size=25,
    )
)
def test_any_history_of_edits_undos_and_redos_shows_the_states_it_went_through(
    steps: list[tuple[str, object]],
) -> None:
    document, stack = Document(), QUndoStack()
    states = [everything(document)]  # by position in the stack
    for what, value in steps:
        if what in {"undo", "redo"}:
            assert isinstance(value, int)
            for _ in range(value):
                stack.undo() if what == "undo" else stack.redo()
        else:
            push(document, stack, what, value)
            states = [*states[: stack.index()], everything(document)]
        assert everything(document) == states[stack.index()]


def push(document: Document, stack: QUndoStack, what: str, value: object) -> None:
    if what == "objects":
        assert isinstance(value, tuple)
        stack.push(EditObjects(document, value, "objects", lambda: None, lambda: None))
    else:
        assert isinstance(value, dict)
        series = 7 if what == "series" else None
        stack.push(ReplaceEntries(document, value, what, series=series))


def test_edits_of_one_series_are_one_undo_step() -> None:
    document, stack = Document(), QUndoStack()
    first, second = Entry(MASKS[0], Origin.CLICKED), Entry(MASKS[1], Origin.CLICKED)
    stack.push(ReplaceEntries(document, {Key(0, 1): first}, "Click", series=1))
    stack.push(ReplaceEntries(document, {Key(0, 1): second, Key(1, 1): first}, "Click", series=1))
    assert stack.count() == 1
    stack.undo()
    assert len(document) == 0
    stack.redo()
    assert document.get(Key(0, 1)) == second
    assert document.get(Key(1, 1)) == first


def test_edits_of_different_series_are_steps_of_their_own() -> None:
    document, stack = Document(), QUndoStack()
    entry = Entry(MASKS[0], Origin.CLICKED)
    stack.push(ReplaceEntries(document, {Key(0, 1): entry}, "Click", series=1))
    stack.push(ReplaceEntries(document, {Key(1, 1): entry}, "Click", series=2))
    assert stack.count() == 2


def test_a_snapshot_is_not_touched_by_later_edits() -> None:
    document = Document((), {Key(0, 1): Entry(MASKS[0], Origin.DRAWN)})
    snapshot = document.snapshot()
    document.replace({Key(0, 1): None})
    assert snapshot.get(Key(0, 1)) == Entry(MASKS[0], Origin.DRAWN)


def test_listeners_hear_the_keys_of_every_replace() -> None:
    document, heard = Document(), list[frozenset[Key]]()
    document.on_change(heard.append)
    document.replace({Key(3, 1): None, Key(4, 2): Entry(None, Origin.DRAWN)})
    assert heard == [frozenset({Key(3, 1), Key(4, 2)})]


def test_states_say_how_an_entry_came_to_be() -> None:
    mask = MASKS[0]
    wanted = {
        State.PREDICTED: Entry(mask, Origin.PROPAGATED),
        State.STALE: Entry(mask, Origin.PROPAGATED, stale=True),
        State.CONFLICT: Entry(mask, Origin.PROPAGATED, conflict=True),
        State.VERIFIED: Entry(mask, Origin.PROPAGATED, verified=True),
        State.ANCHOR: Entry(mask, Origin.CLICKED),
        State.GROUND_TRUTH: Entry(mask, Origin.IMPORTED),
        State.ABSENT: Entry(None, Origin.DRAWN),
        State.OCCLUDED: Entry(None, Origin.DRAWN, occluded=True),
    }
    assert {state: entry.state for state, entry in wanted.items()} == {s: s for s in wanted}


def thing(number: int, **facts: bool) -> ObjectInfo:
    return ObjectInfo(number, f"thing {number}", (1, 2, 3), **facts)


def test_an_object_is_found_by_its_id() -> None:
    document = Document((thing(3), thing(1)))
    assert document.object(3) == thing(3)
    assert document.object(1) == thing(1)
    with pytest.raises(KeyError):
        document.object(2)


@pytest.mark.parametrize(
    ("item", "why"),
    [
        (thing(1), None),
        (thing(1, locked=True), "thing 1 is locked. Unlock it (L) to edit it."),
        (thing(1, visible=False), "thing 1 is hidden. Show it (H) to edit it."),
        (thing(1, visible=False, locked=True), "thing 1 is locked. Unlock it (L) to edit it."),
    ],
)
def test_an_object_is_edited_where_it_is_shown_and_not_locked(
    item: ObjectInfo, why: str | None
) -> None:
    assert why_not_editable(item) == why


def test_no_id_is_given_twice() -> None:
    assert Document().next_id == 1
    document = Document((thing(3), thing(1)))
    assert document.next_id == 4
    document.replace_objects((thing(1),))
    assert document.next_id == 4
    document.replace_objects((thing(7),))
    assert document.next_id == 8
    assert document.snapshot().next_id == 8
    assert Document((thing(1),), next_id=5).next_id == 5
    assert Document((thing(5),), next_id=5).next_id == 6


@given(st.sets(st.integers(1, 9)), st.sets(st.integers(1, 9)), st.integers(1, 12))
def test_what_comes_from_outside_never_gets_the_id_of_an_object_that_is_gone(
    there: set[int], given_ids: set[int], next_id: int
) -> None:
    document = Document(tuple(map(thing, sorted(there))), next_id=next_id)
    found = ids_for(document, given_ids)
    gone = set(range(1, document.next_id)) - there
    assert found.keys() == given_ids
    assert len(set(found.values())) == len(found)
    assert gone.isdisjoint(found.values())
    assert {number: new for number, new in found.items() if number not in gone} == {
        number: number for number in given_ids - gone
    }
    fresh = [found[number] for number in sorted(given_ids & gone)]
    first = max([document.next_id, *(number + 1 for number in given_ids)])
    assert fresh == list(range(first, first + len(fresh)))


def test_attributes_are_kept_and_given_back() -> None:
    said = Attributes(orders={3: (2, 1)})
    document = Document(attributes=said)
    assert document.attributes is said
    assert document.snapshot().attributes is said
    assert document.replace_attributes(Attributes()) is said
    assert not document.attributes


def test_entries_are_found_by_frame_and_by_object_frames_rising() -> None:
    entry, other = Entry(MASKS[0], Origin.DRAWN), Entry(None, Origin.DRAWN)
    document = Document((), {Key(5, 2): entry, Key(5, 1): other, Key(2, 2): other})
    assert document.frames() == [2, 5]
    assert list(document.of_object(2).items()) == [(2, other), (5, entry)]
    assert [key for key, _ in document.items()] == [Key(2, 2), Key(5, 2), Key(5, 1)]
    assert dict(document.on_frame(5)) == {2: entry, 1: other}
    assert document.on_frame(4) == {}
    document.replace({Key(2, 2): None})
    assert (document.frames(), len(document)) == ([5], 2)
