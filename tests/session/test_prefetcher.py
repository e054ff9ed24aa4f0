"""The prefetcher: frames prepared for clicks."""

from collections.abc import Callable

from pytestqt.qtbot import QtBot

from app.core.plan import Direction
from tests.session.desk import FRAMES, Desk, begin_propagation, draw


def test_the_current_frame_is_prepared_while_nothing_runs(desk: Desk, qtbot: QtBot) -> None:
    desk.session.view.go_to(9)
    qtbot.waitUntil(lambda: 9 in desk.made.fake_segmenter.prepared)


def test_the_frames_beside_the_current_one_are_prepared_after_it(desk: Desk, qtbot: QtBot) -> None:
    desk.session.view.go_to(9)
    prepared = desk.made.fake_segmenter.prepared
    qtbot.waitUntil(lambda: prepared[-3:] == [9, 10, 8])


def test_at_an_end_of_the_video_there_is_one_frame_beside(desk: Desk, qtbot: QtBot) -> None:
    prepared = desk.made.fake_segmenter.prepared
    qtbot.waitUntil(lambda: prepared[-2:] == [0, 1])
    desk.session.view.go_to(FRAMES - 1)
    qtbot.waitUntil(lambda: prepared[-2:] == [FRAMES - 1, FRAMES - 2])
    assert set(prepared) == {0, 1, FRAMES - 1, FRAMES - 2}


def test_a_frame_that_is_only_passed_by_is_not_prepared(desk: Desk, qtbot: QtBot) -> None:
    prepared = desk.made.fake_segmenter.prepared
    qtbot.waitUntil(lambda: prepared[-2:] == [0, 1])
    for frame in (5, 15, 25):
        desk.session.view.go_to(frame)
    qtbot.waitUntil(lambda: prepared[-3:] == [25, 26, 24])
    assert not {5, 15} & set(prepared)


def test_the_first_two_suspects_are_prepared_before_what_is_beside(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, prepared = desk.session, desk.made.fake_segmenter.prepared
    desk.made.fake_tracker.drift = {5: 30, 22: 30}
    draw(desk, 0)
    session.jobs.propagate(Direction.FORWARD)
    idle()
    review = session.review
    qtbot.waitUntil(lambda: review.is_up_to_date and bool(review.suspects))
    prepared.clear()
    session.view.go_to(28)
    wanted = [28, *(each.frame for each in review.suspects[:2]), 29, 27]
    qtbot.waitUntil(lambda: prepared[-len(wanted) :] == wanted)


def test_nothing_is_prepared_while_a_job_runs_but_after_it(
    desk: Desk, qtbot: QtBot, idle: Callable[[], None]
) -> None:
    session, prepared = desk.session, desk.made.fake_segmenter.prepared
    qtbot.waitUntil(lambda: prepared[-2:] == [0, 1])
    draw(desk, 0)
    begin_propagation(desk, qtbot)
    prepared.clear()
    session.view.go_to(20)
    qtbot.wait(250)
    assert prepared == []
    desk.made.fake_tracker.gate.open()
    idle()
    qtbot.waitUntil(lambda: prepared[:1] == [20])
