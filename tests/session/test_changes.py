"""What the last job changed, accepted or rejected."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Entry, Key, Origin, State
from app.core.mask import Mask
from app.core.plan import Direction
from tests.fakes import square
from tests.session.desk import FRAMES, Desk, draw, mask_at


@pytest.fixture
def healed(desk: Desk, qtbot: QtBot, idle: Callable[[], None]) -> Desk:
    """Two objects; the heal of the first has changed its masks around frame 15."""
    session = desk.session
    draw(desk, 0)
    draw(desk, 0, number=2, x=60)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.view.go_to(15)
    session.view.select(1)
    draw(desk, 15, x=30)
    session.correction.verify_and_heal()
    idle()
    qtbot.waitUntil(lambda: bool(session.changes.open))
    return desk


def frames_of(desk: Desk) -> list[int]:
    return sorted(each.key.frame for each in desk.session.changes.open)


def test_the_changes_of_a_heal_are_open_the_largest_first(healed: Desk) -> None:
    changes = healed.session.changes
    amounts = [each.amount for each in changes.open]
    assert amounts == sorted(amounts, reverse=True)
    assert {each.key.object for each in changes.open} == {1}
    assert 15 not in frames_of(healed)  # the person's own
    assert 16 in frames_of(healed)
    before, after = changes.pair(Key(16, 1)) or (None, None)
    assert before is not None
    assert before.mask == mask_at(10)
    assert after is not None
    assert after.mask == mask_at(30)


def test_a_range_ends_where_nothing_has_changed(healed: Desk) -> None:
    keys = healed.session.changes.range_of(Key(16, 1))
    assert [key.frame for key in keys] == [f for f in frames_of(healed) if f > 15]
    assert [key.frame for key in healed.session.changes.of_object(1)] == frames_of(healed)


def test_reject_puts_back_what_stood_there_as_one_step(healed: Desk) -> None:
    session = healed.session
    keys = session.changes.range_of(Key(16, 1))
    session.changes.reject(keys)
    assert all(session.masks.document.get(key).mask == mask_at(10) for key in keys)  # type: ignore[union-attr]
    assert session.masks.state(keys[0]) is State.PREDICTED  # and waits for no other heal
    assert not set(keys) & {each.key for each in session.changes.open}
    session.history.undo()
    assert all(session.masks.document.get(key).mask == mask_at(30) for key in keys)  # type: ignore[union-attr]
    assert set(keys) <= {each.key for each in session.changes.open}


def test_accept_closes_changes_and_undo_opens_them_again(healed: Desk) -> None:
    session = healed.session
    before = dict(session.masks.document.items())
    session.changes.accept(session.changes.of_object(1))
    assert session.changes.open == ()
    assert dict(session.masks.document.items()) == before
    session.history.undo()
    assert len(session.changes.open) > 1


def test_what_was_edited_since_is_not_decided_on(healed: Desk) -> None:
    draw(healed, 16, x=50)
    assert 16 not in frames_of(healed)
    healed.session.changes.reject([Key(16, 1)])
    assert healed.session.masks.document.get(Key(16, 1)).mask == mask_at(50)  # type: ignore[union-attr]


def test_what_is_put_back_overlaps_nothing(
    healed: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session = healed.session
    draw(healed, 20, number=2, x=12)  # where the first was before the heal
    session.changes.reject([Key(20, 1)])
    found = [e.mask.decode() for e in session.masks.document.on_frame(20).values() if e.mask]
    assert np.sum(found, axis=0).max() == 1
    assert session.masks.document.get(Key(20, 2)).mask == mask_at(12)  # type: ignore[union-attr]


def test_a_mask_that_was_filled_is_rejected_to_none(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    qtbot.waitUntil(lambda: len(session.changes.open) == FRAMES - 1)
    assert {each.amount for each in session.changes.open} == {1.0}
    session.changes.reject(session.changes.range_of(Key(5, 1)))
    assert session.masks.document.get(Key(5, 1)) is None
    assert session.changes.open == ()


def test_another_video_has_no_changes(healed: Desk) -> None:
    healed.session.files.close()
    assert healed.session.changes.open == ()


def test_a_locked_object_is_not_decided_on(healed: Desk) -> None:
    session = healed.session
    info = next(each for each in session.masks.objects if each.id == 1)
    session.objects.edit(replace(info, locked=True))
    before = dict(session.masks.document.items())
    session.changes.reject(session.changes.of_object(1))
    assert dict(session.masks.document.items()) == before
    assert healed.said("is locked")


def test_an_undo_step_says_what_was_decided_on(healed: Desk) -> None:
    session = healed.session
    session.objects.rename(1, "knife")
    stack = session.history.stack
    session.changes.accept([Key(16, 1)])
    assert stack.undoText() == "Accept the change of knife, frame 16"
    session.changes.reject([Key(18, 1), Key(17, 1)])
    assert stack.undoText() == "Reject the change of knife, 2 frames"


def test_changes_of_several_objects_are_one_step(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session = desk.session
    for number, x in ((1, 10), (2, 40)):
        draw(desk, 0, number=number, x=x)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    qtbot.waitUntil(lambda: len(session.changes.open) == 2 * (FRAMES - 1))
    session.changes.reject([Key(5, 1), Key(5, 2)])
    assert session.history.stack.undoText() == "Reject the change of objects, frame 5"
    assert session.masks.document.on_frame(5) == {}
    assert session.changes.range_of(Key(4, 1)) == tuple(Key(f, 1) for f in range(1, 5))
    assert session.changes.range_of(Key(9, 2)) == tuple(Key(f, 2) for f in range(6, FRAMES))


def test_that_changes_are_open_or_closed_is_told_once(healed: Desk) -> None:
    session = healed.session
    told = list[int]()
    session.changes.changed.connect(lambda: told.append(len(session.changes.open)))
    count = len(session.changes.open)
    session.changes.accept([Key(16, 1)])
    assert told == [count - 1]
    draw(healed, 0, number=2, x=50)  # none of them
    session.changes.accept([Key(16, 1)])  # closed already
    assert told == [count - 1]
    session.history.undo()
    session.history.undo()
    assert told[-1] == count
    session.files.close()
    assert told[-1] == 0
    assert session.changes.pair(Key(16, 1)) is None


def test_what_a_job_finds_while_it_makes_way_is_not_overlapped(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    session.view.go_to(5)
    draw(desk, 5, x=45)
    session.correction.verify_and_heal()
    idle()
    qtbot.waitUntil(lambda: Key(8, 1) in session.changes.of_object(1))
    session.objects.add()
    for frame in (8, 9):
        session.edit.make({Key(frame, 2): Entry(mask_at(14), Origin.PROPAGATED)}, "Put")
    draw(desk, 0, number=3, x=22)
    session.view.go_to(0)
    gate.close()
    passed = gate.passed
    session.jobs.propagate(Direction.FORWARD, objects=[3])
    gate.let(9)
    qtbot.waitUntil(lambda: 3 in session.masks.shown(8))
    gate.let(1)
    gate.wait_until_passed(passed + 10)
    assert 3 not in session.masks.shown(9)  # it is found, and waits in the event queue
    session.changes.reject([Key(8, 1), Key(9, 1)])
    gate.open()
    idle()
    left = square(14) & ~square(10) & ~square(22)
    wanted = {1: mask_at(10), 2: Mask.encode(left), 3: mask_at(22)}
    for frame in (8, 9):
        here = session.masks.document.on_frame(frame)
        assert {number: entry.mask for number, entry in here.items()} == wanted
