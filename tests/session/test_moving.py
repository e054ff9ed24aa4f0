"""The session: masks copied to another frame, and exchanged between objects."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Key, State
from app.core.plan import Direction
from tests.session.desk import FRAMES, Desk, draw, mask_at


@pytest.fixture
def pair(desk: Desk, idle: Callable[[], None]) -> Desk:
    """Two objects, at x 10 and 40, propagated through the clip."""
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    desk.session.jobs.propagate(Direction.FORWARD)
    idle()
    return desk


def masks(desk: Desk, number: int) -> list[int]:
    """Return the object's place on each frame: 10 or 40."""
    found = (desk.session.masks.document.get(Key(frame, number)) for frame in range(FRAMES))
    return [10 if entry and entry.mask == mask_at(10) else 40 for entry in found]


def test_a_copied_mask_is_an_anchor_where_it_is_pasted(desk: Desk) -> None:
    session = desk.session
    draw(desk, 0)
    session.clipboard.copy()
    session.view.go_to(5)
    session.clipboard.paste()
    entry = session.masks.document.get(Key(5, 1))
    assert entry is not None
    assert entry.mask == mask_at(10)
    assert session.masks.state(Key(5, 1)) is State.ANCHOR
    session.history.undo()
    assert session.masks.document.get(Key(5, 1)) is None


def test_a_paste_with_nothing_selected_makes_an_object(desk: Desk) -> None:
    session = desk.session
    draw(desk, 0)
    session.clipboard.copy()
    session.view.select(None)
    session.clipboard.paste()
    entry = session.masks.document.get(Key(0, 2))
    assert entry is not None
    assert entry.mask == mask_at(10)


def test_nothing_to_copy_or_to_paste_is_said(desk: Desk) -> None:
    desk.session.clipboard.copy()
    assert desk.said("no mask to copy")
    desk.session.clipboard.paste()
    assert desk.said("Copy a mask first")
    assert desk.session.masks.objects == ()


def test_two_objects_exchange_their_masks_from_here_on_in_one_step(pair: Desk) -> None:
    session = pair.session
    before = dict(session.masks.document.items())
    session.view.go_to(12)
    session.edit.exchange(1, 2)
    assert masks(pair, 1) == [10] * 12 + [40] * (FRAMES - 12)
    assert masks(pair, 2) == [40] * 12 + [10] * (FRAMES - 12)
    assert not any(entry.stale for _, entry in session.masks.document.items())
    session.history.undo()
    assert dict(session.masks.document.items()) == before


def test_an_exchange_ends_before_the_next_anchor_of_either(pair: Desk) -> None:
    session = pair.session
    session.edit.verify([Key(20, 2)])
    session.view.go_to(12)
    session.edit.exchange(1, 2)
    assert masks(pair, 1) == [10] * 12 + [40] * 8 + [10] * (FRAMES - 20)


def test_what_was_exchanged_stays_when_the_frames_before_it_are_propagated_again(
    pair: Desk, idle: Callable[[], None]
) -> None:
    session = pair.session
    session.view.go_to(12)
    session.edit.exchange(1, 2)
    session.view.go_to(0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    assert masks(pair, 1)[12:] == [40] * (FRAMES - 12)


def test_an_object_that_is_seen_alone_gives_its_mask_and_gets_none(desk: Desk) -> None:
    session = desk.session
    draw(desk, 3)
    session.objects.add()
    session.edit.exchange(1, 2, range(FRAMES))
    assert session.masks.document.get(Key(3, 1)) is None
    entry = session.masks.document.get(Key(3, 2))
    assert entry is not None
    assert entry.mask == mask_at(10)


def test_a_locked_object_exchanges_nothing(pair: Desk) -> None:
    session = pair.session
    before = dict(session.masks.document.items())
    session.objects.edit(replace(session.masks.objects[1], locked=True))
    session.edit.exchange(1, 2)
    assert dict(session.masks.document.items()) == before
    assert pair.said("is locked")


def test_an_exchange_during_a_propagation_keeps_what_is_finished(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    gate.close()
    session.jobs.propagate(Direction.FORWARD)
    gate.let(6)
    qtbot.waitUntil(lambda: len(session.masks.shown(5)) == 2)
    session.edit.exchange(1, 2, range(3, 6))
    gate.open()
    idle()
    assert masks(desk, 1)[:6] == [10, 10, 10, 40, 40, 40]
    assert len(session.masks.document.of_object(1)) == FRAMES
