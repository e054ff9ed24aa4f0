"""The edits of objects."""

from dataclasses import replace

from app.core.document import Key, ObjectInfo, State
from tests.fakes import square
from tests.session.desk import Desk, draw


def test_objects_are_added_edited_moved_and_deleted_and_all_is_undone(desk: Desk) -> None:
    session = desk.session
    first, second = session.objects.add("knife"), session.objects.add("hand")
    assert first is not None
    assert second is not None
    session.objects.edit(ObjectInfo(first, "spoon", (1, 2, 3)))
    session.objects.move(first, 1)
    draw(desk, 3, second)
    assert [info.name for info in session.masks.objects] == ["hand", "spoon"]
    session.objects.delete(second)
    assert [info.name for info in session.masks.objects] == ["spoon"]
    assert len(session.masks.document) == 0
    session.history.stack.undo()
    assert session.masks.document.get(Key(3, second)) is not None
    while session.history.stack.canUndo():
        session.history.stack.undo()
    assert session.masks.objects == ()


def test_of_three_hundred_objects_those_beyond_the_limit_are_refused_and_the_rest_stay(
    desk: Desk,
) -> None:
    added = [desk.session.objects.add() for _ in range(300)]
    assert [info.id for info in desk.session.masks.objects] == list(range(1, 255))
    assert added[254:] == [None] * 46
    assert desk.said("There is room for 254 objects. Delete one first.")
    desk.session.edit.draw_mask(0, 254, square(10), "Brush")
    assert desk.session.masks.state(Key(0, 254)) is State.ANCHOR


def test_what_is_edited_is_made_where_nothing_is_selected_and_refused_where_it_is_locked(
    desk: Desk,
) -> None:
    objects, view = desk.session.objects, desk.session.view
    made = objects.to_edit()
    assert made is not None
    assert (made.id, view.selected) == (1, 1)
    assert objects.to_edit() == made
    objects.edit(replace(made, locked=True))
    assert objects.to_edit() is None
    assert desk.said("locked")
    assert desk.session.edit.editable() is None
