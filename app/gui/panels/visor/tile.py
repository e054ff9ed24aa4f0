"""A tile of the filmstrip: one frame with its masks, to look at and to correct in place."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPolygonF
from PySide6.QtWidgets import QWidget

from app.core.document import Entry, Objects
from app.core.paint import Point
from app.gui.canvas.scene.layers import draw_click, draw_line
from app.gui.canvas.tools.choice import Gesture, gesture_for, object_at
from app.gui.canvas.tools.prompts import BoxTool, PointsTool
from app.gui.canvas.tools.target import EditTarget
from app.gui.canvas.tools.tool import CanvasTool, Pointer, Tool
from app.session.comparison import Comparison
from app.session.edits.clicks import Clicks
from app.session.edits.objects import ObjectEdits
from app.session.edits.prompts import Question
from app.session.state.masks import Masks
from app.session.state.status import Status
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState
from models.api import Box, Image

OpenMenu = Callable[[Point, QPoint, QWidget], None]
LINE = 18  # height of the name under a tile
LEAST = 90  # height of a tile
_OPACITY = 0.5
_DOT = 4.0  # radius of a click
_ASKS = {Gesture.POSITIVE, Gesture.NEGATIVE, Gesture.BOX}


@dataclass(frozen=True, slots=True)
class TileTools:
    """The tools that ask the model, made anew for each tile, and what they work on."""

    view: ViewState
    clicks: Clicks
    objects: ObjectEdits
    compare: Comparison
    status: Status

    def on(self, surface: "TileSurface") -> dict[Tool, CanvasTool]:
        """Return the tools that correct in a tile as they do in the picture."""
        target = EditTarget(surface, self.view, self.objects, self.compare, self.status)
        return {
            Tool.POINTS: PointsTool(self.view, self.clicks, surface, target),
            Tool.BOX: BoxTool(self.view, self.clicks, surface, target),
        }


class TileSurface:
    """A tile as its tools know it. Satisfies `PromptSurface` and `Shown` of the tools."""

    def __init__(self, video: CurrentVideo, frame: int, show_draft: Callable[[], None]) -> None:
        self._video, self.frame = video, frame
        self._changed = show_draft
        self.draft: Box | None = None  # that is being drawn

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frame."""
        return self._video.size

    def show_draft(self, _points: Sequence[Point] = (), box: Box | None = None) -> None:
        """Show a box that is being drawn, or none; lines are not drawn in a tile."""
        self.draft = box
        self._changed()


class Tile(QWidget):
    """One frame with its masks; every press goes there first.

    With the tool of points or the box it corrects the selected object as in the picture. With any
    other, or nothing selected, it selects what lies there, and a right click offers repairs.
    """

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        frame: int,
        open_menu: OpenMenu,
        tools: TileTools,
    ) -> None:
        super().__init__()
        self._video, self._view, self._masks = video, view, masks
        self.frame, self._open_menu = frame, open_menu
        self._shown: QImage | None = None
        self._surface = TileSurface(video, frame, self.update)
        self._tools, self._tool = tools.on(self._surface), Tool.SELECT
        self._questions: tuple[Question, ...] = ()
        self.setToolTip(video.name_of(frame))
        self.setAccessibleName(video.name_of(frame))

    @property
    def busy(self) -> bool:
        """Whether a box is being drawn, which Escape would drop."""
        return any(tool.busy for tool in self._tools.values())

    def set_tool(self, tool: Tool) -> None:
        """Correct with another tool; what the last one was drawing is dropped."""
        self.cancel()
        self._tool = tool
        used = self._tools.get(tool)
        self.setCursor(used.cursor if used else Qt.CursorShape.ArrowCursor)

    def cancel(self) -> None:
        """Drop the box that is being drawn."""
        for tool in self._tools.values():
            tool.cancel()

    def leave_object(self) -> None:
        """Drop the box of an object that is not the selected one any more."""
        for tool in self._tools.values():
            tool.leave_object()

    def set_questions(self, questions: tuple[Question, ...]) -> None:
        """Show those clicks and boxes of this frame that are not answered yet."""
        here = tuple(each for each in questions if each.key.frame == self.frame)
        if here != self._questions:
            self._questions = here
            self.update()

    def refresh(self) -> None:
        """Draw the picture and its masks anew."""
        self._shown = None
        self.update()

    def sizeHint(self) -> QSize:
        height, width = self._video.size
        strip = self.parentWidget()
        tall = LEAST if strip is None else max(strip.height() - LINE - 4, LEAST)
        return QSize(round(tall * width / max(height, 1)), tall + LINE)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the picture, the name, and a frame round the current one."""
        painter = QPainter(self)
        place = self._place()
        if self._shown is None or self._shown.size() != place.size() * self.devicePixelRatioF():
            self._shown = self._drawn(place.size() * self.devicePixelRatioF())
        if self._shown is None:
            painter.fillRect(place, QColor(60, 60, 60))
        else:
            painter.drawImage(place, self._shown)
        is_here = self._view.frame == self.frame
        highlight = self.palette().highlight().color()
        if is_here:
            painter.setPen(highlight)
            painter.drawRect(place.adjusted(0, 0, -1, -1))
            painter.drawRect(place.adjusted(1, 1, -2, -2))
            painter.fillRect(0, place.bottom() + 1, place.width(), LINE, highlight)
        ink = self.palette().highlightedText() if is_here else self.palette().windowText()
        painter.setPen(ink.color())
        entry = self._masks.shown(self.frame).get(self._view.selected or -1)
        mark = "" if self._view.selected is None else " ◆" if entry and entry.mask else " ○"
        room = QRect(2, place.bottom() + 1, self.width() - 4, LINE)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, f"{self.frame}{mark}")
        self._draw_marks(painter, place)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go to the frame, and correct there, or select what is there."""
        at = self._point(event)
        self._view.go_to(self.frame)
        tool = self._tools.get(self._tool)
        asks = gesture_for(self._tool, event.button(), event.modifiers()) in _ASKS
        if tool is None or not asks or self._view.selected is None:
            self._choose(event, at)
        elif self._video.image(self.frame) is not None:
            tool.press(self._pointer(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pull a box open."""
        if self.busy:
            self._tools[self._tool].move(self._pointer(event))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End the box."""
        if self.busy:
            self._tools[self._tool].release(self._pointer(event))

    def _choose(self, event: QMouseEvent, at: Point) -> None:
        """Select what is under the mouse, and offer what can be done to it."""
        infos = tuple(each for each in self._video.ordered(self.frame) if each.visible)
        if (under := object_at(infos, self._masks.shown(self.frame), at)) is not None:
            self._view.select(under)
        if event.button() == Qt.MouseButton.RightButton:
            self._open_menu(at, event.globalPosition().toPoint(), self)

    def _pointer(self, event: QMouseEvent) -> Pointer:
        return Pointer(self._point(event), event.button(), event.modifiers())

    def _draw_marks(self, painter: QPainter, place: QRect) -> None:
        """Draw the clicks of the selected object, what is asked, and the box that is drawn."""
        height, width = self._video.size
        across, down = place.width() / max(width, 1), place.height() / max(height, 1)

        def on_tile(x: float, y: float) -> QPointF:
            return QPointF(place.left() + x * across, place.top() + y * down)

        entry = self._masks.shown(self.frame).get(self._view.selected or -1)
        asked = [each.click for each in self._questions if each.click is not None]
        boxes = [self._surface.draft, *(each.box for each in self._questions)]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for click in (*(entry.clicks if entry else ()), *asked):
            draw_click(
                painter, on_tile(click.x + 0.5, click.y + 0.5), _DOT, positive=click.positive
            )
        for box in filter(None, boxes):
            draw_line(painter, QPolygonF(QRectF(on_tile(box.x0, box.y0), on_tile(box.x1, box.y1))))

    def _place(self) -> QRect:
        room = QSize(self.width(), max(self.height() - LINE, 1))
        height, width = self._video.size
        size = QSize(max(width, 1), max(height, 1)).scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        return QRect(0, (room.height() - size.height()) // 2, size.width(), size.height())

    def _point(self, event: QMouseEvent) -> Point:
        place, (height, width) = self._place(), self._video.size
        x = (event.position().x() - place.left()) * width / max(place.width(), 1)
        y = (event.position().y() - place.top()) * height / max(place.height(), 1)
        return Point(x - 0.5, y - 0.5)

    def _drawn(self, size: QSize) -> QImage | None:
        image = self._video.image(self.frame)
        if image is None or size.isEmpty():
            return None
        pixels = with_masks(
            image,
            self._video.ordered(self.frame),
            self._masks.shown(self.frame),
            (size.height(), size.width()),
            self._view.selected,
        )
        height, width, _ = pixels.shape
        made = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
        return made.copy()  # the bytes belong to nobody else


def with_masks(
    image: Image,
    infos: Objects,
    entries: dict[int, Entry],
    size: tuple[int, int],
    selected: int | None,
) -> Image:
    """Return an image of another size (height, width) with masks over it, in drawing order."""
    height, width = size
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    labels = np.zeros(image.shape[:2], np.uint8)
    drawn = [each for each in infos if each.visible and each.id in entries][-255:]
    for label, info in enumerate(drawn, start=1):
        mask = entries[info.id].mask
        if mask is not None:
            y0, y1, x0, x1 = mask.box
            labels[y0:y1, x0:x1][mask.crop()] = label
    shown = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST)
    colors = np.array([(0, 0, 0), *(each.color for each in drawn)], np.float32)
    strength = np.array(
        [0.0, *(_OPACITY + 0.25 * (each.id == selected) for each in drawn)], np.float32
    )[shown][..., None]
    return np.asarray(small * (1 - strength) + colors[shown] * strength, np.uint8)
