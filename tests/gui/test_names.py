"""Names are shown as they were typed, though they look like HTML or have a mnemonic."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt as Core
from PySide6.QtCore import QTimer
from PySide6.QtGui import Qt, QTextDocument
from PySide6.QtWidgets import QApplication, QMessageBox, QWidget

from app.core.paint import Point
from app.gui.actions.menus import RecentMenu
from app.gui.canvas.hud import Hud
from app.gui.canvas.mask_menu import MaskMenu
from app.gui.dialogs.ask import Ask
from app.gui.panels.objects import Column, ObjectsPanel
from app.gui.widgets.recent import RecentSources
from app.gui.widgets.words import verbatim_tip
from app.gui.window.welcome import RecentList
from tests.gui.conftest import Desk

NAME = "<b>salt</b> & pepper"


@pytest.fixture
def named(opened: Desk) -> Desk:
    """A window with an object of that name."""
    opened.draw()
    (info,) = opened.session.masks.objects
    opened.session.objects.edit(replace(info, name=NAME))
    opened.settle()
    return opened


def seen(tip: str) -> str:
    """Return what a person reads of a tool tip."""
    if not Qt.mightBeRichText(tip):
        return tip
    document = QTextDocument()
    document.setHtml(tip)
    return document.toPlainText()


def test_a_tip_shows_each_text_as_it_is() -> None:
    for text in (NAME, "one\ntwo", "&lt;", "", "plain"):
        assert seen(verbatim_tip(text)) == text


def test_the_line_over_the_picture_shows_the_name(named: Desk) -> None:
    hud = named.window.findChild(Hud)
    assert hud is not None
    assert NAME in hud.text()
    assert hud.width() > hud.fontMetrics().horizontalAdvance(hud.text())


def test_tips_show_the_name(named: Desk) -> None:
    panel = named.window.findChild(ObjectsPanel)
    assert panel is not None
    index = panel.view.model().index(0, Column.NAME)
    assert NAME in seen(index.data(Core.ItemDataRole.ToolTipRole))
    locked = replace(named.session.masks.objects[0], locked=True)
    session = named.session
    at = Point(12, 12)
    menu = MaskMenu(session.view, session.masks, session.edit, locked, at, named.window)
    assert NAME in seen(menu.actions()[-1].toolTip())


def test_undo_says_the_name(named: Desk) -> None:
    named.do("clear")
    text = named.window.actions_by_name["undo"].text()
    assert text == f"&Undo clear {NAME}, frame 0".replace(" & ", " && ")


def test_recent_sources_show_their_names(desk: Desk, tmp_path: Path) -> None:
    recent = RecentSources(desk.store)
    recent.add(tmp_path / "<b>1 & 2.mp4")
    listed = RecentList(recent)
    desk.qtbot.addWidget(listed)
    assert "<b>1 & 2.mp4 is not there" in seen(listed.item(0).toolTip())
    action = RecentMenu(recent, desk.window.files, desk.window).actions()[0]
    assert "<b>1 & 2.mp4 is not there" in seen(action.toolTip())
    assert action.text() == "&1  <b>1 && 2.mp4"


def test_a_question_shows_the_name(desk: Desk) -> None:
    formats: list[Core.TextFormat] = []

    def answer() -> None:
        box = QApplication.activeModalWidget()
        assert isinstance(box, QMessageBox)
        formats.append(box.textFormat())
        box.reject()

    QTimer.singleShot(0, answer)
    parent = QWidget()
    desk.qtbot.addWidget(parent)
    assert not Ask(parent, desk.store).confirm(f"{NAME}.mp4 has moved.", "Where is it?", "Locate")
    assert formats == [Core.TextFormat.PlainText]
