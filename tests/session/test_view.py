"""The view: the current frame, the selection, the range."""

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
