"""Finding by words in the window: the panel, the ghosts on the picture, Enter and Escape."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QPushButton, QSpinBox

from app.core.document import Key
from app.gui.canvas.scene.picture import Picture
from app.gui.canvas.scene.proposals import ProposalItem
from app.gui.panels.find import FindPanel
from models.api import Box, Finding
from tests.gui.conftest import Desk


def thing(x: int, phrase: str = "cup") -> Finding:
    return Finding(Box(x, 20, x + 10, 30), phrase, 0.9)


def panel_of(desk: Desk) -> FindPanel:
    panel = desk.window.findChild(FindPanel)
    assert isinstance(panel, FindPanel)
    return panel


def ghosts_of(desk: Desk) -> ProposalItem:
    picture = desk.window.canvas.scene()
    assert isinstance(picture, Picture)
    return picture.proposals


def look(desk: Desk, words: str) -> FindPanel:
    """Say what to look for with the keyboard, and wait for the answers."""
    desk.press(Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    panel = panel_of(desk)
    assert desk.window.focusWidget() is panel.words
    desk.qtbot.keyClicks(panel.words, words)
    desk.qtbot.keyClick(panel.words, Qt.Key.Key_Escape)  # the list of class names
    desk.qtbot.keyClick(panel.words, Qt.Key.Key_Return)
    desk.qtbot.waitUntil(lambda: desk.session.finding.progress is None)
    desk.settle()
    return panel


def named(panel: FindPanel, name: str) -> QPushButton:
    buttons = panel.findChildren(QPushButton)
    return next(each for each in buttons if each.text().replace("&", "") == name)


def test_what_is_found_is_shown_dashed_and_taken_by_enter(opened: Desk) -> None:
    opened.model.fake_detector.things = {0: [thing(5), thing(40)]}
    panel = look(opened, "cup")
    assert panel.view.model().rowCount() == 2
    ghosts = ghosts_of(opened)
    assert ghosts.names == ("cup", "cup 2")
    opened.press(Qt.Key.Key_Return)
    assert [info.name for info in opened.session.masks.objects] == ["cup", "cup 2"]
    assert not ghosts_of(opened).names
    assert panel.view.model().rowCount() == 0
    opened.do("undo")
    assert opened.session.masks.objects == ()


def test_escape_discards_what_was_found(opened: Desk) -> None:
    opened.model.fake_detector.things = {0: [thing(5)]}
    panel = look(opened, "cup")
    opened.press(Qt.Key.Key_Escape)
    assert panel.view.model().rowCount() == 0
    assert opened.session.masks.objects == ()


def test_what_is_not_ticked_is_not_taken(opened: Desk) -> None:
    opened.model.fake_detector.things = {0: [thing(5), thing(40)]}
    panel = look(opened, "cup")
    model = panel.view.model()
    model.setData(model.index(0, 0), Qt.CheckState.Unchecked, Qt.ItemDataRole.CheckStateRole)
    assert ghosts_of(opened).names == ("cup 2",)
    opened.qtbot.mouseClick(named(panel, "Take"), Qt.MouseButton.LeftButton)
    assert [info.name for info in opened.session.masks.objects] == ["cup 2"]


def test_a_range_is_looked_at_and_a_row_leads_to_its_frame(opened: Desk) -> None:
    opened.model.fake_detector.things = {frame: [thing(5)] for frame in range(30)}
    panel = panel_of(opened)
    panel.findChildren(QComboBox)[0].setCurrentIndex(1)
    panel.findChildren(QSpinBox)[0].setValue(7)
    look(opened, "cup")
    model = panel.view.model()
    assert model.rowCount() == 5  # 0, 7, 14, 21, 28
    panel.view.clicked.emit(model.index(2, 0))
    assert opened.session.view.frame == 14
    opened.press(Qt.Key.Key_Return)  # those of this frame alone
    assert opened.session.masks.entry(Key(14, 1)) is not None
    assert model.rowCount() == 4


def test_the_button_stops_a_search(opened: Desk) -> None:
    detector = opened.model.fake_detector
    detector.things = {frame: [thing(5)] for frame in range(30)}
    detector.gate.close()
    opened.session.finding.look(["cup"], range(30))
    detector.gate.let(2)
    opened.qtbot.waitUntil(lambda: len(opened.session.finding.proposals) == 2)
    panel = panel_of(opened)
    opened.do("find_objects")
    opened.qtbot.mouseClick(named(panel, "Stop"), Qt.MouseButton.LeftButton)
    detector.gate.open()
    assert opened.session.finding.progress is None
    assert panel.view.model().rowCount() == 2
    assert named(panel, "Look").isEnabled()


def test_one_key_makes_objects_of_the_hands(opened: Desk) -> None:
    opened.model.fake_detector.things = {0: [thing(5, "left hand"), thing(40, "right hand")]}
    opened.press(Qt.Key.Key_M, Qt.KeyboardModifier.ShiftModifier)
    opened.qtbot.waitUntil(lambda: len(opened.session.masks.objects) == 2)
    assert [info.class_id for info in opened.session.masks.objects] == [300, 301]
