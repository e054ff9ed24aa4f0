"""The items of the canvas: the frame, the masks over it, contours, marks and the brush's circle.

All items share one coordinate system: a pixel of the frame is one unit, its top-left corner at
whole numbers. (Clicks and contours name pixel centres, so they are drawn half a pixel further.)
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from PySide6.QtCore import QByteArray, QDataStream, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import (
    QBrush,
    QColor,
    QImage,
    QPainter,
    QPainterPath,
    QPen,
    QPolygonF,
    QTransform,
)
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.core.mask import Area, Mask
from app.core.paint import Point
from app.gui.canvas.scene.overlay import Contour, LabelMap, outlines
from models.api import Box, Click, Image

DARK = QColor(0, 0, 0, 170)
LIGHT = QColor(255, 255, 255)
LIT = QColor(255, 240, 80)
POSITIVE = QColor(0, 158, 115)  # Okabe and Ito's green and vermilion: told apart by all
NEGATIVE = QColor(213, 94, 0)


def to_scene(point: Point) -> QPointF:
    """Return where a pixel's centre lies in the scene."""
    return QPointF(point.x + 0.5, point.y + 0.5)


def to_pixel(place: QPointF) -> Point:
    """Return which pixel centre a place in the scene is, in parts of a pixel."""
    return Point(place.x() - 0.5, place.y() - 0.5)


def contour_path(contours: Sequence[Contour]) -> QPainterPath:
    """Return closed lines through the contours' pixel centres, as one path.

    The path is read from a byte stream: adding 3,000 points one by one takes ten times as long.
    """
    elements = np.dtype([("kind", ">i4"), ("x", ">f8"), ("y", ">f8")])
    move, line, winding = 0, 1, 1
    pieces = []
    for contour in contours:
        piece = np.empty(len(contour) + 1, elements)
        piece["kind"] = line
        piece["kind"][0] = move
        piece["x"][:-1], piece["y"][:-1] = contour[:, 0] + 0.5, contour[:, 1] + 0.5
        piece[-1] = (line, piece["x"][0], piece["y"][0])
        pieces.append(piece.tobytes())
    path = QPainterPath()
    if pieces:
        body = b"".join(pieces)
        count = np.array([len(body) // elements.itemsize], ">i4").tobytes()
        tail = np.array([0, winding], ">i4").tobytes()
        QDataStream(QByteArray(count + body + tail)) >> path
    return path


def _device_scale(painter: QPainter) -> float:
    return painter.deviceTransform().m11()


class FrameItem(QGraphicsItem):
    """The frame's image, or a plain ground of its size while there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._size = (0, 0)
        self._image = QImage()

    def set_size(self, size: tuple[int, int]) -> None:
        """Take on the size (height, width) of another video; forget the image."""
        self.prepareGeometryChange()
        self._size = size
        self._image = QImage()

    @property
    def has_image(self) -> bool:
        """Whether there is an image."""
        return not self._image.isNull()

    def set_image(self, pixels: Image | None) -> None:
        """Show an image of the video's size."""
        if pixels is None:
            self._image = QImage()
        else:
            height, width, _ = pixels.shape
            # One image is used again and again: a fresh one costs the kernel 2,000 pages a frame.
            if self._image.isNull():
                # 32 bits a pixel: Qt scales them four times as fast as 24.
                self._image = QImage(width, height, QImage.Format.Format_RGB32)
            shared = np.frombuffer(self._image.bits(), np.uint8).reshape(height, width, 4)
            cv2.cvtColor(pixels, cv2.COLOR_RGB2BGRA, dst=shared)
        self.update()

    def boundingRect(self) -> QRectF:
        """The whole frame."""
        height, width = self._size
        return QRectF(0, 0, width, height)

    def paint(
        self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None
    ) -> None:
        """Draw the image, smooth where it shrinks and with square pixels where it grows."""
        if self._image.isNull():
            painter.fillRect(self.boundingRect(), QColor(40, 40, 40))
            return
        smooth = _device_scale(painter) < 1
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        painter.drawImage(0, 0, self._image)


class OverlayItem(QGraphicsItem):
    """The label map as a palette image over the frame.

    A palette image, not a blended frame: blending six 1080p masks in numpy took 266 ms, this 2 ms.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setFlag(QGraphicsItem.GraphicsItemFlag.ItemUsesExtendedStyleOption)
        self._image = QImage()
        self._fills_frame = False
        self.set_size((0, 0))

    def set_size(self, size: tuple[int, int]) -> None:
        """Take on the size (height, width) of another video, with no mask."""
        self.prepareGeometryChange()
        height, width = size
        table = self._image.colorTable()
        self._image = QImage(width, height, QImage.Format.Format_Indexed8)
        self._image.setColorTable(table or [0] * 256)
        self._image.fill(0)
        if self._image.isNull():
            self.labels = LabelMap(np.zeros((0, 0), np.uint8))
            return
        # The array is the image's own memory: what is drawn into it is on the screen with the next
        # paint. It stays so as long as no copy of the image is kept, which would part the two.
        memory = np.frombuffer(self._image.bits(), np.uint8)
        self.labels = LabelMap(memory.reshape(height, self._image.bytesPerLine())[:, :width])

    def set_color_table(self, table: list[int]) -> None:
        """Show every label in another colour."""
        if self._image.isNull():
            return
        self._image.setColorTable(table)
        self._fills_frame = table[0] != 0
        self.update()

    def label_at(self, point: Point) -> int:
        """Return the label under a point, 0 outside the frame."""
        place = to_scene(point)
        x, y = int(place.x() // 1), int(place.y() // 1)
        return self._image.pixelIndex(x, y) if self._image.valid(x, y) else 0

    def update_area(self, area: Area) -> None:
        """Redraw an area after its labels have changed."""
        y0, y1, x0, x1 = area
        self.update(QRectF(x0 - 1, y0 - 1, x1 - x0 + 2, y1 - y0 + 2))

    def boundingRect(self) -> QRectF:
        """The whole frame."""
        return QRectF(self._image.rect())

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, _widget: QWidget | None = None
    ) -> None:
        """Draw what is exposed and holds labels."""
        exposed = option.exposedRect.toAlignedRect().adjusted(-2, -2, 2, 2)
        piece = exposed.intersected(self._image.rect())
        if not self._fills_frame:
            y0, y1, x0, x1 = self.labels.area
            piece = piece.intersected(QRect(x0, y0, x1 - x0, y1 - y0))
        if piece.isEmpty():
            return
        smooth = _device_scale(painter) < 1
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        colors = QImage.Format.Format_ARGB32_Premultiplied
        painter.drawImage(piece.topLeft(), self._image.copy(piece).convertToFormat(colors))


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A path to draw in a colour; `dashed` where it is a preview."""

    path: QPainterPath
    color: QColor
    dashed: bool = False


class ContourItem(QGraphicsItem):
    """Outlines of the same width at every zoom."""

    def __init__(self) -> None:
        super().__init__()
        self._outlines: tuple[Outline, ...] = ()
        self._area = QRectF()

    def set_outlines(self, outlines: Sequence[Outline]) -> None:
        """Show these outlines in place of those before."""
        if not outlines and not self._outlines:
            return
        self.prepareGeometryChange()
        self._outlines = tuple(outlines)
        self._area = QRectF()
        for outline in self._outlines:
            self._area = self._area.united(outline.path.boundingRect())

    def boundingRect(self) -> QRectF:
        """All outlines, and room for their width when zoomed far out."""
        return self._area.adjusted(-40, -40, 40, 40) if self._outlines else QRectF()

    def paint(
        self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None
    ) -> None:
        """Draw each outline as hairlines side by side, dark ones outside.

        Five hairlines of 3,000 points take 1 ms, one pen of two pixels 20 ms.
        """
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        place = painter.worldTransform()
        pixel = place.m11() / _device_scale(painter)  # a device pixel in the view's units
        for outline in self._outlines:
            for color, dx, dy in _strands(outline.color, max(2, round(1.5 / pixel))):
                pen = QPen(color, 0)
                if outline.dashed:
                    pen.setDashPattern([5 / pixel, 4 / pixel])
                painter.setPen(pen)
                painter.setWorldTransform(place * QTransform.fromTranslate(dx * pixel, dy * pixel))
                painter.drawPath(outline.path)
        painter.setWorldTransform(place)


class LitItem(ContourItem):
    """Bright lines round masks that a person may mean next."""

    def light(self, masks: Sequence[Mask]) -> None:
        """Draw a line round these masks in place of those before."""
        paths = (contour_path(outlines(mask.crop(), mask.box)) for mask in masks)
        self.set_outlines([Outline(path, LIT) for path in paths])


def _strands(color: QColor, width: int) -> list[tuple[QColor, float, float]]:
    """Return the hairlines that make up a line: colour and offset in device pixels."""
    half = (width - 1) / 2
    dark = [(DARK, -half - 1, -half - 1), (DARK, half + 1, half + 1)]
    steps = [step - half for step in range(width)]
    across = [(color, step, 0.0) for step in steps]
    return dark + across + [(color, 0.0, step) for step in steps]


class MarkItem(QGraphicsItem):
    """Clicks, the box, and what a tool is drawing; of the same width at every zoom."""

    RADIUS = 6.5

    def __init__(self) -> None:
        super().__init__()
        self._clicks: tuple[Click, ...] = ()
        self._box: Box | None = None
        self._draft: tuple[Point, ...] = ()
        self._area = QRectF()

    def set_size(self, size: tuple[int, int]) -> None:
        """Take on the size (height, width) of another video."""
        self.prepareGeometryChange()
        height, width = size
        # Marks may lie on the very edge of the frame, and drafts outside it.
        self._area = QRectF(-width, -height, 3 * width, 3 * height)

    def set_marks(self, clicks: Sequence[Click], box: Box | None) -> None:
        """Show these clicks and this box."""
        marks = (tuple(clicks), box)
        if marks != (self._clicks, self._box):
            self._clicks, self._box = marks
            self.update()

    def set_draft(self, points: Sequence[Point]) -> None:
        """Show an open line through these points, with a handle at its first."""
        if tuple(points) != self._draft:
            self._draft = tuple(points)
            self.update()

    def boundingRect(self) -> QRectF:
        """The frame and as much again round it."""
        return self._area

    def paint(
        self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None
    ) -> None:
        """Draw in the view's coordinates."""
        place = painter.worldTransform()
        painter.save()
        painter.resetTransform()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._box is not None:
            corners = QPolygonF(QRectF(*self._box[:2], self._width(), self._height()))
            draw_line(painter, place.map(corners))
        if self._draft:
            line = place.map(QPolygonF([to_scene(point) for point in self._draft]))
            draw_line(painter, line)
            painter.setBrush(LIGHT)
            painter.drawEllipse(line.at(0), 4, 4)
        for click in self._clicks:
            center = place.map(to_scene(Point(click.x, click.y)))
            draw_click(painter, center, self.RADIUS, positive=click.positive)
        painter.restore()

    def _width(self) -> float:
        return self._box.x1 - self._box.x0 if self._box else 0

    def _height(self) -> float:
        return self._box.y1 - self._box.y0 if self._box else 0


class BrushItem(QGraphicsItem):
    """The circle that the brush would paint, at its true size."""

    def __init__(self) -> None:
        super().__init__()
        self._diameter = 1.0
        self._pixel = 1.0  # of the screen, in pixels of the frame
        self.setVisible(False)

    def set_brush(self, diameter: float, scale: float) -> None:
        """Take on a diameter in pixels of the frame, and the view's scale."""
        self.prepareGeometryChange()
        self._diameter = diameter
        self._pixel = 1 / scale

    def boundingRect(self) -> QRectF:
        """The circle and its pen."""
        reach = self._diameter / 2 + 9 * self._pixel
        return QRectF(-reach, -reach, 2 * reach, 2 * reach)

    def paint(
        self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None
    ) -> None:
        """Draw a light circle with a dark one round it, and cross hairs where it is too small."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        radius = self._diameter / 2
        for color, wider in ((DARK, self._pixel), (LIGHT, 0.0)):
            painter.setPen(QPen(color, 0))
            painter.drawEllipse(QPointF(0, 0), radius + wider, radius + wider)
            if radius < 5 * self._pixel:
                near, far = radius + 2 * self._pixel, radius + 8 * self._pixel
                for x, y in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                    aside = QPointF(wider * y, wider * x)
                    painter.drawLine(QPointF(x, y) * near + aside, QPointF(x, y) * far + aside)


def draw_line(painter: QPainter, line: QPolygonF) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for color, width in ((DARK, 3.0), (LIGHT, 1.4)):
        painter.setPen(QPen(color, width))
        painter.drawPolyline(line)


def draw_click(painter: QPainter, center: QPointF, radius: float, *, positive: bool) -> None:
    painter.setPen(QPen(DARK, 3.5))
    painter.setBrush(QBrush(POSITIVE if positive else NEGATIVE))
    painter.drawEllipse(center, radius, radius)
    painter.setPen(QPen(LIGHT, 1.6))
    painter.drawEllipse(center, radius, radius)
    reach = radius * 0.5
    painter.drawLine(center - QPointF(reach, 0), center + QPointF(reach, 0))
    if positive:
        painter.drawLine(center - QPointF(0, reach), center + QPointF(0, reach))
