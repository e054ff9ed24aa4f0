"""The tools: mouse and keys on a real canvas and session, fake models behind them."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.core.document import Entry, Key, ObjectInfo, Origin, why_not_editable
from app.core.mask import Mask
from app.core.paint import Point
from app.gui.canvas.canvas import Canvas
from app.gui.canvas.tools.choice import Gesture, gesture_for, object_at
from app.gui.canvas.tools.tool import Tool
from app.storage.project.project import Project
from models.api import BoolMask, Click
from tests.gui.stage import LEFT, MIDDLE, NONE, RIGHT, SIZE, Mouse, Stage

CTRL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def canvas(canvas: Canvas) -> Canvas:
    canvas.set_brush_diameter(9)
    return canvas


def block(y0: int, y1: int, x0: int, x1: int) -> BoolMask:
    pixels = np.zeros(SIZE, np.bool_)
    pixels[y0:y1, x0:x1] = True
    return pixels


def press(canvas: Canvas, key: Qt.Key, keys: Qt.KeyboardModifier = NONE) -> bool:
    """Press a key as the window would hear it; return whether the canvas used it."""
    event = QKeyEvent(QKeyEvent.Type.KeyPress, key, keys)
    QApplication.sendEvent(canvas, event)
    return event.isAccepted()


def overrides(canvas: Canvas, key: Qt.Key) -> bool:
    """Whether the canvas wants a key before the window's shortcuts."""
    event = QKeyEvent(QKeyEvent.Type.ShortcutOverride, key, NONE)
    event.ignore()
    QApplication.sendEvent(canvas, event)
    return event.isAccepted()


def clicks_of(stage: Stage) -> tuple[Click, ...]:
    entry = stage.entry()
    return entry.clicks if entry else ()


# Decisions


@pytest.mark.parametrize(
    ("tool", "button", "keys", "gesture"),
    [
        (Tool.POINTS, LEFT, NONE, Gesture.POSITIVE),
        (Tool.POINTS, RIGHT, NONE, Gesture.NEGATIVE),
        (Tool.POINTS, LEFT, CTRL, Gesture.NEGATIVE),
        (Tool.BRUSH, LEFT, NONE, Gesture.PAINT),
        (Tool.BRUSH, LEFT, CTRL, Gesture.ERASE),
        (Tool.BRUSH, LEFT, SHIFT, Gesture.PAINT_LINE),
        (Tool.ERASER, LEFT, NONE, Gesture.ERASE),
        (Tool.ERASER, LEFT, SHIFT, Gesture.ERASE_LINE),
        (Tool.BRUSH, RIGHT, NONE, Gesture.MENU),
        (Tool.BOX, LEFT, NONE, Gesture.BOX),
        (Tool.POLYGON, LEFT, ALT, Gesture.CORNER),
        (Tool.SELECT, LEFT, NONE, Gesture.SELECT),
        (Tool.BOX, MIDDLE, NONE, Gesture.PAN),
    ],
)
def test_button_and_modifiers_choose_the_gesture(
    tool: Tool, button: Qt.MouseButton, keys: Qt.KeyboardModifier, gesture: Gesture
) -> None:
    assert gesture_for(tool, button, keys) is gesture


def test_the_topmost_object_under_the_cursor_is_hit() -> None:
    def entry(pixels: BoolMask) -> Entry:
        return Entry(Mask.encode(pixels), Origin.DRAWN)

    objects = (ObjectInfo(7, "below", (0, 0, 0)), ObjectInfo(3, "above", (0, 0, 0)))
    entries = {7: entry(block(0, 20, 0, 20)), 3: entry(block(10, 30, 10, 30))}
    assert object_at(objects, entries, Point(12, 12)) == 3
    assert object_at(objects, entries, Point(2, 2)) == 7
    assert object_at(objects, entries, Point(19.4, 9.4)) == 7
    assert object_at(objects, entries, Point(50, 50)) is None


def test_a_locked_or_hidden_object_says_what_to_do() -> None:
    knife = ObjectInfo(1, "knife", (0, 0, 0))
    assert why_not_editable(knife) is None
    assert "Unlock" in str(why_not_editable(replace(knife, locked=True)))
    assert "Show" in str(why_not_editable(replace(knife, visible=False)))


# Select


def test_a_click_selects_the_object_under_it(stage: Stage, mouse: Mouse) -> None:
    first = stage.draw(block(10, 30, 10, 30))
    second = stage.draw(block(10, 30, 50, 70))
    mouse.click(15, 15)
    assert stage.session.view.selected == first
    mouse.click(60, 15)
    assert stage.session.view.selected == second
    mouse.click(2, 50)
    assert stage.session.view.selected is None


def test_dragging_with_the_select_tool_pans_and_selects_nothing(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    stage.draw(block(10, 30, 10, 30))
    stage.session.view.select(None)
    before = canvas.mapFromScene(0, 0)
    mouse.drag((15, 15), (25, 20))
    moved = canvas.mapFromScene(0, 0) - before
    assert stage.session.view.selected is None
    assert moved.x() > 20


# Points and box


def test_points_ask_the_model_and_carry_their_sign(
    stage: Stage, canvas: Canvas, mouse: Mouse, qtbot: QtBot
) -> None:
    canvas.set_tool(Tool.POINTS)
    mouse.click(40, 30)
    mouse.click(20, 20, RIGHT)
    mouse.click(22, 22, LEFT, CTRL)
    qtbot.waitUntil(lambda: stage.is_idle and len(clicks_of(stage)) == 3)
    assert [(round(c.x), round(c.y), c.positive) for c in clicks_of(stage)] == [
        (40, 30, True),
        (20, 20, False),
        (22, 22, False),
    ]


def test_a_point_beside_the_frame_asks_nothing(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    canvas.set_tool(Tool.POINTS)
    mouse.click(-5, 10)
    assert stage.session.masks.objects == ()


def test_a_box_is_drawn_between_press_and_release(
    stage: Stage, canvas: Canvas, mouse: Mouse, qtbot: QtBot
) -> None:
    canvas.set_tool(Tool.BOX)
    mouse.drag((60, 40), (20, 10))
    qtbot.waitUntil(lambda: stage.entry() is not None)
    rows, columns = np.nonzero(stage.pixels())
    assert (rows.min(), columns.min()) == (10, 20)  # the fake's answer begins at the box's corner


def test_a_point_that_takes_away_makes_no_object(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    canvas.set_tool(Tool.POINTS)
    mouse.click(40, 30, RIGHT)
    assert stage.session.masks.objects == ()
    assert "Click on the object first" in stage.reports[-1].text


def test_a_click_with_the_box_tool_is_no_box(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    canvas.set_tool(Tool.BOX)
    mouse.click(20, 20)
    assert stage.is_idle
    assert stage.entry() is None


# Brush


def test_a_stroke_is_one_undo_step(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    stage.session.objects.add()
    before = stage.session.history.stack.count()
    canvas.set_tool(Tool.BRUSH)
    mouse.drag((10, 30), (60, 30))
    assert stage.session.history.stack.count() == before + 1
    pixels = stage.pixels()
    assert pixels[30, 8:62].all()
    assert pixels[:, 35].sum() == 9
    stage.session.history.stack.undo()
    assert not stage.pixels().any()


def test_a_stroke_beside_the_picture_is_none(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    canvas.set_tool(Tool.BRUSH)
    mouse.click(-20, 30)
    assert stage.session.masks.objects == ()
    stage.session.objects.add()
    mouse.click(-20, 30)
    assert stage.entry() is None


def test_a_stroke_that_changes_no_pixel_is_none(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    stage.session.view.select(stage.draw(block(10, 40, 10, 60)))
    steps = stage.session.history.stack.count()
    canvas.set_tool(Tool.BRUSH)
    mouse.drag((25, 25), (40, 25))
    assert stage.session.history.stack.count() == steps


def test_undo_drops_the_stroke_that_is_being_drawn(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    stage.session.view.select(stage.draw(block(10, 40, 10, 60)))
    canvas.set_tool(Tool.BRUSH)
    mouse.press(5, 5)
    mouse.move(70, 50)
    assert canvas.take_back()
    mouse.release(70, 50)
    assert stage.pixels().sum() == 30 * 50
    assert not canvas.take_back()


def test_nothing_is_committed_before_the_release(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    canvas.set_tool(Tool.BRUSH)
    mouse.press(10, 30)
    mouse.move(40, 30)
    assert stage.entry() is None


def test_escape_drops_the_stroke(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    canvas.set_tool(Tool.BRUSH)
    mouse.press(10, 30)
    mouse.move(40, 30)
    assert overrides(canvas, Qt.Key.Key_Escape)
    assert press(canvas, Qt.Key.Key_Escape)
    mouse.release(40, 30)
    assert stage.entry() is None
    assert not overrides(canvas, Qt.Key.Key_Escape)
    assert not press(canvas, Qt.Key.Key_Escape)  # the window stops the job with it


def test_ctrl_and_the_eraser_take_away(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    number = stage.draw(block(10, 50, 10, 70))
    stage.session.view.select(number)
    canvas.set_tool(Tool.BRUSH)
    mouse.click(20, 30, LEFT, CTRL)
    assert not stage.pixels()[30, 20]
    canvas.set_tool(Tool.ERASER)
    mouse.click(50, 30)
    assert not stage.pixels()[30, 50]
    assert stage.pixels()[30, 35]


def test_shift_click_draws_a_straight_line_from_the_last_stroke(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    canvas.set_tool(Tool.BRUSH)
    mouse.click(10, 10)
    mouse.click(60, 40, LEFT, SHIFT)
    assert stage.pixels()[25, 35]


def test_the_first_shift_click_on_another_frame_is_a_dot(
    stage: Stage, canvas: Canvas, mouse: Mouse, qtbot: QtBot
) -> None:
    canvas.set_tool(Tool.BRUSH)
    mouse.click(10, 10)
    with qtbot.waitSignal(canvas.frame_shown, check_params_cb=lambda frame: frame == 1):
        stage.session.view.go_to(1)
    mouse.click(60, 40, LEFT, SHIFT)
    assert stage.pixels(1)[40, 60]
    assert not stage.pixels(1)[25, 35]


def test_a_stroke_that_a_change_of_frame_ends_stays_on_its_frame(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    canvas.set_tool(Tool.BRUSH)
    mouse.press(10, 30)
    mouse.move(40, 30)
    stage.session.view.go_to(5)
    mouse.release(40, 30)
    assert stage.pixels(0)[30, 25]
    assert not stage.pixels(5).any()


@pytest.mark.parametrize("change", [{"locked": True}, {"visible": False}])
def test_locked_and_hidden_objects_are_not_painted_and_it_is_said(
    stage: Stage, canvas: Canvas, mouse: Mouse, change: dict[str, bool]
) -> None:
    number = stage.draw(block(10, 20, 10, 20))
    info = stage.session.masks.document.object(number)
    stage.session.objects.edit(replace(info, **change))  # type: ignore[arg-type]
    before = stage.pixels().copy()
    canvas.set_tool(Tool.BRUSH)
    mouse.drag((30, 30), (60, 30))
    np.testing.assert_array_equal(stage.pixels(), before)
    assert "knife" in stage.reports[-1].text or info.name in stage.reports[-1].text


def as_if_killed_now(stage: Stage, folder: Path) -> dict[Key, Entry]:
    """Return what a process that finds the project file as it is now reads from it."""
    source = stage.session.files.project_path
    assert source is not None
    folder.mkdir()
    for part in source.parent.glob(f"{source.name}*"):
        if not part.name.endswith("lock"):
            shutil.copy(part, folder / part.name)
    project = Project.open(folder / source.name)
    found = dict(project.load().items())
    project.close()
    return found


def test_a_stroke_under_way_is_in_the_project_file_until_it_is_dropped(
    stage: Stage,
    canvas: Canvas,
    mouse: Mouse,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.gui.canvas.tools.brush.KEEP_S", -1)
    canvas.set_tool(Tool.BRUSH)
    mouse.press(20, 20)
    with qtbot.waitSignal(stage.session.files.autosave.saved):
        mouse.move(40, 20)
    (entry,) = as_if_killed_now(stage, tmp_path / "painting").values()
    assert entry.mask is not None
    assert entry.mask.decode()[20, 20:41].all()
    assert stage.entry() is None
    with qtbot.waitSignal(stage.session.files.autosave.saved):
        press(canvas, Qt.Key.Key_Escape)
    assert as_if_killed_now(stage, tmp_path / "dropped") == {}
    with qtbot.waitSignal(stage.session.files.autosave.saved):
        mouse.drag((10, 30), (30, 30))
    (key,) = as_if_killed_now(stage, tmp_path / "done")
    assert (key.frame, stage.state(0)) == (0, "ANCHOR")


def test_brackets_and_ctrl_wheel_change_the_size_of_brush_and_eraser(
    canvas: Canvas, mouse: Mouse
) -> None:
    canvas.set_tool(Tool.BRUSH)
    press(canvas, Qt.Key.Key_BracketRight)
    wider = canvas.brush_diameter
    assert wider > 9
    press(canvas, Qt.Key.Key_BracketLeft)
    assert canvas.brush_diameter < wider
    percent = canvas.percent
    mouse.wheel(40, 30, 3, CTRL)
    assert canvas.brush_diameter > wider
    assert canvas.percent == percent
    canvas.set_tool(Tool.ERASER)
    assert canvas.brush_diameter > wider


def test_painting_with_nothing_selected_makes_an_object(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    canvas.set_tool(Tool.BRUSH)
    mouse.click(30, 30)
    assert len(stage.session.masks.objects) == 1
    assert stage.pixels()[30, 30]


# Polygon


CORNERS = [(10, 10), (50, 10), (50, 40), (10, 40)]


def test_enter_closes_a_polygon(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    canvas.set_tool(Tool.POLYGON)
    for corner in CORNERS:
        mouse.click(*corner)
    assert overrides(canvas, Qt.Key.Key_Return)
    assert press(canvas, Qt.Key.Key_Return)
    assert stage.pixels()[12:39, 12:49].all()
    assert stage.pixels().sum() == 31 * 41
    assert not overrides(canvas, Qt.Key.Key_Return)


def test_an_open_polygon_is_in_the_project_file_until_it_is_dropped(
    stage: Stage, canvas: Canvas, mouse: Mouse, qtbot: QtBot, tmp_path: Path
) -> None:
    canvas.set_tool(Tool.POLYGON)
    with qtbot.waitSignal(stage.session.files.autosave.saved):
        for corner in CORNERS:
            mouse.click(*corner)
    (entry,) = as_if_killed_now(stage, tmp_path / "open").values()
    assert entry.mask is not None
    assert entry.mask.area == 31 * 41
    assert stage.entry() is None
    with qtbot.waitSignal(stage.session.files.autosave.saved):
        press(canvas, Qt.Key.Key_Escape)
    assert as_if_killed_now(stage, tmp_path / "dropped") == {}


def test_a_lasso_being_drawn_is_in_the_project_file(
    stage: Stage,
    canvas: Canvas,
    mouse: Mouse,
    qtbot: QtBot,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.gui.canvas.tools.polygon.KEEP_S", -1)
    canvas.set_tool(Tool.POLYGON)
    mouse.press(10, 10)
    with qtbot.waitSignal(stage.session.files.autosave.saved):
        for corner in CORNERS[1:]:
            mouse.move(*corner)
    (entry,) = as_if_killed_now(stage, tmp_path / "open").values()
    assert entry.mask is not None
    assert entry.mask.area == 31 * 41


def test_a_click_on_the_first_corner_closes_a_polygon(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    canvas.set_tool(Tool.POLYGON)
    for corner in [*CORNERS, CORNERS[0]]:
        mouse.click(*corner)
    assert stage.pixels().sum() == 31 * 41


def test_alt_subtracts_the_polygon(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    stage.draw(block(5, 55, 5, 75))
    canvas.set_tool(Tool.POLYGON)
    for corner in CORNERS:
        mouse.click(*corner)
    mouse.click(*CORNERS[0], LEFT, ALT)
    assert not stage.pixels()[20, 30]
    assert stage.pixels()[50, 60]


def test_backspace_takes_the_last_corner_back(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    canvas.set_tool(Tool.POLYGON)
    for corner in [*CORNERS, (70, 55)]:
        mouse.click(*corner)
    press(canvas, Qt.Key.Key_Backspace)
    press(canvas, Qt.Key.Key_Return)
    assert stage.pixels().sum() == 31 * 41


def test_undo_takes_the_last_corner_back(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    canvas.set_tool(Tool.POLYGON)
    for corner in [*CORNERS, (70, 55)]:
        mouse.click(*corner)
    assert canvas.take_back()
    press(canvas, Qt.Key.Key_Return)
    assert stage.pixels().sum() == 31 * 41
    assert not canvas.take_back()


def test_escape_drops_the_polygon(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    canvas.set_tool(Tool.POLYGON)
    for corner in CORNERS:
        mouse.click(*corner)
    press(canvas, Qt.Key.Key_Escape)
    assert not press(canvas, Qt.Key.Key_Return)
    assert stage.entry() is None


def test_dragging_sets_corners_like_a_lasso(stage: Stage, canvas: Canvas, mouse: Mouse) -> None:
    canvas.set_tool(Tool.POLYGON)
    mouse.press(10, 10)
    for corner in [(30, 10), (50, 10), (50, 25), (50, 40), (30, 40), (10, 40)]:
        mouse.move(*corner)
    mouse.release(10, 40)
    press(canvas, Qt.Key.Key_Return)
    assert stage.pixels()[25, 30]


def test_another_tool_drops_what_was_being_drawn(
    stage: Stage, canvas: Canvas, mouse: Mouse
) -> None:
    canvas.set_tool(Tool.POLYGON)
    for corner in CORNERS:
        mouse.click(*corner)
    canvas.set_tool(Tool.BRUSH)
    canvas.set_tool(Tool.POLYGON)
    assert not press(canvas, Qt.Key.Key_Return)


def test_every_tool_tells_that_it_was_chosen(canvas: Canvas, qtbot: QtBot) -> None:
    for tool in Tool:
        with qtbot.waitSignal(canvas.tool_changed, check_params_cb=lambda it, t=tool: it is t):
            canvas.set_tool(tool)
        assert canvas.tool is tool
