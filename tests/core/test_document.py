"""The document: one replace, its own inverse, whatever the history."""

from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtGui import QUndoStack

from app.commands import EditObjects, ReplaceEntries
from app.core.document import Changes, Document, Entry, Key, ObjectInfo, Objects, Origin, State
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
        stack.push(EditObjects(document, value, "objects", lambda: None))
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
