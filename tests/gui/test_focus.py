"""Which keys reach the focused widget and which the window: tried on the widgets themselves."""

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QListView, QTreeView
from pytestqt.qtbot import QtBot

from app.gui.dialogs.settings import SettingsDialog
from app.gui.window.focus import keeps
from app.session.state.status import SessionState
from models.api import Click
from tests.gui.conftest import Desk

NONE = Qt.KeyboardModifier.NoModifier


@pytest.mark.parametrize("chooses", [False, True])
def test_a_list_keeps_enter_only_where_it_chooses_something(qtbot: QtBot, chooses: bool) -> None:
    widget = QListView()
    qtbot.addWidget(widget)
    if chooses:
        widget.activated.connect(lambda: None)
    assert keeps(widget, Qt.Key.Key_Return, NONE) is chooses


def _another(box: QComboBox) -> int:
    """Return a row that can be chosen, another than the current one where there is one."""
    enabled = Qt.ItemFlag.ItemIsEnabled
    rows = [row for row in range(box.count()) if box.model().index(row, 0).flags() & enabled]
    return next((row for row in rows if row != box.currentIndex()), box.currentIndex())


def test_every_drop_down_of_the_window_chooses_with_the_keyboard(opened: Desk) -> None:
    boxes = [box for box in opened.window.findChildren(QComboBox) if box.isVisible()]
    assert len(boxes) >= 3
    for box in boxes:
        row = _another(box)
        box.setFocus()
        opened.qtbot.keyClick(box, Qt.Key.Key_Space)
        popup = box.view()
        assert popup.isVisible()
        popup.setCurrentIndex(box.model().index(row, 0))
        opened.qtbot.keyClick(popup, Qt.Key.Key_Return)
        opened.settle()
        assert not popup.isVisible()
        assert box.currentIndex() == row
    assert opened.session.status.state is SessionState.IDLE


def test_every_drop_down_of_the_settings_chooses_with_the_keyboard(opened: Desk) -> None:
    dialog = SettingsDialog(opened.session.preferences, opened.window)
    dialog.show()
    for box in dialog.findChildren(QComboBox):
        row = (box.currentIndex() + 1) % box.count()
        box.setFocus()
        box.showPopup()
        box.view().setCurrentIndex(box.model().index(row, 0))
        opened.qtbot.keyClick(box.view(), Qt.Key.Key_Return)
        assert not box.view().isVisible()
        assert box.currentIndex() == row
        assert dialog.isVisible()
    dialog.close()


def test_enter_after_a_rename_verifies_and_heals(opened: Desk) -> None:
    opened.draw()
    opened.do("rename_object")
    field = QApplication.focusWidget()
    assert isinstance(field, QLineEdit)
    field.setText("ladle")
    opened.qtbot.keyClick(field, Qt.Key.Key_Return)
    opened.settle()
    assert opened.session.masks.objects[0].name == "ladle"
    assert len(opened.session.masks.document) == 1
    focused = QApplication.focusWidget()
    assert isinstance(focused, QTreeView)
    opened.qtbot.keyClick(focused, Qt.Key.Key_Return)
    opened.qtbot.waitUntil(lambda: len(opened.session.masks.document) == 30)


def test_enter_in_the_menu_bar_opens_a_menu_and_verifies_nothing(opened: Desk) -> None:
    opened.draw()
    bar = opened.window.menuBar()
    bar.setFocus()
    bar.setActiveAction(bar.actions()[1])
    opened.qtbot.keyClick(bar, Qt.Key.Key_Right)
    assert opened.session.view.frame == 0
    opened.qtbot.keyClick(bar, Qt.Key.Key_Return)
    opened.settle()
    assert len(opened.session.masks.document) == 1
    popup = QApplication.activePopupWidget()
    assert popup is not None
    popup.close()


def test_enter_goes_on_once_its_click_is_answered(opened: Desk) -> None:
    opened.session.objects.add()
    opened.model.fake_segmenter.gate.close()
    opened.session.clicks.click(Click(20, 25))
    opened.press(Qt.Key.Key_Return)
    assert len(opened.session.masks.document) == 0
    opened.model.fake_segmenter.gate.open()
    opened.qtbot.waitUntil(lambda: len(opened.session.masks.document) == 30)


def test_a_drop_down_shows_that_it_has_the_focus_when_its_list_has_closed(opened: Desk) -> None:
    shows_focus = Qt.WidgetAttribute.WA_KeyboardFocusChange
    closed = QFocusEvent(QEvent.Type.FocusIn, Qt.FocusReason.PopupFocusReason)
    pressed = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Shift, NONE)
    clicked = QFocusEvent(QEvent.Type.FocusIn, Qt.FocusReason.MouseFocusReason)
    box = next(each for each in opened.window.findChildren(QComboBox) if each.isVisible())
    for event, shows in ((closed, True), (pressed, True), (clicked, False)):
        opened.window.setAttribute(shows_focus, False)
        QApplication.sendEvent(box, event)
        assert opened.window.testAttribute(shows_focus) is shows
