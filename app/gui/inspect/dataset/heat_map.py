"""The heat map of a data set: the J&F of every object of every video."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.core.inspection.results import Result

# Viridis, which is as even in grey as in colour, and told apart by everyone.
_STOPS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
_ROW, _GAP, _WIDEST, _SIDE, _LEGEND = 16, 8, 44, 104, 22
_TALLEST = 12  # rows that are shown at their full height


class Cell(NamedTuple):
    """One object of one video under one prediction."""

    run: int  # place among the predictions
    sequence: str
    object: int  # place among the objects of the video
    name: str
    jf: float


class HeatMap(QWidget):
    """A column a video, the worst on the left; a row an object, for each prediction."""

    chosen = Signal(object)  # Cell
    entered = Signal(object)  # Cell, with a double click

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._names: Sequence[str] = ()
        self._cells: dict[tuple[int, int], Cell] = {}  # by row and column
        self._rows: list[tuple[int, int]] = []  # run and object of each
        self._columns: list[str] = []
        self._marked: tuple[str, int] | None = None  # sequence and run
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("J&F of every object of every video"))

    def show_results(self, names: Sequence[str], runs: Sequence[Sequence[Result]]) -> None:
        """Show what was found of each prediction, which go by these names."""
        self._names, self._marked = names, None
        first = {each.sequence: float(each.jf.mean()) for each in runs[0]} if runs else {}
        self._columns = sorted(first, key=lambda name: first[name])
        self._rows = [
            (place, number)
            for place, results in enumerate(runs)
            for number in range(max((len(each.objects) for each in results), default=0))
        ]
        column_of = {name: column for column, name in enumerate(self._columns)}
        row_of = {pair: row for row, pair in enumerate(self._rows)}
        self._cells = {
            (row_of[place, number], column_of[each.sequence]): Cell(
                place, each.sequence, number, each.objects[number], float(jf)
            )
            for place, results in enumerate(runs)
            for each in results
            for number, jf in enumerate(each.jf)
        }
        self.updateGeometry()
        self.update()

    def mark(self, sequence: str, run: int) -> None:
        """Mark the video that is looked at."""
        self._marked = (sequence, run)
        self.update()

    def cell_at(self, place: QPointF) -> Cell | None:
        """Return what lies at a place of the widget."""
        for key, cell in self._cells.items():
            if self._rect(*key).contains(place):
                return cell
        return None

    def sizeHint(self) -> QSize:
        """Be as high as the rows need."""
        runs = len({run for run, _ in self._rows})
        rows = min(len(self._rows), _TALLEST)
        return QSize(400, rows * _ROW + max(0, runs - 1) * _GAP + _LEGEND + 6)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the cells, whose they are, and the scale."""
        painter = QPainter(self)
        for key, cell in self._cells.items():
            painter.fillRect(self._rect(*key), heat(cell.jf))
        ink = self.palette().windowText().color()
        painter.setPen(ink)
        seen: set[int] = set()
        for row, (run, _) in enumerate(self._rows):
            if run not in seen:
                seen.add(run)
                rect = self._rect(row, 0)
                room = QRectF(0, rect.y(), _SIDE - 8, max(rect.height(), _ROW))
                text = painter.fontMetrics().elidedText(
                    self._names[run], Qt.TextElideMode.ElideRight, _SIDE - 8
                )
                painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, text)
        self._paint_mark(painter, ink)
        self._paint_scale(painter)

    def event(self, event: QEvent) -> bool:
        """Say what lies under the cursor."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            cell = self.cell_at(QPointF(event.pos()))
            text = "" if cell is None else self.tr("{}, object {}: J&F {:.3f}\n{}")
            if cell is not None:
                text = text.format(cell.sequence, cell.name, cell.jf, self._names[cell.run])
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Choose a cell."""
        if (cell := self.cell_at(event.position())) is not None:
            self.mark(cell.sequence, cell.run)
            self.chosen.emit(cell)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go into a video."""
        if (cell := self.cell_at(event.position())) is not None:
            self.entered.emit(cell)

    def _rect(self, row: int, column: int) -> QRectF:
        run, _ = self._rows[row]
        high = min(float(_ROW), _ROW * _TALLEST / max(1, len(self._rows)))
        wide = min(float(_WIDEST), (self.width() - _SIDE - 4) / max(1, len(self._columns)))
        margin = 1.0 if wide > 5 else 0.0
        top = row * high + run * _GAP
        return QRectF(_SIDE + column * wide, top, wide - margin, high - (1.0 if high > 5 else 0.0))

    def _paint_mark(self, painter: QPainter, ink: QColor) -> None:
        if self._marked is None or self._marked[0] not in self._columns:
            return
        column = self._columns.index(self._marked[0])
        rows = [row for row, (run, _) in enumerate(self._rows) if run == self._marked[1]]
        if rows:
            around = self._rect(rows[0], column).united(self._rect(rows[-1], column))
            painter.setPen(QPen(ink, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(around.adjusted(-1, 0, 1, 1))

    def _paint_scale(self, painter: QPainter) -> None:
        """Draw which colour is which J&F."""
        if not self._cells:
            return
        top, steps = self.height() - _LEGEND + 6, 60
        for step in range(steps):
            painter.fillRect(QRectF(_SIDE + 24 + 2 * step, top, 2, 10), heat(step / (steps - 1)))
        painter.setPen(self.palette().windowText().color())
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(_SIDE, top - 5, 22, 20), middle, "0")
        after = QRectF(_SIDE + 24 + 2 * steps + 6, top - 5, 500, 20)
        text = self.tr("1  J&F; a column a video, worst on the left; a row an object")
        painter.drawText(after, middle, text)


def heat(share: float) -> QColor:
    """Return the colour of a share, 0 to 1."""
    at = min(max(share, 0.0), 1.0) * (len(_STOPS) - 1)
    mixed = [np.interp(at, range(len(_STOPS)), [stop[c] for stop in _STOPS]) for c in range(3)]
    return QColor(*(round(float(value)) for value in mixed))
