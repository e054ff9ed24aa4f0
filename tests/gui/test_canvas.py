"""The canvas: what is on the screen, zoom and pan, frames that are still being read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QKeyEvent
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.core.mask import Mask
from app.core.paint import Point
from app.gui.canvas.canvas import Canvas
from app.gui.canvas.hud import Hud
from app.gui.canvas.mask_menu import MaskMenu
from app.gui.canvas.scene.layers import contour_path
from app.gui.canvas.scene.overlay import OverlayMode
from app.gui.canvas.scene.picture import Picture
from app.gui.canvas.tools.tool import Tool
from models.api import BoolMask, Click
from tests.gui.stage import SIZE, Mouse, Stage


@pytest.fixture
def canvas(canvas: Canvas) -> Canvas:
    canvas.set_opacity(1.0)
    canvas.set_mode(OverlayMode.FILL)
    return canvas


def block(y0: int, y1: int, x0: int, x1: int) -> BoolMask:
    pixels = np.zeros(SIZE, np.bool_)
    pixels[y0:y1, x0:x1] = True
    return pixels


def color_at(canvas: Canvas, x: float, y: float) -> tuple[int, int, int]:
    """Return the colour on the screen in the middle of a pixel of the frame."""
    place = canvas.viewportTransform().map(QPointF(x + 0.5, y + 0.5)).toPoint()
    color = QColor(canvas.viewport().grab().toImage().pixel(place))
    return color.red(), color.green(), color.blue()


def go_to(stage: Stage, canvas: Canvas, qtbot: QtBot, frame: int) -> None:
    stage.session.view.go_to(frame)
    qtbot.waitUntil(lambda: shown_frame(canvas) == frame)


def shown_frame(canvas: Canvas) -> int:
    picture = canvas.scene()
    assert isinstance(picture, Picture)
    return picture.frame


def wait_at_most(canvas: Canvas, milliseconds: int) -> None:
    picture = canvas.scene()
    assert isinstance(picture, Picture)
    picture._wait_limit.setInterval(milliseconds)


def color_of(stage: Stage, number: int) -> tuple[int, int, int]:
    return stage.session.masks.document.object(number).color


# What is on the screen


def test_the_frame_and_its_masks_are_shown(stage: Stage, canvas: Canvas, qtbot: QtBot) -> None:
    number = stage.draw(block(10, 30, 10, 30), frame=7)
    go_to(stage, canvas, qtbot, 7)
    assert color_at(canvas, 50, 50) == (7, 7, 7)
    assert color_at(canvas, 20, 20) == color_of(stage, number)
    go_to(stage, canvas, qtbot, 8)
    assert color_at(canvas, 20, 20) == (8, 8, 8)


def test_an_edit_elsewhere_does_not_change_what_is_shown(stage: Stage, canvas: Canvas) -> None:
    stage.draw(block(10, 30, 10, 30), frame=3)
    assert color_at(canvas, 20, 20) == (0, 0, 0)


def test_hiding_the_upper_object_uncovers_the_lower_one(stage: Stage, canvas: Canvas) -> None:
    stage.let_masks_overlap()
    lower = stage.draw(block(10, 30, 10, 30))
    upper = stage.draw(block(10, 30, 10, 30))
    assert color_at(canvas, 20, 20) == color_of(stage, upper)
    info = stage.session.masks.document.object(upper)
    stage.session.objects.edit(replace(info, visible=False))
    assert color_at(canvas, 20, 20) == color_of(stage, lower)


def test_solo_shows_the_selected_object_alone(stage: Stage, canvas: Canvas) -> None:
    stage.let_masks_overlap()
    lower = stage.draw(block(10, 30, 10, 30))
    stage.draw(block(10, 40, 10, 40))
    stage.session.view.select(lower)
    canvas.set_mode(OverlayMode.SOLO)
    assert color_at(canvas, 20, 20) == color_of(stage, lower)
    assert color_at(canvas, 35, 35) == (0, 0, 0)


def test_the_matte_hides_the_frame(stage: Stage, canvas: Canvas, qtbot: QtBot) -> None:
    go_to(stage, canvas, qtbot, 20)
    assert color_at(canvas, 50, 50) == (20, 20, 20)
    canvas.set_mode(OverlayMode.MATTE)
    assert color_at(canvas, 50, 50) == (0, 0, 0)


def test_the_contour_mode_leaves_the_inside_free(stage: Stage, canvas: Canvas) -> None:
    stage.draw(block(10, 40, 10, 40))
    canvas.set_mode(OverlayMode.CONTOUR)
    assert color_at(canvas, 25, 25) == (0, 0, 0)
    assert color_at(canvas, 25, 10) != (0, 0, 0)


def test_opacity_blends_the_mask_with_the_frame(stage: Stage, canvas: Canvas) -> None:
    number = stage.draw(block(10, 40, 10, 40))
    canvas.set_opacity(0.5)
    shown, full = color_at(canvas, 25, 25), color_of(stage, number)
    assert shown == pytest.approx([value / 2 for value in full], abs=2)


def test_the_raw_frame_shows_while_the_key_is_held(stage: Stage, canvas: Canvas) -> None:
    number = stage.draw(block(10, 40, 10, 40))
    for kind, expected in (
        (QKeyEvent.Type.KeyPress, (0, 0, 0)),
        (QKeyEvent.Type.KeyRelease, color_of(stage, number)),
    ):
        key = QKeyEvent(kind, Qt.Key.Key_QuoteLeft, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(canvas, key)
        assert color_at(canvas, 25, 25) == expected


def test_a_stroke_shows_while_it_is_painted(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    canvas.set_tool(Tool.BRUSH)
    canvas.set_brush_diameter(11)
    mouse.press(20, 30)
    mouse.move(60, 30)
    number = stage.session.masks.objects[0].id
    assert color_at(canvas, 40, 33) == color_of(stage, number)
    mouse.release(60, 30)
    assert color_at(canvas, 40, 33) == color_of(stage, number)


def test_undo_shows_what_was_there_before(stage: Stage, canvas: Canvas) -> None:
    stage.draw(block(10, 40, 10, 40))
    stage.session.history.stack.undo()
    assert color_at(canvas, 25, 25) == (0, 0, 0)


def test_a_ghost_is_shown_on_its_own_frame_only(stage: Stage, canvas: Canvas, qtbot: QtBot) -> None:
    ghost = Mask.encode(block(10, 40, 10, 40))
    stage.session.clicks.preview_changed.emit((0, 1, ghost))
    column = [color_at(canvas, 10, y) for y in range(12, 38, 2)]
    assert any(color != (0, 0, 0) for color in column)
    go_to(stage, canvas, qtbot, 1)
    assert {color_at(canvas, 10, y) for y in range(12, 38, 2)} == {(1, 1, 1)}


def test_clicks_are_marked_for_the_selected_object(
    stage: Stage, canvas: Canvas, mouse: Mouse, qtbot: QtBot
) -> None:
    canvas.set_tool(Tool.POINTS)
    mouse.click(60, 15)
    qtbot.waitUntil(lambda: stage.is_idle and stage.entry() is not None)
    canvas.set_mode(OverlayMode.CONTOUR)
    marked = color_at(canvas, 60, 15)
    stage.session.view.select(None)
    assert marked != color_at(canvas, 60, 15)


def test_a_click_is_marked_as_at_work_until_it_is_answered(
    stage: Stage, canvas: Canvas, qtbot: QtBot
) -> None:
    session = stage.session
    picture, hud = canvas.scene(), canvas.findChild(Hud)
    assert isinstance(picture, Picture)
    assert hud is not None
    stage.holds_clicks = True
    session.clicks.click(Click(20, 20))
    assert [each.click for each in picture.waiting.questions] == [Click(20, 20)]
    assert picture.waiting.isVisible()
    assert "looking" in hud.text()
    session.correction.verify_and_heal()
    assert "Enter follows" in hud.text()
    go_to(stage, canvas, qtbot, 2)
    assert picture.waiting.questions == ()
    go_to(stage, canvas, qtbot, 0)
    assert picture.waiting.questions != ()
    qtbot.waitUntil(lambda: stage.made is not None)
    assert stage.made is not None
    stage.made.fake_segmenter.gate.open()
    qtbot.waitUntil(lambda: stage.entry() is not None)
    assert picture.waiting.questions == ()
    assert not picture.waiting.isVisible()
    assert "looking" not in hud.text()
    qtbot.waitUntil(lambda: stage.state(29) == "PREDICTED")  # Enter has been done


def test_an_unreadable_frame_is_an_empty_ground_and_not_asked_for_again(
    stage: Stage, canvas: Canvas, qtbot: QtBot, tmp_path: Path
) -> None:
    broken = sorted((tmp_path / "clip").glob("*.png"))[25]
    broken.write_bytes(b"not an image")
    wait_at_most(canvas, 60_000)
    asked: list[int] = []
    stage.session.video.image_ready.connect(asked.append)
    stage.session.view.go_to(25)
    qtbot.waitUntil(lambda: shown_frame(canvas) == 25)
    qtbot.wait(150)
    assert color_at(canvas, 50, 50) == (40, 40, 40)
    assert asked.count(25) <= 2


def test_a_frame_that_is_long_in_coming_is_an_empty_ground_until_it_is_there(
    stage: Stage, canvas: Canvas, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_at_most(canvas, 20)
    with monkeypatch.context() as slow:
        slow.setattr(stage.session.video, "image", lambda _frame: None)
        slow.setattr(stage.session.video, "nearest_image", lambda _frame: None)
        stage.session.view.go_to(4)
        assert shown_frame(canvas) == 0
        qtbot.waitUntil(lambda: shown_frame(canvas) == 4)
        assert color_at(canvas, 50, 50) == (40, 40, 40)
    qtbot.waitUntil(lambda: stage.session.video.image(4) is not None)
    stage.session.video.image_ready.emit(4)
    assert color_at(canvas, 50, 50) == (4, 4, 4)


def test_the_nearest_frame_in_memory_stands_in_for_one_that_is_being_read(
    stage: Stage, canvas: Canvas, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = np.full((*SIZE, 3), 77, np.uint8)
    monkeypatch.setattr(stage.session.video, "image", lambda _frame: None)
    monkeypatch.setattr(stage.session.video, "nearest_image", lambda _frame: (18, near))
    stage.session.view.go_to(20)
    assert shown_frame(canvas) == 18
    assert color_at(canvas, 50, 50) == (77, 77, 77)


def test_what_is_not_on_the_screen_cannot_be_painted(
    stage: Stage, canvas: Canvas, mouse: Mouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage.session.video, "image", lambda _frame: None)
    monkeypatch.setattr(stage.session.video, "nearest_image", lambda _frame: None)
    stage.session.view.go_to(20)
    canvas.set_tool(Tool.BRUSH)
    mouse.click(20, 20)
    assert stage.session.masks.objects == ()
    assert "20" in stage.reports[-1].text


def test_contours_become_closed_paths() -> None:
    square = np.array([[2, 3], [6, 3], [6, 8], [2, 8]], np.int32)
    path = contour_path([square, square + 20])
    assert path.elementCount() == 10
    box = path.boundingRect()
    assert (box.left(), box.top(), box.right(), box.bottom()) == (2.5, 3.5, 26.5, 28.5)
    assert contour_path([]).isEmpty()


# Zoom and pan


def test_the_frame_is_fitted_and_stays_so_when_the_size_changes(canvas: Canvas) -> None:
    ratio = canvas.devicePixelRatioF()
    assert canvas.percent == pytest.approx(1000 * ratio)  # 600 pixels for 60
    canvas.resize(400, 600)
    assert canvas.percent == pytest.approx(500 * ratio)


def test_a_zoomed_view_does_not_change_with_the_size(canvas: Canvas) -> None:
    canvas.zoom_to(100)
    canvas.resize(400, 300)
    assert canvas.percent == pytest.approx(100)


@pytest.mark.parametrize("at", [(5, 5), (40, 30), (79, 59)])
def test_the_wheel_zooms_at_the_cursor(canvas: Canvas, mouse: Mouse, at: tuple[int, int]) -> None:
    place = canvas.viewportTransform().map(QPointF(*at))
    for _ in range(4):
        mouse.wheel(at[0] - 0.5, at[1] - 0.5, 1)
    moved = canvas.viewportTransform().map(QPointF(*at)) - place
    assert moved.manhattanLength() < 5
    assert canvas.percent == pytest.approx(1000 * 1.25**4, rel=1e-3)


def test_the_middle_button_pans(canvas: Canvas, mouse: Mouse) -> None:
    before = canvas.viewportTransform().map(QPointF(0, 0))
    mouse.drag((20, 20), (24, 22), Qt.MouseButton.MiddleButton)
    after = canvas.viewportTransform().map(QPointF(0, 0))
    assert (after - before).x() > 10


def test_an_area_can_be_brought_near(canvas: Canvas) -> None:
    canvas.zoom_to(50)
    canvas.show_area((20, 40, 30, 50))
    middle = canvas.to_scene(QPointF(canvas.viewport().rect().center()))
    assert middle.x() == pytest.approx(40, abs=1)
    assert middle.y() == pytest.approx(30, abs=1)
    assert canvas.percent > 100


def test_a_small_area_is_shown_with_what_lies_round_it(canvas: Canvas) -> None:
    canvas.resize(40, 30)
    canvas.show_area((23, 25, 31, 33))
    seen = canvas.viewport().width() / (canvas.percent / 100)
    assert seen == pytest.approx(0.3 * SIZE[1])


def test_the_pixel_under_the_cursor_is_told(canvas: Canvas, mouse: Mouse, qtbot: QtBot) -> None:
    with qtbot.waitSignal(canvas.cursor_moved) as told:
        mouse.move(12, 34)
    assert told.args == [12, 34]
    with qtbot.waitSignal(canvas.cursor_moved) as told:
        mouse.move(-3, 34)
    assert told.args == [-1, -1]


# Words


def test_the_hud_names_frame_object_and_state(stage: Stage, canvas: Canvas, qtbot: QtBot) -> None:
    stage.draw(block(10, 30, 10, 30))
    hud = canvas.findChild(Hud)
    assert isinstance(hud, QLabel)
    assert "0 / 29" in hud.text()
    assert "anchor" in hud.text()
    go_to(stage, canvas, qtbot, 4)
    assert "4 / 29" in hud.text()
    assert "no mask" in hud.text()


def test_nothing_is_open_and_nothing_breaks(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    stage.session.files.close()
    for tool in Tool:
        canvas.set_tool(tool)
        mouse.drag((1, 1), (5, 5))
    canvas.viewport().grab()


# The menu


def menu(stage: Stage, at: Point) -> MaskMenu:
    session = stage.session
    item = session.masks.objects[0]
    return MaskMenu(session.view, session.masks, session.edit, item, at)


def choose(opened: MaskMenu, words: str) -> None:
    next(action for action in opened.actions() if words in action.text()).trigger()


def ring() -> BoolMask:
    pixels = block(5, 45, 5, 45)
    pixels[15:25, 15:25] = False
    pixels[50:55, 60:65] = True
    return pixels


def test_the_menu_fills_the_hole_that_it_was_asked_for_at(
    stage: Stage, canvas: Canvas, qtbot: QtBot
) -> None:
    stage.draw(ring())
    opened = menu(stage, Point(20, 20))
    qtbot.addWidget(opened)
    before = stage.session.history.stack.count()
    choose(opened, "Fill this hole")
    assert stage.pixels()[15:25, 15:25].all()
    assert stage.session.history.stack.count() == before + 1


def test_a_repair_that_changes_nothing_is_no_undo_step(
    stage: Stage, canvas: Canvas, qtbot: QtBot
) -> None:
    stage.draw(block(5, 45, 5, 45))
    opened = menu(stage, Point(20, 20))
    qtbot.addWidget(opened)
    before = stage.session.history.stack.count()
    choose(opened, "Fill all holes")
    choose(opened, "largest")
    assert stage.session.history.stack.count() == before


def test_the_menu_keeps_the_largest_part(stage: Stage, canvas: Canvas, qtbot: QtBot) -> None:
    stage.draw(ring())
    opened = menu(stage, Point(0, 0))
    qtbot.addWidget(opened)
    choose(opened, "largest")
    assert not stage.pixels()[50:55, 60:65].any()


def test_the_menu_of_a_locked_object_offers_nothing(
    stage: Stage, canvas: Canvas, qtbot: QtBot
) -> None:
    number = stage.draw(ring())
    stage.session.objects.edit(replace(stage.session.masks.document.object(number), locked=True))
    opened = menu(stage, Point(0, 0))
    qtbot.addWidget(opened)
    assert not any(action.isEnabled() for action in opened.actions() if action.text())
