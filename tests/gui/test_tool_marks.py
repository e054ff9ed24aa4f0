"""What tools draw over the picture: it goes, or goes along, while the mouse stands still."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.canvas.canvas import Canvas
from app.gui.canvas.scene.picture import Picture
from app.gui.canvas.tools.tool import Tool
from tests.gui.stage import Mouse, Stage

SHIFT = Qt.KeyboardModifier.ShiftModifier


def look(canvas: Canvas) -> QImage:
    """Return what is on the screen."""
    return canvas.viewport().grab().toImage()


def two_objects(stage: Stage) -> tuple[int, int]:
    """Make two objects and select the first."""
    first, other = stage.session.objects.add(), stage.session.objects.add()
    assert first is not None
    assert other is not None
    stage.session.view.select(first)
    return first, other


def let_go_of_shift(canvas: Canvas) -> None:
    """Let Shift go as Qt tells it: it is held still by what the event says of its keys."""
    event = QKeyEvent(QEvent.Type.KeyRelease, Qt.Key.Key_Shift, SHIFT)
    QApplication.sendEvent(canvas, event)


def leave(canvas: Canvas) -> None:
    QApplication.sendEvent(canvas.viewport(), QEvent(QEvent.Type.Leave))
    QApplication.sendEvent(canvas, QEvent(QEvent.Type.Leave))


def lose_focus(canvas: Canvas) -> None:
    QApplication.sendEvent(canvas, QFocusEvent(QEvent.Type.FocusOut))


@pytest.mark.parametrize("goes", ["selection", "object"])
def test_a_box_is_gone_at_once_where_another_object_is_selected(
    stage: Stage, canvas: Canvas, mouse: Mouse, goes: str
) -> None:
    first, other = two_objects(stage)
    before = look(canvas)
    canvas.set_tool(Tool.BOX)
    mouse.press(10, 10)
    mouse.move(50, 40)
    assert look(canvas) != before
    if goes == "selection":
        stage.session.view.select(other)
    else:
        stage.session.objects.delete(first)
    assert look(canvas) == before
    assert not canvas.is_drawing


@pytest.mark.parametrize("end", [let_go_of_shift, leave, lose_focus])
def test_a_preview_is_gone_once_nothing_asks_for_it(
    stage: Stage, canvas: Canvas, mouse: Mouse, qtbot: QtBot, end: Callable[[Canvas], None]
) -> None:
    two_objects(stage)
    before = look(canvas)
    canvas.set_tool(Tool.POINTS)
    mouse.move(30, 30, SHIFT)
    qtbot.waitUntil(lambda: look(canvas) != before)
    end(canvas)
    assert look(canvas) == before


def test_a_preview_goes_with_its_object_and_with_the_models(
    stage: Stage, canvas: Canvas, mouse: Mouse, qtbot: QtBot
) -> None:
    _, other = two_objects(stage)
    before = look(canvas)
    canvas.set_tool(Tool.POINTS)
    ends: tuple[Callable[[], None], ...] = (
        lambda: stage.session.view.select(other),
        stage.session.clicks.drop,
    )
    for end in ends:
        mouse.move(30, 30, SHIFT)
        qtbot.waitUntil(lambda: look(canvas) != before)
        end()
        assert look(canvas) == before


def test_a_preview_follows_the_keys_while_the_mouse_stands_still(
    stage: Stage, canvas: Canvas, mouse: Mouse, qtbot: QtBot
) -> None:
    two_objects(stage)
    canvas.set_tool(Tool.POINTS)
    mouse.move(30, 30, SHIFT)
    qtbot.waitUntil(lambda: stage.made is not None and bool(stage.made.fake_segmenter.prompts))
    QApplication.sendEvent(canvas, QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Control, SHIFT))
    assert stage.made is not None
    prompts = stage.made.fake_segmenter.prompts
    qtbot.waitUntil(lambda: not prompts[-1][1].clicks[-1].positive)


def test_what_is_drawn_at_the_mouse_stays_there_where_the_picture_moves(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    picture, told = canvas.scene(), list[tuple[int, int]]()
    assert isinstance(picture, Picture)
    canvas.cursor_moved.connect(lambda x, y: told.append((x, y)))
    canvas.set_tool(Tool.BRUSH)
    mouse.move(10, 10)
    place = canvas.viewportTransform().map(QPointF(10.5, 10.5))
    canvas.zoom_by(3)
    under = canvas.to_scene(place)
    assert (under - QPointF(10.5, 10.5)).manhattanLength() > 5
    assert (picture.brush.pos() - under).manhattanLength() < 1
    assert told[-1] == (int(under.x()), int(under.y()))
    leave(canvas)
    canvas.fit()
    assert told[-1] == (-1, -1)


def test_the_open_line_of_a_polygon_ends_at_the_mouse_where_the_picture_moves(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    canvas.set_tool(Tool.POLYGON)
    mouse.click(40, 30)
    mouse.move(10, 10)
    place = canvas.viewportTransform().map(QPointF(10.5, 10.5))
    canvas.zoom_by(3)
    after = look(canvas)
    there = canvas.to_scene(place)
    mouse.move(there.x() - 0.5, there.y() - 0.5)
    assert look(canvas) == after
