"""The legend of the patterns in the timeline."""

import numpy as np
from PySide6.QtCore import QPoint, QPointF, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QToolButton, QWidget

from app.core.document import State
from app.gui.timeline.lanes import RANK, URGENCY
from app.gui.timeline.tiles import Tiles, draw_anchor
from app.gui.widgets.words import state_name

_ROW, _SWATCH, _MARGIN = 24, 60, 10


class Legend(QWidget):
    """A small window with a swatch of each state; it closes with the next click elsewhere."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        names = max(self.fontMetrics().horizontalAdvance(state_name(state)) for state in URGENCY)
        self.resize(_SWATCH + names + 4 * _MARGIN, _ROW * len(URGENCY) + 2 * _MARGIN)
        self.setAccessibleName(self.tr("Legend"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw a row for each state, in the order of the document's enumeration."""
        painter = QPainter(self)
        palette = self.palette()
        base = palette.color(QPalette.ColorRole.Base)
        text = palette.color(QPalette.ColorRole.WindowText)
        ratio = self.devicePixelRatioF()
        tiles = Tiles(_ROW - 6, text, ratio)
        painter.fillRect(self.rect(), base)
        painter.setPen(text)
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        for row, state in enumerate(State):
            top = _MARGIN + row * _ROW
            columns = np.full(round(_SWATCH * ratio), RANK[state], np.uint8)
            image = tiles.lane(columns, np.zeros(columns.size, np.bool_), 0)
            painter.drawImage(QPointF(_MARGIN, top + 3), image)
            if state is State.ANCHOR:
                draw_anchor(painter, QPointF(_MARGIN + _SWATCH / 2, top + _ROW / 2), 5)
            painter.setPen(text)
            painter.drawText(2 * _MARGIN + _SWATCH, top + _ROW - 8, state_name(state))


class LegendButton(QToolButton):
    """Opens the legend above itself."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setText("?")
        self.setAutoRaise(True)
        self.setToolTip(self.tr("What the patterns mean"))
        self.clicked.connect(self._open)

    @Slot()
    def _open(self) -> None:
        legend = Legend(self)
        legend.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        corner = self.mapToGlobal(QPoint(0, 0))
        legend.move(corner.x(), max(corner.y() - legend.height(), 0))
        legend.show()
