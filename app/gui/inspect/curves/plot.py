"""The plot of curves over the frames of the video."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.core.colors import Rgb

_LONG = 3000  # frames; Qt draws wide lines of more points than these too slowly to pan
_MARGIN = 0.09  # above and below the values


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One curve: values at frames, NaN where unknown. Sparse ones are dots: nothing between."""

    name: str
    color: Rgb
    frames: NDArray[np.int64]
    values: NDArray[np.float64]
    sparse: bool = False
    strong: bool = True


class _Box(pg.ViewBox):  # type: ignore[misc]
    """The area of the plot: a click goes somewhere, a drag with the left button marks a range."""

    clicked = Signal(float)
    brushed = Signal(float, float, bool)  # whether the drag has ended

    def mouseClickEvent(self, event: object) -> None:
        if event.button() is Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            event.accept()  # type: ignore[attr-defined]
            self.clicked.emit(self.mapToView(event.pos()).x())  # type: ignore[attr-defined]

    def mouseDragEvent(self, event: object, axis: int | None = None) -> None:
        if event.button() is not Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            super().mouseDragEvent(event, axis)
            return
        event.accept()  # type: ignore[attr-defined]
        ends = (event.buttonDownPos(), event.pos())  # type: ignore[attr-defined]
        first, last = sorted(self.mapToView(end).x() for end in ends)
        self.brushed.emit(first, last, event.isFinish())  # type: ignore[attr-defined]


class Plot(QWidget):
    """Draws curves, stretches and the current frame; says where the person points."""

    frame_asked = Signal(int)
    range_asked = Signal(int, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._last = 0
        box = _Box(enableMenu=False)
        box.setMouseEnabled(x=True, y=False)
        box.clicked.connect(self._on_clicked)
        box.brushed.connect(self._on_brushed)
        self._widget = pg.PlotWidget(viewBox=box)
        self._widget.setMinimumHeight(70)
        self._widget.setAccessibleName(self.tr("Curves over frames"))
        self._item = self._widget.getPlotItem()
        self._item.hideButtons()
        self._item.setClipToView(True)
        self._item.setDownsampling(auto=True, mode="peak")
        self._levels = [pg.InfiniteLine(step / 4, angle=0) for step in range(5)]
        self._stretches: list[object] = []
        self._range = pg.LinearRegionItem(movable=False, brush=(90, 162, 247, 40))
        self._range.setZValue(-5)
        self._head = pg.InfiniteLine(angle=90)
        self._head.setZValue(20)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._widget)
        self._apply_colors()

    def set_frames(self, count: int) -> None:
        """Show the whole of a video of so many frames."""
        self._last = max(count - 1, 0)
        box = self._item.getViewBox()
        room = max(0.5, self._last * 0.01)
        box.setLimits(xMin=-room, xMax=self._last + room)
        box.setXRange(0, self._last, padding=0.01)

    def show_part(self, first: float, last: float) -> None:
        """Show these frames."""
        self._item.getViewBox().setXRange(first, last, padding=0)

    def show_series(self, series: Sequence[Series], limits: tuple[float, float] | None) -> None:
        """Draw these curves; `limits` are those of the values, None as they need."""
        self._item.clear()
        self._stretches = []
        for each in series:
            self._draw(each)
        for item in (self._range, self._head, *self._levels):
            self._item.addItem(item)
        if limits is None:
            highest = [float(np.nanmax(s.values, initial=0)) for s in series if len(s.values)]
            limits = (0.0, max(highest, default=1.0) or 1.0)
        room = (limits[1] - limits[0]) * _MARGIN
        for step, level in enumerate(self._levels):
            level.setValue(limits[0] + step / 4 * (limits[1] - limits[0]))
        ticks = [(step / 4, f"{step / 4:g}") for step in range(5)] if limits[1] == 1 else None
        self._item.getAxis("left").setTicks([ticks] if ticks else None)
        self._item.getViewBox().setYRange(limits[0] - room, limits[1] + room, padding=0)

    def show_stretches(self, stretches: Sequence[tuple[int, int, Rgb, int]]) -> None:
        """Shade stretches of frames: first, last, colour and how much it covers, 0 to 255."""
        for item in self._stretches:
            self._item.removeItem(item)
        self._stretches = []
        for first, last, color, alpha in stretches:
            item = pg.LinearRegionItem(
                (first - 0.5, last + 0.5), movable=False, brush=(*color, alpha), pen=pg.mkPen(None)
            )
            item.setZValue(-10)
            self._item.addItem(item)
            self._stretches.append(item)

    def show_frame(self, frame: int) -> None:
        """Mark the current frame."""
        self._head.setValue(frame)

    def show_range(self, first: int | None, last: int | None) -> None:
        """Mark the range from in to out."""
        self._range.setVisible(first is not None or last is not None)
        self._range.setRegion((first or 0, self._last if last is None else last))

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._apply_colors()

    def _draw(self, series: Series) -> None:
        is_long = len(series.frames) > _LONG
        pen = pg.mkPen(series.color, width=2 if series.strong and not is_long else 1)
        if series.sparse:
            self._item.plot(
                series.frames, series.values, pen=None, symbol="o", symbolSize=7,
                symbolBrush=series.color, symbolPen=pg.mkPen(None), name=series.name,
            )  # fmt: skip
            return
        frames, values = _with_gaps(series)
        connect = "finite" if len(frames) > len(series.frames) else "all"
        # No more than the least and the greatest value of each pixel are drawn.
        self._item.plot(
            frames, values, pen=pen, connect=connect, name=series.name, autoDownsampleFactor=1.0
        )

    def _apply_colors(self) -> None:
        palette = self.palette()
        text = palette.color(QPalette.ColorRole.WindowText)
        self._widget.setBackground(palette.color(QPalette.ColorRole.Base))
        for side in ("left", "bottom"):
            axis = self._item.getAxis(side)
            axis.setPen(palette.color(QPalette.ColorRole.Mid))
            axis.setTextPen(text)
            axis.setStyle(hideOverlappingLabels=False)
        # The grid of pyqtgraph itself takes longer to draw than the curves.
        for level in self._levels:
            level.setPen(pg.mkPen(palette.color(QPalette.ColorRole.Midlight), width=1))
            level.setZValue(-20)
        self._head.setPen(pg.mkPen(palette.color(QPalette.ColorRole.Highlight), width=2))
        for line in self._range.lines:
            line.setPen(pg.mkPen(palette.color(QPalette.ColorRole.Highlight), width=1))

    def _frame(self, at: float) -> int:
        return min(max(round(at), 0), self._last)

    @Slot(float)
    def _on_clicked(self, at: float) -> None:
        self.frame_asked.emit(self._frame(at))

    @Slot(float, float, bool)
    def _on_brushed(self, first: float, last: float, ended: bool) -> None:  # noqa: FBT001
        ends = self._frame(first), self._frame(last)
        self.show_range(*ends)
        if ended:
            self.range_asked.emit(*ends)


def _with_gaps(series: Series) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frames and values with an unknown one where frames are missing between."""
    gaps = np.flatnonzero(np.diff(series.frames) > 1) + 1
    frames = series.frames.astype(np.float64)
    return (
        np.insert(frames, gaps, frames[gaps] - 0.5),
        np.insert(series.values, gaps, np.nan),
    )
