"""The minimap: a small picture of the whole frame that shows which part of it is in view."""

import cv2
import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt, Slot
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.gui.canvas.zoom_view import ZoomView
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState

_WIDTH, _MARGIN = 200, 10  # logical pixels
_FRAME = QColor(255, 255, 255)


class Minimap(QWidget):
    """Lies in a corner of the canvas; a click or drag in it moves the view."""

    def __init__(self, video: CurrentVideo, view: ViewState, canvas: ZoomView) -> None:
        super().__init__(canvas)
        self._video, self._view, self._canvas = video, view, canvas
        self._image = QImage()
        self._frame = -1
        self.setAccessibleName(self.tr("Map of the frame"))
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hide()
        video.opened.connect(self.refresh)
        view.frame_changed.connect(self.refresh)
        video.image_ready.connect(self.refresh)
        canvas.view_changed.connect(self.refresh)

    @Slot()
    def refresh(self) -> None:
        """Take on the frame, the view and the canvas's corner."""
        if self.isHidden() or not self._video.is_open:
            return
        height, width = self._video.size
        self.resize(_WIDTH, max(1, round(_WIDTH * height / width)))
        room = self._canvas.viewport().rect()
        self.move(room.right() - self.width() - _MARGIN, room.bottom() - self.height() - _MARGIN)
        pixels = None
        if self._frame != self._view.frame:
            pixels = self._video.image(self._view.frame)
        if pixels is not None:
            size = (2 * self.width(), 2 * self.height())
            small = np.ascontiguousarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA))
            # The copy owns its memory: numpy's ends with this call.
            rgb = QImage.Format.Format_RGB888
            self._image = QImage(small.data, *size, 3 * size[0], rgb).copy()
            self._frame = self._view.frame
        self.update()

    def showEvent(self, event: object) -> None:
        """Catch up with what changed while it was hidden."""
        del event
        self._frame = -1
        self.refresh()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the frame and the part in view."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), QColor(40, 40, 40))
        if not self._image.isNull():
            painter.drawImage(self.rect(), self._image)
        scale = self.width() / max(1, self._video.size[1])
        seen = self._canvas.seen_area()
        part = QRectF(seen.topLeft() * scale, seen.bottomRight() * scale)
        painter.setPen(QPen(QColor(0, 0, 0), 3))
        painter.drawRect(part)
        painter.setPen(QPen(_FRAME, 1))
        painter.drawRect(part)
        painter.setPen(QPen(_FRAME, 1))
        painter.drawRect(QRectF(self.rect()).adjusted(0, 0, -1, -1))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Bring the place to the middle of the view."""
        self._go(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag the view along."""
        self._go(event.position())

    def _go(self, place: QPointF) -> None:
        self._canvas.center_at(place * (self._video.size[1] / self.width()))
