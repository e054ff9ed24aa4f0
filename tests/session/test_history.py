"""The history: undo and redo, also of what is still under way."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Key
from app.core.plan import Direction
from app.errors import UsageError
from app.session.state.status import SessionState
from models.api import Click
from tests.fakes import square, write_frames
from tests.session.desk import FRAMES, Desk, begin_propagation, draw, mask_at


def test_undo_of_a_thousand_frames_is_quick_and_exact(tmp_path: Path, qtbot: QtBot) -> None:
    desk = Desk(write_frames(tmp_path / "long", 1001, size=(24, 24)))
    desk.prepare()
    session = desk.session
    session.objects.add()
    session.edit.draw_mask(0, 1, square(3, 3, 8, size=(24, 24)), "Brush")
    before = dict(session.masks.document.items())
    begun = time.thread_time()
    session.jobs.propagate(Direction.FORWARD)
    qtbot.waitUntil(lambda: len(session.masks.document) == 1001)
    made = time.thread_time()
    session.history.stack.undo()
    assert time.thread_time() - made < made - begun  # a tenth of it, measured
    assert dict(session.masks.document.items()) == before
    desk.close()


def test_undo_takes_back_a_click_that_is_not_answered_yet_and_nothing_else(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, segmenter = desk.session, desk.made.fake_segmenter
    draw(desk, 0)
    session.view.select(1)
    segmenter.gate.close()
    session.clicks.click(Click(40, 20))
    assert session.history.undo_text == "Click object 1, frame 0"
    session.history.undo()
    assert session.status.state is SessionState.IDLE
    segmenter.gate.open()
    qtbot.wait(100)  # what was asked is answered all the same
    entry = session.masks.document.get(Key(0, 1))
    assert entry is not None
    assert entry.mask == mask_at(10)
    assert session.history.undo_text == "Brush"


def test_undo_takes_back_the_newest_of_two_clicks_without_an_answer(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session, segmenter = desk.session, desk.made.fake_segmenter
    segmenter.gate.close()
    session.clicks.click(Click(20, 20))
    session.view.go_to(7)
    session.clicks.click(Click(40, 20))
    session.history.undo()
    segmenter.gate.open()
    idle()
    assert set(dict(session.masks.document.items())) == {Key(0, 1)}


def test_undoing_the_anchor_of_a_running_propagation_stops_it(desk: Desk, qtbot: QtBot) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    begin_propagation(desk, qtbot)
    session.history.stack.undo()
    qtbot.waitUntil(lambda: session.status.state is SessionState.IDLE)
    gate.open()
    assert session.masks.document.get(Key(0, 1)) is None


def test_undo_during_a_propagation_takes_it_back_and_redo_brings_it(
    desk: Desk, qtbot: QtBot
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    begin_propagation(desk, qtbot)
    assert session.history.undo_text == "Propagate object 1, frames 0-29"
    session.history.undo()
    gate.open()
    qtbot.waitUntil(lambda: session.status.state is SessionState.IDLE)
    assert session.masks.document.frames() == [0]
    session.history.redo()
    assert session.masks.document.frames() == [0, 1, 2, 3, 4]
    session.history.undo()
    session.history.undo()
    assert session.masks.document.frames() == []
    session.history.redo()
    assert session.masks.document.get(Key(0, 1)) is not None


def test_undo_before_the_first_frame_only_stops_the_propagation(desk: Desk, qtbot: QtBot) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    gate.close()
    session.jobs.propagate(Direction.FORWARD)
    session.history.undo()
    gate.open()
    qtbot.waitUntil(lambda: session.status.state is SessionState.IDLE)
    assert session.masks.document.frames() == [0]


def test_undo_of_an_edit_beside_a_running_propagation_lets_it_run(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    gate.close()
    session.jobs.propagate(Direction.FORWARD)
    draw(desk, 3, number=2, x=40)
    assert session.history.undo_text == "Brush"
    session.history.undo()
    assert session.masks.document.get(Key(3, 2)) is None
    gate.open()
    idle()
    assert len(session.masks.document.of_object(1)) == FRAMES


def test_a_step_back_in_the_history_during_a_propagation_can_be_redone(
    desk: Desk, qtbot: QtBot
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    begin_propagation(desk, qtbot)
    session.history.stack.setIndex(session.history.stack.index() - 1)
    qtbot.waitUntil(lambda: session.status.state is SessionState.IDLE)
    gate.open()
    assert desk.reports[-1].text == (
        "Propagate object 1, frames 0-29: stopped; it built on what was undone."
    )
    assert session.masks.document.frames() == []
    assert session.history.stack.canRedo()
    session.history.redo()
    assert session.masks.document.frames() == [0]


def test_with_nothing_open_there_is_no_history(desk: Desk) -> None:
    history = desk.session.history
    draw(desk, 0)
    assert history.undo_text != ""
    desk.session.files.close()
    history.undo()
    history.redo()
    assert (history.undo_text, history.redo_text, history.can_redo) == ("", "", False)
    with pytest.raises(UsageError, match="no video is open"):
        _ = history.stack


def test_every_step_is_told(desk: Desk) -> None:
    told: list[str] = []
    history = desk.session.history
    history.changed.connect(lambda: told.append(history.undo_text))
    draw(desk, 0)
    assert told[-1] == "Brush"
    history.undo()
    assert told[-1] == "Add object 1"
    assert history.redo_text == "Brush"
