"""The welcome page."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton

from app.gui.widgets.recent import RecentSources
from app.gui.window.welcome import RecentList, Welcome
from tests.gui.conftest import Desk


def page_of(desk: Desk) -> Welcome:
    page = desk.window.findChild(Welcome)
    assert page is not None
    return page


def button(desk: Desk, words: str) -> QPushButton:
    buttons = page_of(desk).findChildren(QPushButton)
    return next(found for found in buttons if words in found.text())


def test_its_buttons_open_a_file_a_folder_and_the_sample(desk: Desk) -> None:
    desk.ask.answer = desk.clip
    for words in ("Open", "folder of frames", "sample"):
        desk.qtbot.mouseClick(button(desk, words), Qt.MouseButton.LeftButton)
        assert desk.session.video.is_open, words
        desk.do("close")


def test_recent_sources_open_with_a_press(desk: Desk) -> None:
    desk.open()
    desk.do("close")
    listed = page_of(desk).recent_list
    item = listed.item(0)
    assert "clip" in item.text()
    middle = listed.visualItemRect(item).center()
    desk.qtbot.mouseClick(listed.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert desk.session.video.is_open


def test_a_recent_source_that_is_gone_is_greyed_and_can_be_taken_off(
    desk: Desk, tmp_path: Path
) -> None:
    recent = RecentSources(desk.store)
    recent.add(tmp_path / "gone.mp4")
    listed = RecentList(recent)
    desk.qtbot.addWidget(listed)
    item = listed.item(0)
    assert not item.flags() & Qt.ItemFlag.ItemIsEnabled
    assert "not there any more" in item.toolTip()
    listed.setCurrentItem(item)
    desk.qtbot.keyClick(listed, Qt.Key.Key_Delete)
    assert recent.paths == ()


def test_ten_recent_sources_are_kept_newest_first(desk: Desk, tmp_path: Path) -> None:
    recent = RecentSources(desk.store)
    for number in range(12):
        recent.add(tmp_path / f"{number}.mp4")
    recent.add(tmp_path / "5.mp4")
    names = [path.stem for path in RecentSources(desk.store).paths]
    assert names == ["5", "11", "10", "9", "8", "7", "6", "4", "3", "2"]


def test_no_more_sources_are_listed_than_are_kept(desk: Desk, tmp_path: Path) -> None:
    desk.store.setValue("recent/sources", [str(tmp_path / str(number)) for number in range(5000)])
    assert len(RecentSources(desk.store).paths) < 50
