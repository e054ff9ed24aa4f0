"""Differences to other masks, confidence colours and the map of the frame."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from app.core.document import Entry, Key, Origin, State
from app.gui.canvas.scene.comparison import caption
from app.gui.canvas.scene.overlay import confidence_color
from app.gui.canvas.tools.tool import Tool
from app.storage.formats.palette import encode_palette_png
from tests.fakes import SIZE, square
from tests.gui.conftest import Desk
from tests.gui.stage import mouse_on

_ORANGE, _BLUE = QColor(0xE6, 0x9F, 0x00), QColor(0x00, 0x72, 0xB2)


def _looks(desk: Desk, x: int, y: int, like: QColor) -> bool:
    """Whether a pixel of the frame is drawn about in a colour."""
    canvas = desk.window.canvas
    place = canvas.viewportTransform().map(QPoint(x, y))
    seen = canvas.viewport().grab().toImage().pixelColor(place)
    near = zip(seen.getRgb()[:3], like.getRgb()[:3], strict=True)  # type: ignore[index]
    return all(abs(a - b) < 70 for a, b in near)


@pytest.fixture
def healed(opened: Desk) -> Desk:
    """A propagated square whose anchor was drawn anew further right, and healed."""
    opened.draw(x=10)
    opened.do("forward")
    opened.idle()
    opened.draw(frame=0, x=40)
    opened.session.view.go_to(0)
    opened.do("verify_and_heal")
    opened.idle()
    return opened


def test_ctrl_d_shows_what_the_last_propagation_changed(healed: Desk) -> None:
    healed.session.view.go_to(0)
    healed.press(Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert healed.session.view.frame == 1, "the nearest frame that was changed"
    assert _looks(healed, 45, 25, _ORANGE)
    assert _looks(healed, 15, 25, _BLUE)
    healed.press(Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert not _looks(healed, 15, 25, _BLUE)


def test_f8_shows_the_masks_before_in_place(healed: Desk) -> None:
    healed.session.view.go_to(5)
    color = QColor(*healed.session.masks.objects[0].color)
    assert not _looks(healed, 15, 25, color)
    healed.press(Qt.Key.Key_F8)
    assert healed.session.compare.masks(5)[1] is not None
    assert "B:" in caption(healed.session.compare)
    healed.press(Qt.Key.Key_F8)
    assert caption(healed.session.compare) == ""


def test_painting_leaves_the_masks_before(healed: Desk) -> None:
    healed.session.view.go_to(5)
    healed.settle()
    healed.press(Qt.Key.Key_F8)
    healed.session.view.select(1)
    healed.window.canvas.set_tool(Tool.BRUSH)
    mouse = mouse_on(healed.window.canvas)
    mouse.press(5, 5)
    assert not healed.session.compare.shows_reference
    mouse.release(5, 5)
    assert healed.session.masks.state(Key(5, 1)) is State.ANCHOR


def test_a_key_that_edits_leaves_the_masks_before(healed: Desk) -> None:
    healed.session.view.go_to(5)
    healed.session.view.select(1)
    healed.press(Qt.Key.Key_F8)
    healed.press(Qt.Key.Key_X)
    assert not healed.session.compare.shows_reference


def test_f7_shows_errors_against_a_folder_of_masks(opened: Desk, tmp_path: Path) -> None:
    opened.draw(x=10)
    truth = tmp_path / "truth"
    truth.mkdir()
    labels = square(40, size=SIZE).astype(np.uint8)
    now = opened.session.video.now
    assert now is not None
    video = now.video
    (truth / f"{video.stem(0)}.png").write_bytes(encode_palette_png(labels))
    opened.ask.answer = truth
    opened.press(Qt.Key.Key_F7)
    assert _looks(opened, 15, 25, _ORANGE), "too much"
    assert _looks(opened, 45, 25, _BLUE), "missing"
    assert len(opened.session.masks.document) == 1, "the ground truth is not part of the project"
    opened.session.view.go_to(1)
    assert opened.session.compare.masks(1) == {}, "nothing is known of this frame"
    opened.press(Qt.Key.Key_F7)
    assert opened.session.compare.reference is None


def test_a_reference_ends_with_its_video(healed: Desk) -> None:
    healed.do("changes")
    healed.do("close")
    assert healed.session.compare.reference is None
    assert not healed.session.compare.can_compare


def test_colours_tell_confidence() -> None:
    mask = Entry(None, Origin.PROPAGATED).mask
    sure, unsure = (confidence_color(Entry(mask, Origin.PROPAGATED), s) for s in (1.0, 0.0))
    assert sure[1] > sure[0]
    assert unsure[0] > unsure[1]
    assert confidence_color(Entry(mask, Origin.DRAWN), None) not in {sure, unsure}
    assert confidence_color(None, None) == (150, 150, 150)


def test_f6_and_f9_turn_views_on_and_off(opened: Desk) -> None:
    opened.draw()
    canvas = opened.window.canvas
    before = canvas.mode
    opened.press(Qt.Key.Key_F6)
    assert canvas.mode is not before
    opened.press(Qt.Key.Key_F6)
    assert canvas.mode is before
    opened.press(Qt.Key.Key_F9)
    assert canvas.minimap.isVisible()
    opened.press(Qt.Key.Key_F9)
    assert canvas.minimap.isHidden()


def test_a_click_in_the_map_moves_the_view(opened: Desk) -> None:
    canvas = opened.window.canvas
    canvas.zoom_to(1600)
    opened.press(Qt.Key.Key_F9)
    minimap = canvas.minimap
    opened.qtbot.mouseClick(minimap, Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    left_top = canvas.seen_area().center()
    opened.qtbot.mouseClick(
        minimap, Qt.MouseButton.LeftButton, pos=QPoint(minimap.width() - 20, minimap.height() - 20)
    )
    right_bottom = canvas.seen_area().center()
    assert right_bottom.x() > left_top.x()
    assert right_bottom.y() > left_top.y()
