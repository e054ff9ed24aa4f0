"""The sign that a click or a box is at work, from the moment it is made until it is answered."""

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer, Slot
from PySide6.QtGui import QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsObject, QStyleOptionGraphicsItem, QWidget

from app.core.paint import Point
from app.gui.canvas.scene.layers import DARK, LIGHT, MarkItem, draw_click, draw_line, to_scene
from app.session.edits.prompts import Question
from models.api import Box

_EVERY_MS = 50
_TURN = 18  # degrees each time
_ARC = 100  # degrees of the ring that are lit
_GAP = 5.0  # pixels of the screen between a mark and its ring


class WaitingItem(QGraphicsObject):
    """The marks of what is asked, each with a ring that turns; of the same width at every zoom."""

    def __init__(self) -> None:
        super().__init__()
        self._questions: tuple[Question, ...] = ()
        self._frame = 0
        self._angle = 0
        self._area = QRectF()
        self._timer = QTimer(self, interval=_EVERY_MS)
        self._timer.timeout.connect(self._turn)
        self.hide()

    @property
    def questions(self) -> tuple[Question, ...]:
        """What is shown to be at work, on the frame that is shown."""
        return tuple(each for each in self._questions if each.key.frame == self._frame)

    def set_size(self, size: tuple[int, int]) -> None:
        """Take on the size (height, width) of another video."""
        self.prepareGeometryChange()
        height, width = size
        self._area = QRectF(-width, -height, 3 * width, 3 * height)

    def set_frame(self, frame: int) -> None:
        """Show what is at work on this frame."""
        self._frame = frame
        self._refresh()

    @Slot(object)
    def set_questions(self, questions: tuple[Question, ...]) -> None:
        """Show these to be at work, each on its frame; none takes the sign away."""
        self._questions = questions
        self._refresh()

    def _refresh(self) -> None:
        is_at_work = bool(self.questions)
        self.setVisible(is_at_work)
        if not is_at_work:
            self._timer.stop()
        elif not self._timer.isActive():
            self._timer.start()
        self.update()

    @Slot()
    def _turn(self) -> None:
        self._angle = (self._angle + _TURN) % 360
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
        for question in self.questions:
            if question.box is not None:
                outline = place.map(QPolygonF(_rectangle(question.box)))
                draw_line(painter, outline)
                self._draw_ring(painter, outline.boundingRect().center())
            elif question.click is not None:
                center = place.map(to_scene(Point(question.click.x, question.click.y)))
                draw_click(painter, center, MarkItem.RADIUS, positive=question.click.positive)
                self._draw_ring(painter, center)
        painter.restore()

    def _draw_ring(self, painter: QPainter, center: QPointF) -> None:
        radius = MarkItem.RADIUS + _GAP
        ring = QRectF(center.x() - radius, center.y() - radius, 2 * radius, 2 * radius)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(DARK, 4.5))
        painter.drawEllipse(ring)
        painter.setPen(QPen(LIGHT, 2.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawArc(ring, -16 * self._angle, 16 * _ARC)


def _rectangle(box: Box) -> QRectF:
    return QRectF(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0)
