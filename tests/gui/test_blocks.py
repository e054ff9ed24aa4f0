"""The blocks of the timeline: frames of several objects, and what the window does to them."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QDockWidget, QLabel, QLineEdit, QMenu

from app.core.block import Block
from app.core.document import Key, State
from app.gui.actions.command_palette import CommandPalette
from app.gui.timeline.paint import LANE
from app.gui.timeline.timeline import Timeline
from tests.gui.conftest import Desk

LEFT = Qt.MouseButton.LeftButton
SPANS = (
    "copy_on", "block_propagate", "block_consistent", "block_exchange", "exchange_on",
    "take_over_on", "block_verify", "block_unanchor", "block_absent", "block_clear", "absent_range",
    "clear_range", "merge",
)  # fmt: skip


@pytest.fixture
def filled(opened: Desk) -> Desk:
    """Two objects, propagated to the end."""
    opened.draw(number=1, x=10)
    opened.draw(number=2, x=40)
    opened.do("forward")
    opened.idle()
    return opened


def timeline_of(desk: Desk) -> Timeline:
    timeline = desk.window.findChild(Timeline)
    assert timeline is not None
    return timeline


def place(timeline: Timeline, frame: int, row: int) -> QPoint:
    layout = timeline.layout_now()
    return QPoint(round(layout.x_of(frame + 0.5)), layout.row_top(row) + LANE // 2)


def choose(desk: Desk, frames: range, objects: tuple[int, ...] = (1, 2)) -> None:
    desk.session.view.choose_block(Block(objects, frames))
    desk.settle()


def states(desk: Desk, number: int, frames: range) -> set[State]:
    return {desk.session.masks.state(Key(frame, number)) for frame in frames}


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_dragging_over_lanes_chooses_a_block_and_offers_what_can_be_done(filled: Desk) -> None:
    timeline, qtbot = timeline_of(filled), filled.qtbot
    viewport = timeline.viewport()
    qtbot.mousePress(viewport, LEFT, pos=place(timeline, 8, 1))
    qtbot.mouseMove(viewport, place(timeline, 6, 1))
    qtbot.mouseMove(viewport, place(timeline, 5, 0))
    qtbot.mouseRelease(viewport, LEFT, pos=place(timeline, 5, 0))
    assert filled.session.view.block == Block((1, 2), range(5, 9))
    (menu,) = [each for each in timeline.findChildren(QMenu) if each.isVisible()]
    texts = [action.iconText() for action in menu.actions()]
    assert {"Merge objects", "Delete masks there", "Exchange two objects there"} <= set(texts)
    menu.close()
    qtbot.mouseClick(viewport, LEFT, pos=place(timeline, 20, 0))
    assert filled.session.view.block is None
    assert filled.session.view.frame == 20


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("block_clear", State.NONE),
        ("block_absent", State.ABSENT),
        ("block_verify", State.VERIFIED),
    ],
)
def test_a_verb_acts_on_all_objects_of_the_block_as_one_step(
    filled: Desk, name: str, state: State
) -> None:
    choose(filled, range(5, 9))
    steps = filled.session.history.stack.count()
    filled.do(name)
    for number in (1, 2):
        assert states(filled, number, range(5, 9)) == {state}
        assert states(filled, number, range(9, 12)) != {state}
    assert filled.session.history.stack.count() == steps + 1


def test_cleared_frames_are_propagated_again(filled: Desk) -> None:
    choose(filled, range(5, 9))
    filled.do("block_clear")
    filled.do("block_propagate")
    filled.idle()
    assert states(filled, 1, range(5, 9)) == states(filled, 2, range(5, 9)) == {State.PREDICTED}


def test_without_a_block_the_selected_object_is_meant_from_in_to_out(filled: Desk) -> None:
    filled.session.view.select(2)
    filled.session.view.set_range(10, 12)
    filled.do("block_clear")
    assert states(filled, 2, range(10, 13)) == {State.NONE}
    assert states(filled, 1, range(10, 13)) == {State.PREDICTED}


def test_objects_are_exchanged_from_the_block_on_to_the_next_anchor(filled: Desk) -> None:
    masks = filled.session.masks
    before = [entry.mask if (entry := masks.entry(Key(20, n))) else None for n in (1, 2)]
    choose(filled, range(10, 12))
    filled.do("exchange_on")
    after = [entry.mask if (entry := masks.entry(Key(20, n))) else None for n in (1, 2)]
    assert after == before[::-1]
    assert filled.session.view.frame == 10


def test_all_objects_of_a_block_are_locked_and_unlocked(filled: Desk) -> None:
    choose(filled, range(3))
    filled.do("block_lock")
    assert [info.locked for info in filled.session.masks.objects] == [True, True]
    filled.do("block_lock")
    assert [info.locked for info in filled.session.masks.objects] == [False, False]


def test_exchange_needs_two_objects(filled: Desk, said: Callable[[str], bool]) -> None:
    filled.session.objects.add()
    choose(filled, range(3), (1,))
    filled.do("block_exchange")
    assert said("Choose two objects")


def test_the_palette_says_when_it_finds_nothing(opened: Desk) -> None:
    opened.do("palette")
    (palette,) = opened.window.findChildren(CommandPalette)
    field, label = palette.findChild(QLineEdit), palette.findChild(QLabel)
    assert field is not None
    assert label is not None
    assert not label.isVisible()
    field.setText("zzzz")
    assert label.isVisible()
    assert "No command" in label.text()
    field.setText("merge")
    assert palette.names()[0] == "Merge objects"


def test_suspects_are_marked_in_their_lane(opened: Desk) -> None:
    opened.model.fake_tracker.drift = {10: 30, 11: 30}
    opened.draw()
    timeline = timeline_of(opened)
    opened.do("forward")
    opened.idle()
    opened.qtbot.waitUntil(lambda: len(opened.session.review.found) > 0)
    opened.qtbot.waitUntil(lambda: not timeline._redraw.isActive())
    layout = timeline.layout_now()
    image = timeline.viewport().grab().toImage()
    color = QColor(*opened.session.masks.objects[0].color)
    suspect = opened.session.review.found[0]

    def marked(frame: float) -> bool:
        x = round(layout.x_of(frame))
        return QColor(image.pixel(x, layout.row_top(0) + 1)).name() == color.name()

    assert marked(suspect.frame + 0.5)
    assert not marked(20.5)


def test_the_palette_finds_a_panel_and_shows_it(opened: Desk) -> None:
    opened.do("palette")
    (palette,) = opened.window.findChildren(CommandPalette)
    history = opened.window.findChild(QDockWidget, "history")
    assert history is not None
    assert not history.isVisible()
    field = palette.findChild(QLineEdit)
    assert field is not None
    opened.qtbot.keyClicks(field, "history")
    assert palette.names()[0] == "History"
    opened.qtbot.keyClick(field, Qt.Key.Key_Return)
    opened.settle()
    assert history.isVisible()


@pytest.mark.parametrize("frame", [0, 4, 29])
@pytest.mark.parametrize(("first", "last"), [(4, 4), (None, 2), (20, None), (0, 29)])
def test_a_range_that_the_person_is_not_in_is_no_reason_to_fail(
    filled: Desk, frame: int, first: int | None, last: int | None
) -> None:
    session = filled.session
    session.view.set_range(first, last)
    for name in SPANS:
        session.view.select(1)
        session.view.go_to(frame)
        filled.draw(number=1, x=12, frame=frame)
        filled.do(name)  # what raises in there fails the test
        filled.idle()
    assert {1, 2} >= {info.id for info in session.masks.objects}
