"""The proposals over the frame: what was found by words, dashed and named, until it is taken."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter
from PySide6.QtWidgets import QGraphicsItem, QStyleOptionGraphicsItem, QWidget

from app.core.document import Objects
from app.core.proposals import Proposal
from app.gui.canvas.scene.layers import DARK, LIGHT, ContourItem, Outline, contour_path
from app.gui.canvas.scene.overlay import outlines

_PAD = 4.0  # pixels of the screen round a name
_ROOM = 4_000.0  # for names, in pixels of the frame: they are as large at every zoom


class ProposalItem(QGraphicsItem):
    """Dashed outlines, each with its name at its top left corner."""

    def __init__(self) -> None:
        super().__init__()
        self._contours = ContourItem()
        self._contours.setParentItem(self)
        self._names: tuple[tuple[QPointF, str, QColor], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What is proposed on the frame that is shown."""
        return tuple(name for _, name, _ in self._names)

    def set_proposals(self, proposals: Sequence[Proposal], objects: Objects) -> None:
        """Show these; those of `objects` in their colour, new ones white."""
        self.prepareGeometryChange()
        colors = {info.id: QColor(*info.color).lighter(125) for info in objects}
        drawn, names = [], []
        for each in proposals:
            color = colors.get(each.key.object, LIGHT)
            path = contour_path(outlines(each.mask.crop(), each.mask.box))
            drawn.append(Outline(path, color, dashed=True))
            names.append((path.boundingRect().topLeft(), each.name, color))
        self._contours.set_outlines(drawn)
        self._names = tuple(names)

    def boundingRect(self) -> QRectF:
        """The outlines and room for the names."""
        around = self._contours.boundingRect()
        return around.adjusted(-_ROOM, -_ROOM, _ROOM, _ROOM) if self._names else QRectF()

    def paint(
        self, painter: QPainter, _option: QStyleOptionGraphicsItem, _widget: QWidget | None = None
    ) -> None:
        """Draw the names in the view's coordinates."""
        place = painter.worldTransform()
        painter.save()
        painter.resetTransform()
        metrics = QFontMetricsF(painter.font())
        for corner, name, color in self._names:
            text = QRectF(place.map(corner), metrics.size(0, name))
            text.translate(_PAD, -text.height() - 2 * _PAD)
            painter.fillRect(text.adjusted(-_PAD, -1, _PAD, 1), DARK)
            painter.setPen(color)
            painter.drawText(text, Qt.AlignmentFlag.AlignCenter, name)
        painter.restore()
