"""The view: the current frame, the selection, the range."""

from app.core.block import Block
from tests.session.desk import FRAMES, Desk


def test_going_beyond_the_ends_stays_at_the_ends(desk: Desk) -> None:
    desk.session.view.go_to(99)
    assert desk.session.view.frame == FRAMES - 1
    desk.session.view.go_to(-5)
    assert desk.session.view.frame == 0


def test_the_range_is_put_in_order(desk: Desk) -> None:
    desk.session.view.set_range(20, 10)
    assert (desk.session.view.in_point, desk.session.view.out_point) == (10, 20)


def test_an_object_that_undo_takes_away_is_no_longer_selected(desk: Desk) -> None:
    desk.session.objects.add()
    desk.session.history.stack.undo()
    assert desk.session.view.selected is None


def test_an_object_whose_deletion_is_undone_is_selected_again(desk: Desk) -> None:
    session, view = desk.session, desk.session.view
    first, second = session.objects.add(), session.objects.add()
    session.objects.delete(second or 0)
    session.history.undo()
    assert view.selected == second
    session.history.redo()
    assert view.selected is None
    view.select(first)
    session.history.undo()  # it comes back, so it is what the person looks for
    assert view.selected == second
    view.select(first)
    session.history.redo()
    session.history.undo()
    assert view.selected == first  # as it was when the other one went


def test_the_selection_that_an_undone_step_took_comes_back(desk: Desk) -> None:
    session, view = desk.session, desk.session.view
    numbers = [session.objects.add() for _ in range(3)]
    for number in reversed(numbers):
        assert view.selected == number
        session.history.undo()
    for number in numbers:
        session.history.redo()
        assert view.selected == number


def test_undo_leaves_the_selection_of_an_object_that_stays(desk: Desk) -> None:
    session, view = desk.session, desk.session.view
    first, second = session.objects.add(), session.objects.add()
    session.objects.add()
    view.select(first)
    session.history.undo()
    assert view.selected == first
    view.select(second)
    session.objects.delete(first or 0)  # which is not selected
    for step in (session.history.undo, session.history.redo):
        step()
        assert view.selected == second
    session.objects.rename(second or 0, "cup")
    view.select(None)
    session.history.undo()  # no object comes or goes
    assert view.selected is None


def test_the_view_begins_anew_with_each_video(desk: Desk) -> None:
    session = desk.session
    session.objects.add()
    session.view.go_to(5)
    session.view.set_range(2, 9)
    assert (session.view.first, session.view.last) == (2, 9)
    session.files.close()
    view = session.view
    assert (view.frame, view.selected, view.in_point, view.out_point) == (0, None, None, None)
    view.go_to(3)
    assert view.frame == 0


def test_what_is_looked_at_is_told_once(desk: Desk) -> None:
    session, view = desk.session, desk.session.view
    told = list[object]()
    view.frame_changed.connect(lambda frame: told.append(("frame", frame)))
    view.selection_changed.connect(lambda number: told.append(("object", number)))
    view.range_changed.connect(lambda: told.append((view.in_point, view.out_point)))
    view.block_changed.connect(lambda: told.append(view.block))
    first, second = session.objects.add(), session.objects.add()
    assert told == [("object", first), ("object", second)]
    told.clear()
    for _ in range(2):
        view.go_to(5)
        view.select(first)
        view.select(99)  # there is none
    assert told == [("frame", 5), ("object", first)]
    told.clear()
    view.set_range(3, None)
    view.set_range(None, 7)
    assert told == [(3, None), (None, 7)]
    assert (view.first, view.last) == (0, 7)
    told.clear()
    block = Block((first or 0, second or 0), range(3))
    view.choose_block(block)
    view.choose_block(Block((first or 0, second or 0), range(3)))
    assert told == [block]
    told.clear()
    session.objects.delete(second or 0)
    assert told == [None]  # a block of what is gone is none
    assert view.selected == first
    view.select(None)
    assert told == [None, ("object", None)]


def test_a_block_of_objects_that_are_there_stays(desk: Desk) -> None:
    session = desk.session
    first, second = session.objects.add(), session.objects.add()
    block = Block((first or 0,), range(3))
    session.view.choose_block(block)
    session.objects.delete(second or 0)
    assert session.view.block is block
    session.files.close()
    assert session.view.block is None


def test_work_goes_from_end_to_end_where_no_range_is_set(desk: Desk) -> None:
    assert (desk.session.view.first, desk.session.view.last) == (0, FRAMES - 1)
    desk.session.view.set_range(0, 0)
    assert (desk.session.view.first, desk.session.view.last) == (0, 0)
