"""The prefetcher: frames prepared for clicks."""

from pytestqt.qtbot import QtBot

from tests.session.desk import Desk


def test_the_current_frame_is_prepared_while_nothing_runs(desk: Desk, qtbot: QtBot) -> None:
    desk.session.view.go_to(9)
    qtbot.waitUntil(lambda: 9 in desk.made.fake_segmenter.prepared)


def test_the_frames_beside_the_current_one_are_prepared_after_it(desk: Desk, qtbot: QtBot) -> None:
    desk.session.view.go_to(9)
    prepared = desk.made.fake_segmenter.prepared
    qtbot.waitUntil(lambda: prepared[-3:] == [9, 10, 8])
