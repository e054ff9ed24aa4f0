"""The textures of the states in a lane: colour, pattern and shape."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen, QPolygonF

from app.core.document import State
from app.gui.timeline.lanes import URGENCY, Ranks

PERIOD = 12  # logical pixels after which a pattern repeats
Pattern = Callable[[QPainter, QRectF, QColor], None]  # cell to fill, colour of text
Texture = NDArray[np.uint32]  # (states, height, period), premultiplied 0xAARRGGBB

# Readable on light and dark grounds, and in pairs for those who see no red or green.
PREDICTED = QColor(74, 134, 200)
_ANCHOR_DARKER, _VERIFIED_DARKER = 170, 135  # percent, as QColor.darker has it
STALE = QColor(230, 150, 0)
CONFLICT = QColor(213, 60, 40)
_INK = QColor(255, 255, 255)


class Tiles:
    """The textures of all states for one height of lane, one ground and one pixel ratio."""

    def __init__(
        self, height: float, text: QColor, ratio: float, color: QColor = PREDICTED
    ) -> None:
        """`height` is in logical pixels; `text` is the window's colour of text.

        Masks that stand as they are have `color`, that of their object; what asks for work has a
        colour of its own.
        """
        self.period = round(PERIOD * ratio)
        self.height = round(height * ratio)
        self._text = text
        self._shape = (height, ratio)
        patterns: dict[State, Pattern] = {
            **_PATTERNS,
            State.PREDICTED: _plain(color),
            State.ANCHOR: _plain(color.darker(_ANCHOR_DARKER)),
            State.VERIFIED: _verified(color.darker(_VERIFIED_DARKER)),
            State.GROUND_TRUTH: _ground_truth(color),
        }
        tiles = [self._tile(patterns.get(state)) for state in URGENCY]
        plain = [self._tile(_alarm(STALE)), self._tile(_alarm(CONFLICT))]
        self._texture = np.stack(tiles + plain)

    def lane(self, columns: Ranks, gaps: NDArray[np.bool_], origin: int) -> QImage:
        """Return the image of a lane: one rank a device pixel; `gaps` have frames without a mask.

        `origin` is the column at which the video begins, so that patterns move with the frames.
        """
        phase = (np.arange(columns.size) - origin) % self.period
        rows = np.arange(self.height)
        pixels = self._texture[columns[None, :], rows[:, None], phase[None, :]]
        pixels[-max(2, self.height // 5) :, gaps] = 0
        width = columns.size
        image = QImage(width, self.height, QImage.Format.Format_ARGB32_Premultiplied)
        memory = np.frombuffer(image.bits(), np.uint32).reshape(self.height, -1)
        memory[:, :width] = pixels
        image.setDevicePixelRatio(self._shape[1])
        return image

    def _tile(self, draw: Pattern | None) -> NDArray[np.uint32]:
        height, ratio = self._shape
        # Three periods, of which the middle one is kept: strokes that cross a border join up.
        image = QImage(3 * self.period, self.height, QImage.Format.Format_ARGB32_Premultiplied)
        image.fill(0)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.scale(self.period / PERIOD, ratio)
        for start in (0, PERIOD, 2 * PERIOD):
            if draw is not None:
                draw(painter, QRectF(start, 0, PERIOD, height), self._text)
        painter.end()
        pixels = np.frombuffer(image.bits(), np.uint32).reshape(self.height, -1)
        return pixels[:, self.period : 2 * self.period].copy()


def _plain(color: QColor) -> Pattern:
    def draw(painter: QPainter, cell: QRectF, _text: QColor) -> None:
        painter.fillRect(cell.adjusted(0, 2, 0, -2), color)

    return draw


def _alarm(color: QColor) -> Pattern:
    """Return a bar of the whole height: it stands out above and below an anchor's diamond."""

    def draw(painter: QPainter, cell: QRectF, text: QColor) -> None:
        painter.fillRect(cell, color)
        # An object of nearly the same colour must not hide it.
        painter.fillRect(QRectF(cell.left(), cell.top(), PERIOD, 2), text)
        painter.fillRect(QRectF(cell.left(), cell.bottom() - 2, PERIOD, 2), text)

    return draw


def _verified(color: QColor) -> Pattern:
    def draw(painter: QPainter, cell: QRectF, _text: QColor) -> None:
        painter.fillRect(cell.adjusted(0, 2, 0, -2), color)
        middle = cell.center()
        tick = [QPointF(-3, 0), QPointF(-1, 2.5), QPointF(3, -2.5)]
        painter.setPen(QPen(_INK, 1.5))
        painter.drawPolyline(QPolygonF([middle + corner for corner in tick]))

    return draw


def _stale(painter: QPainter, cell: QRectF, _text: QColor) -> None:
    inner = cell.adjusted(0, 2, 0, -2)
    painter.save()
    painter.setClipRect(inner)
    painter.fillRect(inner, QColor(STALE.red(), STALE.green(), STALE.blue(), 70))
    painter.setPen(QPen(STALE, 2.4))
    reach = cell.height()
    for offset in (-PERIOD, -PERIOD / 2, 0, PERIOD / 2, PERIOD):
        foot = QPointF(cell.left() + offset, cell.bottom())
        painter.drawLine(foot, foot + QPointF(reach, -reach))
    painter.restore()


def _absent(painter: QPainter, cell: QRectF, text: QColor) -> None:
    for y in (cell.top() + 2, cell.bottom() - 3.5):
        painter.fillRect(QRectF(cell.left(), y, PERIOD, 1.5), _faded(text, 170))


def _occluded(painter: QPainter, cell: QRectF, text: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_faded(text, 190))
    for row in range(2):
        y = cell.top() + cell.height() * (0.34 + 0.32 * row)
        for column in range(2):
            x = cell.left() + PERIOD * (0.25 + 0.5 * column) + (PERIOD / 4 if row else 0)
            painter.drawEllipse(QPointF(x, y), 1.4, 1.4)


def _conflict(painter: QPainter, cell: QRectF, _text: QColor) -> None:
    painter.fillRect(cell.adjusted(0, 2, 0, -2), _faded(CONFLICT, 60))
    top, bottom = cell.top() + 4, cell.bottom() - 4
    half = PERIOD / 2
    xs = [cell.left() + step * half for step in range(-1, 4)]
    ys = [bottom, top, bottom, top, bottom]
    painter.setPen(QPen(CONFLICT, 2.2))
    painter.drawPolyline(QPolygonF([QPointF(x, y) for x, y in zip(xs, ys, strict=True)]))


def _ground_truth(color: QColor) -> Pattern:
    def draw(painter: QPainter, cell: QRectF, _text: QColor) -> None:
        third = cell.height() / 3
        for y in (third, 2 * third):
            painter.fillRect(QRectF(cell.left(), cell.top() + y - 1.6, PERIOD, 3.2), color)

    return draw


def _faded(color: QColor, alpha: int) -> QColor:
    return QColor(color.red(), color.green(), color.blue(), alpha)


_PATTERNS: dict[State, Pattern] = {
    State.STALE: _stale,
    State.ABSENT: _absent,
    State.OCCLUDED: _occluded,
    State.CONFLICT: _conflict,
}


def draw_anchor(painter: QPainter, center: QPointF, radius: float) -> None:
    """Draw the diamond of an anchor."""
    corners = [QPointF(0, -radius), QPointF(radius, 0), QPointF(0, radius), QPointF(-radius, 0)]
    painter.setPen(QPen(QColor(16, 32, 56), 1.2))
    painter.setBrush(_INK)
    painter.drawPolygon(QPolygonF([center + corner for corner in corners]))
