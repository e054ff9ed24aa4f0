"""The session: views, objects, edits and their undo."""

import time
from collections.abc import Callable
from pathlib import Path

from pytestqt.qtbot import QtBot

from app.core.document import Key, ObjectInfo, State
from app.core.plan import Direction
from models.api import Click
from tests.fakes import square, write_frames
from tests.session.desk import FRAMES, Desk, draw


def test_going_beyond_the_ends_stays_at_the_ends(desk: Desk) -> None:
    desk.session.view.go_to(99)
    assert desk.session.view.frame == FRAMES - 1
    desk.session.view.go_to(-5)
    assert desk.session.view.frame == 0


def test_an_image_that_is_not_in_memory_is_announced_when_it_is(desk: Desk, qtbot: QtBot) -> None:
    session = desk.session
    if session.video.image(7) is None:
        qtbot.waitUntil(lambda: session.video.image(7) is not None)
    image = session.video.image(7)
    assert image is not None
    assert image[0, 0, 0] == 7


def test_the_range_is_put_in_order(desk: Desk) -> None:
    desk.session.view.set_range(20, 10)
    assert (desk.session.view.in_point, desk.session.view.out_point) == (10, 20)


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


def test_an_object_that_undo_takes_away_is_no_longer_selected(desk: Desk) -> None:
    desk.session.objects.add()
    desk.session.history.stack.undo()
    assert desk.session.view.selected is None


def test_a_drawn_mask_is_an_anchor_and_an_empty_one_means_absent(desk: Desk) -> None:
    draw(desk, 3)
    assert desk.session.masks.state(Key(3, 1)) is State.ANCHOR
    desk.session.edit.draw_mask(4, 1, square(10) & False, "Erase")
    assert desk.session.masks.state(Key(4, 1)) is State.ABSENT


def test_locked_objects_are_never_touched(desk: Desk, idle: Callable[[], None]) -> None:
    session = desk.session
    draw(desk, 3)
    session.objects.edit(ObjectInfo(1, "knife", (1, 2, 3), locked=True))
    before = dict(session.masks.document.items())
    session.edit.draw_mask(3, 1, square(30), "Brush")
    session.edit.clear([Key(3, 1)])
    session.edit.mark_absent([Key(4, 1)])
    session.clicks.click(Click(20, 20))
    session.objects.delete(1)
    session.jobs.propagate(Direction.BOTH)
    idle()
    assert dict(session.masks.document.items()) == before
    assert desk.said("locked")


def test_absent_occluded_approved_and_unanchored_are_undoable_states(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.edit.mark_absent([Key(5, 1)])
    session.edit.mark_occluded([Key(6, 1)])
    session.edit.verify([Key(7, 1)])
    session.edit.unanchor([Key(0, 1)])
    states = [session.masks.state(Key(frame, 1)) for frame in (5, 6, 7, 0)]
    assert states == [State.ABSENT, State.OCCLUDED, State.VERIFIED, State.STALE]
    for _ in range(4):
        session.history.stack.undo()
    assert session.masks.state(Key(6, 1)) is State.PREDICTED
    assert session.masks.state(Key(0, 1)) is State.ANCHOR


def test_showing_an_object_again_brings_back_what_stood_there(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    for frame in (0, 5):  # drawn, propagated
        key = Key(frame, 1)
        before = session.masks.document.get(key)
        assert before is not None
        session.edit.mark_absent([key])
        session.edit.mark_occluded([key])
        session.edit.show_again([key])
        after = session.masks.document.get(key)
        assert after is not None
        assert (after.mask, after.origin) == (before.mask, before.origin)


def test_showing_an_object_again_where_nothing_stood_leaves_nothing(desk: Desk) -> None:
    desk.session.objects.add()
    desk.session.edit.mark_absent([Key(3, 1)])
    desk.session.edit.show_again([Key(3, 1)])
    assert desk.session.masks.document.get(Key(3, 1)) is None


def test_approving_a_mask_as_it_is_makes_nothing_stale(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.edit.verify([Key(10, 1)])
    assert session.masks.state(Key(10, 1)) is State.VERIFIED
    assert not any(entry.stale for _, entry in session.masks.document.items())


def test_an_edit_marks_what_depends_on_it_as_stale_in_the_same_step(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    draw(desk, 10, x=30)
    assert session.masks.state(Key(5, 1)) is State.STALE
    assert session.masks.state(Key(20, 1)) is State.STALE
    session.history.stack.undo()
    assert session.masks.state(Key(20, 1)) is State.PREDICTED


def test_undo_of_a_thousand_frames_is_quick_and_exact(tmp_path: Path, qtbot: QtBot) -> None:
    desk = Desk(write_frames(tmp_path / "long", 1001, size=(24, 24)))
    desk.prepare()
    session = desk.session
    session.objects.add()
    session.edit.draw_mask(0, 1, square(3, 3, 8, size=(24, 24)), "Brush")
    before = dict(session.masks.document.items())
    session.jobs.propagate(Direction.FORWARD)
    qtbot.waitUntil(lambda: len(session.masks.document) == 1001, timeout=30_000)
    start = time.perf_counter()
    session.history.stack.undo()
    assert time.perf_counter() - start < 0.5
    assert dict(session.masks.document.items()) == before
    desk.close()
