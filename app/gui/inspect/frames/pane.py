"""One pane: the frame with what lies over it, moved together with the other panes."""

from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QImage,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QTransform,
    QWheelEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

_GROUND = QColor(28, 29, 31)  # neutral in every theme, as the canvas's
_CHIP, _CHIP_TEXT = QColor(15, 16, 18, 205), QColor(240, 242, 245)
_STEP, _WIDEST, _CLOSEST = 1.25, 0.05, 64.0
_GRIP = 8  # pixels round the divider that take hold of it


class Lens(QObject):
    """The part of the frame that all panes show: a scale and a centre, or the whole frame."""

    changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._size = (0, 0)
        self._scale: float | None = None  # None shows the whole frame
        self._center = QPointF()

    def set_size(self, size: tuple[int, int]) -> None:
        """Take on the size (height, width) of another video and show all of it."""
        self._size = size
        self.fit()

    def fit(self) -> None:
        """Show the whole frame."""
        self._scale = None
        self._center = QPointF(self._size[1] / 2, self._size[0] / 2)
        self.changed.emit()

    def scale(self, view: QSize) -> float:
        """Return how many pixels of a pane show one of the frame."""
        if self._scale is not None:
            return self._scale
        height, width = self._size
        if not min(height, width):
            return 1.0
        return min(view.height() / height, view.width() / width)

    def transform(self, view: QSize) -> QTransform:
        """Return what maps the frame to a pane."""
        scale = self.scale(view)
        moved = QTransform.fromTranslate(view.width() / 2, view.height() / 2).scale(scale, scale)
        return moved.translate(-self._center.x(), -self._center.y())

    def zoom(self, notches: float, place: QPointF, view: QSize) -> None:
        """Zoom so that what lies at a place of a pane stays there."""
        fixed = self.transform(view).inverted()[0].map(place)
        scale = self.scale(view) * _STEP**notches
        self._scale = min(max(scale, _WIDEST), _CLOSEST)
        self._center += fixed - self.transform(view).inverted()[0].map(place)
        self.changed.emit()

    def pan(self, moved: QPointF, view: QSize) -> None:
        """Move the frame by so many pixels of a pane."""
        scale = self.scale(view)
        self._scale = scale
        self._center -= moved / scale
        self.changed.emit()


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """An outline in pixels of the frame."""

    path: QPainterPath
    color: QColor
    strong: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """What a pane shows: an image, outlines and a caption. Without an image, only the caption."""

    caption: str
    image: QImage | None = None
    outlines: tuple[Outline, ...] = ()


class Pane(QWidget):
    """Shows one layer, or two with a divider to wipe between them."""

    pixel_asked = Signal(float, float)  # x and y in pixels of the frame

    def __init__(self, lens: Lens, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lens = lens
        self._left = Layer("")
        self._right: Layer | None = None
        self._divider = 0.5
        self._held: QPointF | None = None
        self._wipes = False
        self.setMinimumSize(60, 40)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        lens.changed.connect(self.update)

    def show_layers(self, left: Layer, right: Layer | None = None) -> None:
        """Show a layer, or two of them side by side on one frame."""
        self._left, self._right = left, right
        self.setAccessibleName(left.caption + (f", {right.caption}" if right else ""))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the layers and their captions."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), _GROUND)
        at = round(self._divider * self.width())
        if self._right is None:
            self._paint(painter, self._left, QRectF(self.rect()))
        else:
            self._paint(painter, self._left, QRectF(0, 0, at, self.height()))
            self._paint(painter, self._right, QRectF(at, 0, self.width() - at, self.height()))
            painter.fillRect(QRectF(at - 1, 0, 2, self.height()), _CHIP_TEXT)
            painter.setBrush(_CHIP_TEXT)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.drawEllipse(QPointF(at, self.height() / 2), 5, 5)

    def _paint(self, painter: QPainter, layer: Layer, part: QRectF) -> None:
        painter.save()
        painter.setClipRect(part)
        place = self._lens.transform(self.size())
        if layer.image is not None:
            painter.setTransform(place)
            smooth = self._lens.scale(self.size()) < 2
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
            painter.drawImage(QPointF(), layer.image)
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for outline in layer.outlines:
            path = place.map(outline.path)
            if outline.strong:
                painter.setPen(QPen(QColor(0, 0, 0, 150), 3.2))
                painter.drawPath(path)
            painter.setPen(QPen(outline.color, 1.8 if outline.strong else 1.0))
            painter.drawPath(path)
        if layer.caption:
            self._paint_caption(painter, layer.caption, part)
        painter.restore()

    def _paint_caption(self, painter: QPainter, text: str, part: QRectF) -> None:
        metrics = painter.fontMetrics()
        room = int(part.width()) - 24
        if room < 20:
            return
        text = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room)
        chip = QRectF(part.x() + 6, 6, metrics.horizontalAdvance(text) + 12, metrics.height() + 6)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(_CHIP)
        painter.drawRoundedRect(chip, 4, 4)
        painter.setPen(_CHIP_TEXT)
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the divider or of the frame; with Ctrl held, ask for a pixel."""
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            at = self._lens.transform(self.size()).inverted()[0].map(event.position())
            self.pixel_asked.emit(at.x(), at.y())
            return
        self._wipes = self._is_on_divider(event.position())
        self._held = event.position()
        self.setCursor(
            Qt.CursorShape.SplitHCursor if self._wipes else Qt.CursorShape.ClosedHandCursor
        )

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move what is held."""
        place = event.position()
        if self._held is None:
            on = self._is_on_divider(place)
            self.setCursor(Qt.CursorShape.SplitHCursor if on else Qt.CursorShape.OpenHandCursor)
        elif self._wipes:
            self._divider = min(max(place.x() / self.width(), 0.02), 0.98)
            self.update()
        else:
            self._lens.pan(place - self._held, self.size())
            self._held = place

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Let go."""
        self._held = None
        self.setCursor(Qt.CursorShape.OpenHandCursor)

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        """Show the whole frame again."""
        self._lens.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom all panes at the cursor."""
        self._lens.zoom(event.angleDelta().y() / 120, event.position(), self.size())
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        """Give the cursor back."""
        self.unsetCursor()
        super().leaveEvent(event)

    def _is_on_divider(self, place: QPointF) -> bool:
        at = self._divider * self.width()
        return self._right is not None and abs(place.x() - at) <= _GRIP
