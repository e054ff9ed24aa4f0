"""The panel of the objects."""

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QAbstractItemView, QLabel, QLineEdit, QTreeView

from app.core.document import Entry, Key, Origin
from app.gui.canvas.scene.overlay import OverlayMode
from app.gui.panels.objects import Column, ObjectsPanel
from tests.gui.conftest import Desk


def view_of(desk: Desk) -> QTreeView:
    panel = desk.window.findChild(ObjectsPanel)
    assert panel is not None
    return panel.view


def cell(desk: Desk, row: int, column: Column) -> QModelIndex:
    return view_of(desk).model().index(row, column)


def text(desk: Desk, row: int, column: Column) -> str:
    return str(cell(desk, row, column).data())


def click(desk: Desk, row: int, column: Column) -> None:
    view = view_of(desk)
    middle = view.visualRect(cell(desk, row, column)).center()
    desk.qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    desk.settle()


def rename(desk: Desk, name: str, *, finish: bool = True) -> QLineEdit:
    desk.do("rename_object")
    field = view_of(desk).findChild(QLineEdit)
    assert field is not None
    field.clear()
    desk.qtbot.keyClicks(field, name)
    if finish:
        popup = field.completer().popup()
        offered = popup is not None and popup.isVisible()
        desk.qtbot.keyClick(popup if offered else field, Qt.Key.Key_Return)
        desk.settle()
    return field


def is_editing(desk: Desk) -> bool:
    return view_of(desk).state() is QAbstractItemView.State.EditingState


def popup_of(field: QLineEdit) -> QAbstractItemView:
    """Return the list of the names that are offered, which has the keys while it is open."""
    popup = field.completer().popup()
    assert popup is not None
    assert popup.isVisible()
    return popup


def test_every_object_is_listed_with_its_state_on_the_current_frame(opened: Desk) -> None:
    opened.draw(0, number=2)
    assert text(opened, 1, Column.NAME).startswith("2")
    assert text(opened, 0, Column.STATE) == "-"
    assert "anchor" in text(opened, 1, Column.STATE)
    opened.session.view.go_to(5)
    assert text(opened, 1, Column.STATE) == "-"


def test_a_propagated_mask_shows_how_likely_it_is_right(opened: Desk) -> None:
    opened.draw()
    opened.do("forward")
    opened.idle()
    opened.session.view.go_to(5)
    assert "97%" in text(opened, 0, Column.STATE)  # of a score of .9


def test_a_press_selects_and_the_switches_do_not(opened: Desk) -> None:
    opened.draw(number=2)
    click(opened, 0, Column.NAME)
    assert opened.session.view.selected == 1
    click(opened, 1, Column.VISIBLE)
    click(opened, 1, Column.LOCKED)
    info = opened.session.masks.document.object(2)
    assert (info.visible, info.locked, opened.session.view.selected) == (False, True, 1)


def test_the_solo_switch_shows_one_object_alone(opened: Desk) -> None:
    opened.draw(number=2)
    click(opened, 0, Column.SOLO)
    assert opened.session.view.selected == 1
    assert opened.window.canvas.mode is OverlayMode.SOLO


def test_arrow_keys_in_the_list_select(opened: Desk) -> None:
    opened.draw(number=3)
    opened.session.view.select(1)
    opened.press(Qt.Key.Key_Down, widget=view_of(opened))
    assert opened.session.view.selected == 2
    assert opened.session.view.frame == 0


def test_a_selection_made_elsewhere_shows_in_the_list(opened: Desk) -> None:
    opened.draw(number=3)
    opened.session.view.select(2)
    assert view_of(opened).currentIndex().row() == 1


def test_a_name_is_changed_in_place_and_a_class_name_sets_the_class(opened: Desk) -> None:
    opened.draw()
    rename(opened, "left hand")
    info = opened.session.masks.document.object(1)
    assert (info.name, info.class_id) == ("left hand", 300)
    rename(opened, "Anna's thing")
    assert opened.session.masks.document.object(1).name == "Anna's thing"
    opened.do("undo")
    assert opened.session.masks.document.object(1).name == "left hand"


def test_class_names_are_offered_while_a_name_is_typed(opened: Desk) -> None:
    opened.draw()
    field = rename(opened, "chopp", finish=False)
    model = field.completer().completionModel()
    offered = [str(model.index(row, 0).data()) for row in range(model.rowCount())]
    assert "chopping board" in offered


def test_one_enter_takes_the_name_as_typed_and_gives_the_keys_back(opened: Desk) -> None:
    opened.draw()
    field = rename(opened, "bow")
    assert not field.isVisible()
    assert opened.session.masks.document.object(1).name == "bow"  # though "bowl" was offered
    assert not is_editing(opened)


def test_enter_takes_the_class_that_was_gone_to_in_the_list(opened: Desk) -> None:
    opened.draw()
    popup = popup_of(rename(opened, "bow", finish=False))
    opened.qtbot.keyClick(popup, Qt.Key.Key_Down)
    opened.qtbot.keyClick(popup, Qt.Key.Key_Down)
    second = popup.currentIndex().data()
    opened.qtbot.keyClick(popup, Qt.Key.Key_Return)
    opened.settle()
    info = opened.session.masks.document.object(1)
    assert info.name == second != "bow"
    assert info.class_id is not None
    assert not is_editing(opened)


def test_a_click_on_a_class_takes_it(opened: Desk) -> None:
    opened.draw()
    popup = popup_of(rename(opened, "kni", finish=False))
    at = popup.visualRect(popup.model().index(0, 0)).center()
    opened.qtbot.mouseClick(popup.viewport(), Qt.MouseButton.LeftButton, pos=at)
    opened.settle()
    assert opened.session.masks.document.object(1).name == "knife"
    assert not is_editing(opened)


def test_escape_leaves_the_name_as_it_was(opened: Desk) -> None:
    opened.draw()
    before = opened.session.masks.document.object(1).name
    field = rename(opened, "kni", finish=False)
    opened.qtbot.keyClick(popup_of(field), Qt.Key.Key_Escape)
    opened.qtbot.keyClick(field, Qt.Key.Key_Escape)
    opened.settle()
    assert opened.session.masks.document.object(1).name == before


def test_deleting_an_object_is_undone_with_its_masks(opened: Desk) -> None:
    opened.draw()
    opened.do("delete_object")
    assert opened.session.masks.objects == ()
    opened.do("undo")
    assert opened.session.masks.document.get(Key(0, 1)) is not None


def test_of_an_absence_it_is_told_whether_a_person_has_said_so(opened: Desk) -> None:
    opened.draw(0)
    absent = Entry(None, Origin.PROPAGATED)
    opened.session.masks.change({Key(frame, 1): absent for frame in (1, 2)}, "Lose")
    opened.session.edit.verify([Key(1, 1)])
    opened.session.view.go_to(2)
    assert text(opened, 0, Column.STATE) == "○ absent"
    opened.session.view.go_to(1)
    assert text(opened, 0, Column.STATE) == "○ absent (anchor)"


def test_a_long_list_measures_only_the_rows_that_are_seen(opened: Desk) -> None:
    for _ in range(60):
        opened.session.objects.add()
    view = view_of(opened)
    opened.session.view.select(59)
    assert view.uniformRowHeights()
    assert view.header().resizeContentsPrecision() == 0
    assert view.viewport().rect().intersects(view.visualRect(view.currentIndex()))


def test_an_empty_list_says_how_an_object_is_made(opened: Desk) -> None:
    panel = opened.window.findChild(ObjectsPanel)
    assert panel is not None
    hint = next(label for label in panel.findChildren(QLabel) if "Click" in label.text())
    assert hint.isVisibleTo(panel)
    opened.draw()
    assert not hint.isVisibleTo(panel)
    opened.session.history.undo()
    opened.session.history.undo()
    opened.settle()
    assert hint.isVisibleTo(panel)
