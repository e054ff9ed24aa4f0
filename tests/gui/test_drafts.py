"""What is being drawn: it ends with its object and with its video."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.core.document import ObjectInfo
from app.gui.canvas.canvas import Canvas
from app.gui.canvas.scene.overlay import OverlayMode, OverlayStyle, labels_of
from app.gui.canvas.tools.tool import Tool
from tests.fakes import write_frames
from tests.gui.stage import RIGHT, SIZE, Mouse, Stage


def begin_polygon(canvas: Canvas, mouse: Mouse) -> None:
    canvas.set_tool(Tool.POLYGON)
    for corner in ((10, 10), (40, 10), (40, 40)):
        mouse.click(*corner)


def close_polygon(canvas: Canvas) -> None:
    QTest.keyClick(canvas, Qt.Key.Key_Return)


def test_a_polygon_ends_with_its_video(
    stage: Stage, canvas: Canvas, mouse: Mouse, tmp_path: Path
) -> None:
    begin_polygon(canvas, mouse)
    stage.session.files.open(write_frames(tmp_path / "next", 5, SIZE))
    close_polygon(canvas)
    assert len(stage.session.masks.document) == 0
    mouse.click(20, 20)  # and a new one begins at its first corner
    close_polygon(canvas)
    assert len(stage.session.masks.document) == 0


def test_a_polygon_ends_with_its_object(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    begin_polygon(canvas, mouse)
    stage.session.objects.delete(1)
    stage.session.objects.add()
    close_polygon(canvas)
    assert len(stage.session.masks.document) == 0


def test_a_polygon_ends_where_another_object_is_selected(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    first, other = stage.session.objects.add(), stage.session.objects.add()
    stage.session.view.select(first)
    begin_polygon(canvas, mouse)
    stage.session.view.select(other)
    close_polygon(canvas)
    assert len(stage.session.masks.document) == 0
    stage.session.view.select(first)
    close_polygon(canvas)  # nor does it come again with its object
    assert len(stage.session.masks.document) == 0


@pytest.mark.parametrize("goes_on", ["object", "frame", "tool"])
def test_a_polygon_that_nobody_dropped_is_said_to_be_dropped(
    stage: Stage, canvas: Canvas, mouse: Mouse, goes_on: str
) -> None:
    first, other = stage.session.objects.add(), stage.session.objects.add()
    stage.session.view.select(first)
    begin_polygon(canvas, mouse)
    assert canvas.is_drawing
    stage.reports.clear()
    if goes_on == "object":
        stage.session.view.select(other)
    elif goes_on == "frame":
        stage.session.view.go_to(3)
    else:
        canvas.set_tool(Tool.POINTS)
    assert [each.text for each in stage.reports] == [
        "The open polygon on frame 0 is dropped. Enter closes one first."
    ]
    assert not canvas.is_drawing


def test_a_polygon_dropped_by_its_key_needs_no_words(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    begin_polygon(canvas, mouse)
    stage.reports.clear()
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    stage.session.view.go_to(3)
    assert not stage.reports


def test_a_box_ends_where_another_object_is_selected(
    stage: Stage, canvas: Canvas, mouse: Mouse, qtbot: QtBot
) -> None:
    first, other = stage.session.objects.add(), stage.session.objects.add()
    stage.session.view.select(first)
    canvas.set_tool(Tool.BOX)
    mouse.press(10, 10)
    mouse.move(30, 30)
    stage.session.view.select(other)
    mouse.release(40, 40)
    mouse.press(10, 10)
    stage.session.view.select(first)
    mouse.move(40, 40)
    stage.session.view.select(other)  # it does not come again with its object, either
    mouse.release(40, 40)
    assert stage.is_idle  # the model was not asked
    mouse.drag((50, 10), (70, 30))
    qtbot.waitUntil(lambda: len(stage.session.masks.document) == 1)


def test_a_polygon_stays_while_another_object_goes(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    other = stage.session.objects.add()
    assert other is not None
    stage.session.objects.add()
    begin_polygon(canvas, mouse)
    stage.session.objects.delete(other)
    close_polygon(canvas)
    assert stage.pixels(0, 2)[15, 35]


def test_a_brush_stroke_ends_with_its_video(
    stage: Stage, canvas: Canvas, mouse: Mouse, tmp_path: Path
) -> None:
    canvas.set_tool(Tool.BRUSH)
    mouse.press(20, 20)
    mouse.move(30, 20)
    stage.session.files.open(write_frames(tmp_path / "next", 5, SIZE))
    mouse.move(40, 20)
    mouse.release(40, 20)
    assert len(stage.session.masks.document) == 0


def test_a_stroke_ends_where_another_button_begins_one(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    canvas.set_tool(Tool.BRUSH)
    first, other = stage.session.objects.add(), stage.session.objects.add()
    stage.session.view.select(first)
    mouse.press(20, 20)
    mouse.move(30, 20)
    stage.session.view.select(other)
    mouse.press(60, 40, RIGHT)
    mouse.release(60, 40)
    assert first is not None
    assert stage.pixels(0, first)[20, 25]


def test_objects_of_any_id_are_seen_in_their_colours(stage: Stage, canvas: Canvas) -> None:
    pixels = np.zeros(SIZE, np.bool_)
    pixels[10:30, 10:30] = True
    for _ in range(300):
        number = stage.session.objects.add()
        assert number is not None
        stage.session.objects.delete(number)
    stage.draw(pixels)
    stage.draw(np.roll(pixels, 30, axis=1))
    canvas.set_mode(OverlayMode.MATTE)
    canvas.resize(800, 600)
    canvas.fit()
    shown = canvas.grab().toImage()
    colors = [info.color for info in stage.session.masks.objects]
    place = canvas.viewportTransform()
    for x, color in zip((20, 50), colors, strict=True):
        at = place.map(QPointF(x, 20)).toPoint()
        found = shown.pixelColor(at)
        assert np.allclose((found.red(), found.green(), found.blue()), color, atol=3)


def test_every_object_has_a_label_of_its_own() -> None:
    objects = tuple(ObjectInfo(n, "x", (n % 256, 0, 0)) for n in (1, 255, 256, 300, 70_000))
    labels = labels_of(objects)
    assert (labels[1], labels[255]) == (1, 255)
    assert len(set(labels.values())) == 5
    assert all(1 <= label <= 255 for label in labels.values())
    table = OverlayStyle(mode=OverlayMode.FILL, opacity=1.0).color_table(objects)
    assert [table[labels[info.id]] >> 16 & 255 for info in objects] == [1, 255, 0, 44, 112]
