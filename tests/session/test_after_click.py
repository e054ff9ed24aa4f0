"""What is asked for while a click is not answered yet: it begins with the answer."""

from collections.abc import Callable

import pytest

from app.core.document import Key, State
from app.core.plan import Direction
from models.api import Click
from tests.session.desk import FRAMES, Desk, draw


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
