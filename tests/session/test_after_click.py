"""What is asked for while a click is not answered yet: it begins with the answer."""

from collections.abc import Callable
from pathlib import Path
from threading import Timer

import pytest
from pytestqt.qtbot import QtBot

from app.core.document import Key, State
from app.core.plan import Direction
from models.api import Click
from tests.fakes import write_frames
from tests.session.desk import FRAMES, Desk, begin_propagation, draw


@pytest.mark.parametrize("number", [1, 2])
def test_a_propagation_begins_with_the_answer_to_a_click_from_where_it_was_asked_for(
    desk: Desk, idle: Callable[[], None], number: int
) -> None:
    session, gate = desk.session, desk.made.fake_segmenter.gate
    for _ in range(number):
        session.objects.add()
    gate.close()
    session.view.go_to(10)
    session.clicks.click(Click(20, 25))
    session.jobs.propagate(Direction.FORWARD)
    assert not session.jobs.running[0]
    session.view.go_to(3)
    gate.open()
    idle()
    assert session.masks.document.frames() == list(range(10, FRAMES))
    assert session.masks.state(Key(11, number)) is State.PREDICTED


def test_a_propagation_is_let_go_with_the_click_that_it_waits_for(
    desk: Desk, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_segmenter.gate
    draw(desk, 0)
    session.view.select(1)
    gate.close()
    session.clicks.click(Click(24, 25))
    session.jobs.propagate(Direction.FORWARD)
    session.clicks.take_back()
    gate.open()
    idle()
    assert session.masks.document.frames() == [0]
    session.clicks.click(Click(24, 25))
    idle()
    assert session.masks.document.frames() == [0]


def answer_unheard(desk: Desk, qtbot: QtBot) -> None:
    """Let a click be answered during a propagation, which is to be verified then: nobody knows."""
    session, gate = desk.session, desk.made.fake_tracker.gate
    draw(desk, 0)
    session.objects.add()
    begin_propagation(desk, qtbot)
    session.view.go_to(2)
    session.view.select(2)
    session.clicks.click(Click(20, 25))
    session.correction.verify_and_heal()
    gate.let(1)
    gate.wait_until_passed(6)


def test_nothing_runs_on_that_an_answer_began_while_all_was_stopped(
    desk: Desk, qtbot: QtBot
) -> None:
    session = desk.session
    answer_unheard(desk, qtbot)
    session.jobs.cancel()
    assert session.masks.state(Key(2, 2)) is State.ANCHOR
    assert not session.jobs.running[0]
    assert not session.jobs.queue.jobs


def test_a_job_that_an_answer_began_ends_with_its_video(
    desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    session = desk.session
    answer_unheard(desk, qtbot)
    gate = Timer(0.2, desk.made.fake_tracker.gate.open)  # once the video is being closed
    gate.start()
    session.files.open(write_frames(tmp_path / "other", FRAMES))
    gate.join()
    assert not session.jobs.running[0]
    assert len(session.masks.document) == 0
