"""The review: suspects, the worst first."""

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from app.core.document import Key, State
from app.core.plan import Direction
from app.core.suspects import Order
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


def test_suspects_are_found_while_a_job_runs(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, gate = desk.session, desk.made.fake_tracker.gate
    desk.made.fake_tracker.drift = {5: 30}
    draw(desk, 0)
    gate.close()
    session.jobs.propagate(Direction.FORWARD)
    gate.let(8)
    qtbot.waitUntil(lambda: any(each.first <= 6 for each in session.review.found))
    assert session.video.now
    assert session.video.now.pending
    gate.open()
    idle()


def test_what_is_only_stale_is_no_suspect(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session = desk.session
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    draw(desk, 0, x=12)
    assert session.masks.state(Key(5, 1)) is State.STALE
    qtbot.waitUntil(lambda: session.review.is_up_to_date)
    assert session.review.found == ()


def test_suspects_are_listed_by_value_or_by_time_and_of_one_object(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, review = desk.session, desk.session.review
    desk.made.fake_tracker.drift = {8: 12, 9: 12, 10: 12, 20: 12}
    draw(desk, 0)
    draw(desk, 0, number=2, x=40)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    qtbot.waitUntil(lambda: {each.object for each in review.found} == {1, 2})
    values = [each.value for each in review.suspects]
    assert values == sorted(values, reverse=True)
    review.arrange(Order.TIME, of_selected=False)
    firsts = [each.first for each in review.suspects]
    assert firsts == sorted(firsts)
    assert len(firsts) == len(review.found)
    session.view.select(2)
    review.arrange(Order.TIME, of_selected=True)
    assert {each.object for each in review.suspects} == {2}
    session.view.select(1)
    assert {each.object for each in review.suspects} == {1}
