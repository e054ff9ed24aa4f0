"""The tabs of the panels at the right, whose titles have room for four."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDockWidget, QTabBar

from tests.gui.conftest import Desk


def dock(desk: Desk, name: str) -> QDockWidget:
    found = desk.window.findChild(QDockWidget, name)
    assert isinstance(found, QDockWidget)
    return found


def show(desk: Desk, *names: str) -> QTabBar:
    """Show panels as the menu does; return the bar that their tabs are in."""
    for name in names:
        dock(desk, name).toggleViewAction().trigger()
    desk.settle()
    desk.qtbot.wait(20)  # tabs are fitted once the panels have settled
    bars = [bar for bar in desk.window.findChildren(QTabBar) if bar.isVisible()]
    return next(bar for bar in bars if "Review" in titles(bar))


def titles(bar: QTabBar) -> list[str]:
    return [bar.tabText(index) for index in range(bar.count())]


def is_whole(bar: QTabBar) -> bool:
    """Whether every tab lies within the bar."""
    return all(bar.rect().contains(bar.tabRect(index)) for index in range(bar.count()))


def test_four_tabs_are_words(opened: Desk) -> None:
    bar = show(opened)
    assert titles(bar) == ["Review", "Anchors", "Changes", "Find"]
    assert is_whole(bar)
    assert all(bar.tabIcon(index).isNull() for index in range(bar.count()))


def test_every_tab_is_whole_however_wide_the_panel_is(opened: Desk) -> None:
    bar = show(opened, "rules")
    assert bar.count() == 5
    for width in range(300, 480, 4):
        opened.window.resizeDocks([dock(opened, "rules")], [width], Qt.Orientation.Horizontal)
        opened.settle()
        opened.qtbot.wait(2)
        assert is_whole(bar), width


def test_seven_tabs_are_icons_that_say_their_titles(opened: Desk) -> None:
    bar = show(opened, "history", "effort", "memory")
    assert bar.count() == 7
    assert is_whole(bar)
    assert not any(bar.tabIcon(index).isNull() for index in range(bar.count()))
    assert [bar.tabToolTip(index) for index in range(bar.count())] == titles(bar)


def test_the_current_one_keeps_its_title(opened: Desk) -> None:
    bar = show(opened, "history", "effort", "memory")
    for title in ("Review", "Changes"):
        bar.setCurrentIndex(titles(bar).index(title))
        opened.settle()
        words = bar.fontMetrics().horizontalAdvance(title)
        wide = [index for index in range(bar.count()) if bar.tabRect(index).width() > words + 16]
        assert wide == [bar.currentIndex()]
        assert is_whole(bar)


def test_they_are_words_again_once_there_is_room(opened: Desk) -> None:
    show(opened, "history", "effort", "memory")
    bar = show(opened, "history", "effort", "memory")
    assert bar.count() == 4
    assert is_whole(bar)
    assert all(bar.tabIcon(index).isNull() for index in range(bar.count()))
