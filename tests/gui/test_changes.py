"""The panel of the changes: pictures before and after, accept and reject by key and mouse."""

import pytest
from PySide6.QtCore import Qt

from app.core.document import Key
from app.gui.panels.changes import ChangesPanel
from app.session.comparison import Reference
from tests.gui.conftest import Desk

SHIFT = Qt.KeyboardModifier.ShiftModifier


def panel_of(desk: Desk) -> ChangesPanel:
    panel = desk.window.findChild(ChangesPanel)
    assert panel is not None
    return panel


@pytest.fixture
def healed(opened: Desk) -> Desk:
    """A heal has changed the masks of object 1 around frame 15."""
    opened.draw(0)
    opened.do("forward")
    opened.idle()
    opened.session.view.go_to(15)
    opened.draw(15, x=30)
    opened.press(Qt.Key.Key_Return)
    opened.idle()
    opened.qtbot.waitUntil(lambda: bool(opened.session.changes.open))
    return opened


def open_frames(desk: Desk) -> set[int]:
    return {each.key.frame for each in desk.session.changes.open}


def test_view_on_the_chip_opens_the_list_at_the_largest_change(healed: Desk) -> None:
    healed.do("view_changes")
    panel = panel_of(healed)
    assert panel.is_in_view
    first = healed.session.changes.open[0].key
    assert panel.chosen_here() == first
    assert healed.session.view.frame == first.frame
    assert healed.session.compare.reference is Reference.BEFORE
    healed.do("view_changes")
    assert panel.chosen_here() == healed.session.changes.open[1].key


def test_a_row_says_what_changed_and_shows_it_twice(healed: Desk) -> None:
    healed.do("view_changes")
    model = panel_of(healed).view.model()
    frame = healed.session.changes.open[0].key.frame
    assert model.index(0, 0).data() == f"{frame} · object 1\n100% changed"

    def colors() -> list[set[int]]:
        icon = model.index(0, 0).data(Qt.ItemDataRole.DecorationRole)
        if icon is None:
            return [set(), set()]
        image = icon.pixmap(172, 63).toImage()
        width, height = image.width(), range(image.height())
        halves = range(width // 2), range(width // 2, width)
        return [{image.pixel(x, y) for x in half for y in height} for half in halves]

    healed.qtbot.waitUntil(lambda: all(len(half) > 2 for half in colors()))


def test_keys_reject_the_range_and_accept_the_rest(healed: Desk) -> None:
    healed.do("view_changes")
    panel = panel_of(healed)
    panel.choose(Key(16, 1))
    later = {frame for frame in open_frames(healed) if frame > 15}
    healed.press(Qt.Key.Key_R, SHIFT, panel.view)
    assert not open_frames(healed) & later
    steps = healed.session.history.stack.index()
    panel.scope.setCurrentIndex(2)
    healed.press(Qt.Key.Key_Y, SHIFT, panel.view)
    assert open_frames(healed) == set()
    assert healed.session.history.stack.index() == steps + 1
    healed.press(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert open_frames(healed)


@pytest.mark.parametrize("decide", ["reject_change", "accept_change"])
def test_after_a_decision_the_picture_shows_what_is_decided_on_next(
    healed: Desk, decide: str
) -> None:
    healed.do("view_changes")
    panel = panel_of(healed)
    panel.scope.setCurrentIndex(0)
    here = healed.session.view.frame
    healed.do(decide)
    following = panel.chosen_here()
    assert following is not None
    assert following.frame != here
    assert healed.session.view.frame == following.frame


def test_several_rows_are_decided_on_at_once(healed: Desk) -> None:
    healed.do("view_changes")
    panel = panel_of(healed)
    panel.scope.setCurrentIndex(0)
    panel.view.selectAll()
    healed.do("reject_change")
    assert open_frames(healed) == set()


def test_without_the_list_it_is_the_mask_in_view(healed: Desk) -> None:
    panel = panel_of(healed)
    assert not panel.is_in_view
    panel.scope.setCurrentIndex(0)
    healed.session.view.select(1)
    healed.session.view.go_to(17)
    healed.press(Qt.Key.Key_R, SHIFT)
    assert 17 not in open_frames(healed)
    assert healed.session.view.frame == 17
    assert 18 in open_frames(healed)
    healed.press(Qt.Key.Key_R, SHIFT)
    assert any("nothing here" in text for text in healed.window.messages.texts)


def test_a_click_goes_to_the_change(healed: Desk) -> None:
    healed.do("view_changes")
    panel = panel_of(healed)
    index = panel.view.model().index(2, 0)
    panel.view.clicked.emit(index)
    assert healed.session.view.frame == healed.session.changes.open[2].key.frame


def test_a_long_name_leaves_the_list_as_wide_as_its_panel(healed: Desk) -> None:
    healed.session.objects.rename(1, "the left hand of the person who came in last")
    healed.do("view_changes")
    view = panel_of(healed).view
    healed.settle()
    assert view.horizontalScrollBar().maximum() == 0
    assert view.visualRect(view.model().index(0, 0)).width() <= view.viewport().width()
