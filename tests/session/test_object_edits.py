"""The edits of objects."""

from dataclasses import replace

from app.core.colors import OKABE_ITO
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


def test_a_new_object_is_on_top_selected_and_has_the_name_of_its_class(desk: Desk) -> None:
    session = desk.session
    plain = session.objects.add()
    classed = session.objects.add(class_id=13)
    both = session.objects.add("my cup", 13)
    assert [(info.id, info.name, info.class_id) for info in session.masks.objects] == [
        (plain, "object 1", None), (classed, "cup", 13), (both, "my cup", 13),
    ]  # fmt: skip
    assert session.view.selected == both
    assert session.history.stack.undoText() == "Add my cup"


def test_colours_are_those_of_the_palette_and_come_round(desk: Desk) -> None:
    session = desk.session
    session.preferences.apply(replace(session.preferences.settings, palette="colour-blind"))
    for _ in range(len(OKABE_ITO) + 1):
        session.objects.add()
    colors = [info.color for info in session.masks.objects]
    assert colors == [*OKABE_ITO, OKABE_ITO[0]]
    session.preferences.apply(replace(session.preferences.settings, palette="colourful"))
    for _ in range(12):
        session.objects.add()
    colors = [info.color for info in session.masks.objects[len(OKABE_ITO) + 1 :]]
    assert len(set(colors)) == 10
    assert colors[:2] == colors[10:]
    assert set(OKABE_ITO) < set(colors)


def test_a_name_brings_its_class_along_and_keeps_the_one_there_is(desk: Desk) -> None:
    session, stack = desk.session, desk.session.history.stack
    session.objects.add()
    steps = stack.count()

    def now() -> tuple[str, int | None]:
        return session.masks.objects[0].name, session.masks.objects[0].class_id

    for nothing in ("", "  ", "object 1", " object 1 "):
        session.objects.rename(1, nothing)
    session.objects.rename(9, "cup")  # there is none
    assert (now(), stack.count()) == (("object 1", None), steps)
    session.objects.rename(1, " cup ")
    assert now() == ("cup", 13)
    assert stack.undoText() == "Edit cup"
    session.objects.rename(1, "grandmother's")
    assert now() == ("grandmother's", 13)
    assert stack.count() == steps + 2


def test_a_class_is_given_by_name_or_said_to_be_none(desk: Desk) -> None:
    session = desk.session
    session.objects.add("mine")
    assert session.objects.classify(1, "cup")
    assert (session.masks.objects[0].name, session.masks.objects[0].class_id) == ("mine", 13)
    steps = session.history.stack.count()
    assert not session.objects.classify(1, " nonsense ")
    assert desk.reports[-1].text == "There is no noun class called 'nonsense'."
    assert session.objects.classify(9, "plate")  # of no object that there is
    assert session.history.stack.count() == steps
    assert session.masks.objects[0].class_id == 13


def test_an_edit_that_changes_nothing_is_no_step(desk: Desk) -> None:
    session = desk.session
    for name in ("cup", "lid"):
        session.objects.add(name)
    steps = session.history.stack.count()
    session.objects.edit(*session.masks.objects)
    session.objects.move(2, 1)
    session.objects.move(9, 0)
    assert session.history.stack.count() == steps
    session.objects.edit(*(replace(info, visible=False) for info in session.masks.objects))
    assert session.history.stack.undoText() == "Edit 2 objects"
    session.objects.move(2, 0)
    assert [info.name for info in session.masks.objects] == ["lid", "cup"]
    assert session.history.stack.undoText() == "Move lid"


def test_what_is_deleted_is_selected_no_more_and_what_is_locked_stays(desk: Desk) -> None:
    session = desk.session
    for number, x in ((1, 10), (2, 40)):
        draw(desk, 0, number=number, x=x)
        draw(desk, 5, number=number, x=x)
    session.view.select(2)
    session.objects.delete(1)
    assert session.view.selected == 2
    assert sorted(key.object for key, _ in session.masks.document.items()) == [2, 2]
    assert session.history.stack.undoText() == "Delete object 1"
    session.objects.edit(replace(session.masks.objects[0], locked=True))
    session.objects.delete(2)
    assert desk.reports[-1].text == "object 2 is locked."
    assert len(session.masks.document) == 2
    session.objects.edit(replace(session.masks.objects[0], locked=False))
    session.objects.delete(2)
    assert session.view.selected is None


def test_nothing_is_made_or_edited_without_a_video(desk: Desk) -> None:
    session = desk.session
    session.files.close()
    assert session.objects.add() is None
    assert session.objects.to_edit() is None
    assert session.masks.objects == ()


def test_classes_are_searched_by_name(desk: Desk) -> None:
    assert desk.session.objects.search_classes("cup")[0].name == "cup"
    assert desk.session.objects.search_classes("zzzzzz") == ()
