"""The review: suspects, the worst first."""

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from app.core.plan import Direction
from tests.session.desk import Desk, draw


def test_the_next_suspect_selects_the_object_and_goes_to_the_frame(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session = desk.session
    desk.made.fake_tracker.drift = {20: 30}
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    qtbot.waitUntil(lambda: session.review.suspects != ())
    session.view.select(None)
    session.review.next()
    assert session.view.selected == 1
    assert session.view.frame in {20, 21}
    session.review.dismiss(session.review.suspects[0])
    assert session.review.suspects == ()


def test_suspects_that_are_healed_go_away(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session = desk.session
    desk.made.fake_tracker.drift = {20: 30}
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    qtbot.waitUntil(lambda: session.review.suspects != ())
    desk.made.fake_tracker.drift = {}
    session.view.go_to(20)
    draw(desk, 20)
    session.correction.verify_and_heal()
    idle()
    qtbot.waitUntil(lambda: session.review.suspects == ())
