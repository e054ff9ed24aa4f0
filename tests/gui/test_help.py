"""The help, pages of the guide with a search, and what is said of the licences."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QPoint, Qt, QUrl
from PySide6.QtGui import QKeySequence, QTextDocument, QTextFormat
from PySide6.QtWidgets import QLineEdit, QListWidget, QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from app import paths
from app.gui.actions.table.menus import acts
from app.gui.dialogs.help import Guide, HelpWindow
from tests.gui.conftest import Desk

GUIDE = paths.resources() / "guide"
PAGES = sorted(path.name for path in GUIDE.glob("*.md"))
# Keys that are held, and the one that the canvas itself knows.
HELD = {"Shift", "Ctrl", "Alt"}


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[HelpWindow]:
    window = HelpWindow(GUIDE, {})
    qtbot.addWidget(window)
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.close()


def _field(window: HelpWindow) -> QLineEdit:
    (field,) = window.findChildren(QLineEdit)
    return field


def _list(window: HelpWindow) -> QListWidget:
    (pages,) = window.findChildren(QListWidget)
    return pages


def test_f1_opens_the_help_at_its_first_page(opened: Desk) -> None:
    opened.press(Qt.Key.Key_F1)
    (window,) = opened.window.findChildren(HelpWindow)
    assert window.isVisible()
    assert "From a video to masks" in window.pages.toPlainText()


def test_the_help_opens_with_no_video_too(desk: Desk) -> None:
    desk.press(Qt.Key.Key_F1)
    assert desk.window.findChildren(HelpWindow)[0].isVisible()


def test_every_page_is_listed_once(window: HelpWindow) -> None:
    titles = [path.read_text(encoding="utf-8").splitlines()[0][2:] for path in GUIDE.glob("*.md")]
    assert sorted(window.listed()) == sorted(titles)


def test_a_page_that_is_chosen_in_the_list_is_shown(window: HelpWindow) -> None:
    row = window.listed().index("Glossary")
    _list(window).setCurrentRow(row)
    assert window.pages.page == "glossary.md"
    assert window.pages.toPlainText().startswith("Glossary")


def test_a_link_leads_to_its_page_and_back(window: HelpWindow, qtbot: QtBot) -> None:
    back = next(button for button in window.findChildren(QPushButton) if button.text() == "Back")
    assert not back.isEnabled()
    place = _place_of_link(window, "reviewing.md")
    qtbot.mouseClick(window.pages.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert window.pages.page == "reviewing.md"
    assert _list(window).currentItem().text() == "Correct and review"
    qtbot.mouseClick(back, Qt.MouseButton.LeftButton)
    assert window.pages.page == "README.md"


def _place_of_link(window: HelpWindow, target: str) -> QPoint:
    """Scroll to a link and return where it is in the view."""
    cursor = window.pages.textCursor()
    for position in range(window.pages.document().characterCount() - 1):
        cursor.setPosition(position + 1)
        if cursor.charFormat().anchorHref() == target:
            cursor.setPosition(position + 3)
            window.pages.setTextCursor(cursor)
            window.pages.ensureCursorVisible()
            return window.pages.cursorRect(cursor).center()
    raise AssertionError(target)


def test_the_search_finds_a_word_on_another_page_and_jumps_to_it(
    window: HelpWindow, qtbot: QtBot
) -> None:
    qtbot.keyClicks(_field(window), "palette png")
    assert len(window.listed()) >= 2
    assert all("palette png" in line.casefold() for line in window.listed())
    assert window.pages.textCursor().selectedText().casefold() == "palette png"
    first = window.pages.page
    view = window.pages.viewport().rect()
    assert view.contains(window.pages.cursorRect().center())
    assert first != "README.md"


def test_enter_goes_from_hit_to_hit_and_round(window: HelpWindow, qtbot: QtBot) -> None:
    qtbot.keyClicks(_field(window), "exchange")
    count = len(window.listed())
    assert count > 2
    seen = set()
    for _ in range(count):
        seen.add((window.pages.page, window.pages.textCursor().selectionStart()))
        qtbot.keyClick(_field(window), Qt.Key.Key_Return)
    assert len(seen) == count
    assert _list(window).currentRow() == 0
    assert window.isVisible()


def test_what_is_nowhere_is_said_to_be_nowhere(window: HelpWindow, qtbot: QtBot) -> None:
    qtbot.keyClicks(_field(window), "qwertz")
    assert window.listed() == ["Nothing found"]
    _field(window).clear()
    assert len(window.listed()) == len(PAGES)


def test_the_picture_of_a_page_fits_into_the_window(window: HelpWindow) -> None:
    window.pages.show_page("reviewing.md")
    QCoreApplication.sendPostedEvents()
    images = [_image(window, name) for name in _pictures(window.pages.document())]
    assert len(images) == 3
    room = window.pages.viewport().width()
    assert all(room / 2 < width < room for width in images)


def _image(window: HelpWindow, name: str) -> int:
    kind = QTextDocument.ResourceType.ImageResource.value
    image = window.pages.document().resource(kind, QUrl(name))
    return int(image.width())


def _pictures(document: QTextDocument) -> list[str]:
    kind = QTextFormat.ObjectTypes.ImageObject.value
    images = (each for each in document.allFormats() if each.objectType() == kind)
    return [each.toImageFormat().name() for each in images]


@pytest.mark.parametrize("page", PAGES)
def test_the_help_shows_each_page_with_all_its_pictures(window: HelpWindow, page: str) -> None:
    # A picture that is missing is a warning of Qt, and fails the test.
    window.pages.show_page(page)
    assert len(window.pages.toPlainText()) > 200
    assert "<kbd>" not in window.pages.toPlainText()


def test_every_key_in_the_guide_is_one_of_an_action(desk: Desk) -> None:
    known = {
        keys.toString() for action in desk.window.actions_by_name for keys in action.shortcuts()
    }
    for page in PAGES:
        text = (GUIDE / page).read_text(encoding="utf-8")
        assert set(re.findall("<kbd>(.*?)</kbd>", text)) <= known | HELD, page


def test_keys_are_named_as_the_preset_has_them(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Page\n\n<kbd>N</kbd> and <kbd>B</kbd>\n")
    guide = Guide(tmp_path, {"N": "J"})
    assert guide.markdown(tmp_path / "README.md") == "# Page\n\n**J** and **B**\n"


def test_keys_that_are_those_of_the_table_are_not_changed(desk: Desk) -> None:
    desk.do("guide")
    (window,) = desk.window.findChildren(HelpWindow)
    assert "Review: N goes to the next suspect" in window.pages.toPlainText()
    assert "press Enter" in window.pages.toPlainText()


def test_no_key_of_the_table_is_written_in_two_ways() -> None:
    texts = [key for act in acts() for key in act.keys if isinstance(key, str)]
    assert [key for key in texts if QKeySequence(key).toString() != key] == []


def test_about_names_the_licence_and_the_parts_that_are_not_under_it(desk: Desk) -> None:
    desk.do("about")
    (box,) = desk.window.findChildren(QMessageBox)
    said = box.informativeText()
    for words in ("Apache License 2.0", "CC BY-NC 4.0", "noun classes", "lite", "research use"):
        assert words in said
