"""The painter of the timeline: ruler, lanes, score curve, and over them playhead, range and job."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPalette, QPen, QPolygonF

from app.core.document import ObjectInfo
from app.core.suspects import Suspect
from app.gui.timeline import lanes
from app.gui.timeline.lanes import Lanes, Scale
from app.gui.timeline.tiles import Tiles, draw_anchor
from app.gui.widgets.words import clock
from app.session.jobs.progress import Progress

RULER = 26  # heights and widths in logical pixels
LANE = 22
LANE_INNER = 18
CURVE = 40
BAND = 14
HEADER = 132
_STEPS = (1, 2, 5)
_TICK_SPACING = 86
_PLAYHEAD = QColor(228, 62, 62)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things lie in a timeline `width` by `height` pixels, scrolled down by `top`."""

    width: int
    height: int
    top: int
    rows: int
    scale: Scale
    count: int  # frames

    @property
    def lanes_width(self) -> int:
        """How wide the lanes are, beside the objects' names."""
        return max(self.width - HEADER, 1)

    @property
    def lanes_bottom(self) -> int:
        """Where the score curve begins."""
        return max(self.height - CURVE, RULER)

    def visible_rows(self) -> range:
        """Return the rows of which at least a part is in view."""
        first = max(self.top // LANE, 0)
        last = math.ceil((self.top + self.lanes_bottom - RULER) / LANE)
        return range(first, max(first, min(last, self.rows)))

    def row_at(self, y: float) -> int | None:
        """Return the row under a pixel, or None."""
        if not RULER <= y < self.lanes_bottom:
            return None
        row = int((y - RULER + self.top) // LANE)
        return row if row < self.rows else None

    def rows_between(self, one: float, other: float) -> range:
        """Return the rows from one height to another, those at the ends included."""
        first, last = sorted(int((y - RULER + self.top) // LANE) for y in (one, other))
        return range(max(first, 0), min(last + 1, self.rows))

    def row_top(self, row: int) -> int:
        """Return where a row begins."""
        return RULER + row * LANE - self.top

    def x_of(self, frame: float) -> float:
        """Return where a frame begins."""
        return HEADER + self.scale.x_of(frame)

    def frame_at(self, x: float) -> int:
        """Return the frame under a pixel, the nearest where none is."""
        return min(max(self.scale.frame_at(x - HEADER), 0), max(self.count - 1, 0))

    def frames(self) -> range:
        """Return the frames in view."""
        last = math.ceil(self.scale.first + self.lanes_width / self.scale.per_frame)
        return range(max(math.floor(self.scale.first), 0), min(last + 1, self.count))


def tick_step(per_frame: float) -> int:
    """Return how many frames apart labelled ticks stand: 1, 2 or 5 times a power of ten."""
    least = _TICK_SPACING / per_frame
    power = int(10 ** math.floor(math.log10(max(least, 1))))
    return next((power * step for step in _STEPS if power * step >= least), power * 10)


class TimelinePainter:
    """Paints one timeline with the colours of a palette."""

    def __init__(self, palette: QPalette, font: QFont, ratio: float) -> None:
        """`ratio` is the screen's device pixel ratio."""
        self.ratio = ratio
        self._window = palette.color(QPalette.ColorRole.Window)
        self._base = palette.color(QPalette.ColorRole.Base)
        self._text = palette.color(QPalette.ColorRole.WindowText)
        self._accent = palette.color(QPalette.ColorRole.Highlight)
        self._on_accent = palette.color(QPalette.ColorRole.HighlightedText)
        self._dim = QColor(self._text)
        self._dim.setAlpha(150)
        self._line = QColor(self._text)
        self._line.setAlpha(40)
        self._small = QFont(font)
        self._small.setPointSizeF(max(font.pointSizeF() * 0.85, 6.5))
        self._font = font
        self._tiles: dict[tuple[int, int, int], Tiles] = {}  # by the object's colour

    def ground(
        self, painter: QPainter, layout: Layout, fps: float, time_of: Callable[[int], float]
    ) -> None:
        """Draw the ground and the ruler; `time_of` gives a frame's seconds."""
        painter.fillRect(0, 0, layout.width, layout.height, self._base)
        painter.fillRect(0, 0, layout.width, RULER, self._window)
        painter.fillRect(0, 0, HEADER, layout.height, self._window)
        painter.setFont(self._small)
        step = tick_step(layout.scale.per_frame)
        frames = layout.frames()
        painter.setClipRect(HEADER, 0, layout.lanes_width, layout.height)
        for frame in range(frames.start // step * step, frames.stop, step):
            x = layout.x_of(frame + 0.5)
            painter.setPen(self._line)
            painter.drawLine(QPointF(x, RULER - 6), QPointF(x, layout.height))
            painter.setPen(self._text)
            place = QRectF(x + 4, 0, _TICK_SPACING, RULER)
            number = str(frame)
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, number)
            painter.setPen(self._dim)
            place.adjust(QFontMetricsF(self._small).horizontalAdvance(number) + 5, 0, 0, 0)
            time = clock(time_of(frame))
            painter.drawText(
                place, Qt.AlignmentFlag.AlignVCenter, time if step < fps else time[:-3]
            )
        painter.setClipping(False)

    def bands(
        self, painter: QPainter, layout: Layout, given: Sequence[tuple[str, int, int]]
    ) -> None:
        """Draw bands below the lanes (name, first and last frame), and lines at their ends."""
        painter.setClipRect(HEADER, RULER, layout.lanes_width, layout.height)
        painter.setFont(self._small)
        for place, (name, first, last) in enumerate(given):
            left, right = layout.x_of(first), layout.x_of(last + 1)
            if right < HEADER or left > layout.width:
                continue
            color = QColor(self._accent)
            color.setAlpha(150 if place % 2 else 90)
            band = QRectF(left, layout.height - BAND, max(right - left, 2.0), BAND)
            painter.fillRect(band, color)
            painter.setPen(self._line)
            for x in (left, right):
                painter.drawLine(QPointF(x, RULER), QPointF(x, layout.height))
            metrics = QFontMetricsF(self._small)
            room = band.intersected(QRectF(HEADER, band.top(), layout.lanes_width, BAND))
            short = name[name.find("_seq_") + 1 :]
            fits = next(
                (
                    each
                    for each in (name, short)
                    if metrics.horizontalAdvance(each) + 6 < room.width()
                ),
                "",
            )
            painter.setPen(self._text)
            painter.drawText(room.adjusted(3, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, fits)
        painter.setClipping(False)

    def lane(
        self, painter: QPainter, layout: Layout, row: int, item: ObjectInfo, data: Lanes
    ) -> None:
        """Draw one object's lane."""
        top = layout.row_top(row)
        ratio = self.ratio
        device = Scale(layout.scale.first, layout.scale.per_frame * ratio)
        starts = device.columns(layout.count, round(layout.lanes_width * ratio))
        ranks = data.ranks(item.id)
        last = layout.frames().stop
        columns = lanes.worst(ranks, starts, last)
        gaps = np.zeros(columns.size, np.bool_)
        if columns.size:
            gaps = np.minimum.reduceat(ranks[: max(last, int(starts[-1]) + 1)], starts) == 0
            gaps &= columns > 0
        if item.color not in self._tiles:
            self._tiles[item.color] = Tiles(LANE_INNER, self._text, ratio, QColor(*item.color))
        tiles = self._tiles[item.color]
        columns = lanes.emphasised(columns, round(3 * ratio), tiles.period)
        image = tiles.lane(columns, gaps, round(device.x_of(0)))
        inset = (LANE - LANE_INNER) / 2
        painter.drawImage(QPointF(HEADER, top + inset), image)
        self._anchors(painter, layout, top, item, data)

    def _anchors(
        self, painter: QPainter, layout: Layout, top: int, item: ObjectInfo, data: Lanes
    ) -> None:
        frames = layout.frames()
        found = lanes.thinned(data.anchors(item.id, frames.start, frames.stop), layout.scale, 8.0)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        lanes_only = QRectF(HEADER, top, layout.lanes_width, LANE)
        painter.setClipRect(lanes_only, Qt.ClipOperation.IntersectClip)
        for frame in found.tolist():
            draw_anchor(painter, QPointF(layout.x_of(frame + 0.5), top + LANE / 2), 4.6)
        painter.restore()

    def suspects(
        self,
        painter: QPainter,
        layout: Layout,
        row: int,
        item: ObjectInfo,
        given: Iterable[Suspect],
    ) -> None:
        """Draw how far each suspect of an object goes, and a flag on the frame to look at."""
        top = layout.row_top(row)
        painter.save()
        lanes_only = QRectF(HEADER, top, layout.lanes_width, LANE)
        painter.setClipRect(lanes_only, Qt.ClipOperation.IntersectClip)
        painter.setPen(QPen(self._text, 1))
        painter.setBrush(QColor(*item.color))
        for suspect in given:
            left, right = layout.x_of(suspect.first), layout.x_of(suspect.last + 1)
            painter.drawRect(QRectF(left, top, max(right - left, 3.0), 3))
            x = layout.x_of(suspect.frame + 0.5)
            corners = [QPointF(x - 4.5, top), QPointF(x + 4.5, top), QPointF(x, top + 8)]
            painter.drawPolygon(QPolygonF(corners))
        painter.restore()

    def header(
        self, painter: QPainter, layout: Layout, row: int, item: ObjectInfo, *, selected: bool
    ) -> None:
        """Draw an object's swatch and name."""
        top = layout.row_top(row)
        place = QRectF(0, top, HEADER, LANE)
        painter.fillRect(place, self._accent if selected else self._window)
        ink = self._on_accent if selected else self._text
        painter.setPen(self._dim)
        painter.setBrush(QColor(*item.color))
        painter.drawRect(QRectF(7.5, top + 5.5, 11, LANE - 11))
        painter.setPen(ink)
        painter.setFont(self._font)
        room = place.adjusted(24, 0, -18 if item.locked else -4, 0)
        fitted = QFontMetricsF(self._font).elidedText(
            f"{item.id} {item.name}", Qt.TextElideMode.ElideRight, room.width()
        )
        painter.setOpacity(1.0 if item.visible else 0.5)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, fitted)
        painter.setOpacity(1.0)
        if item.locked:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(QRectF(HEADER - 13, top + 7, 4, 5))
            painter.fillRect(QRectF(HEADER - 15, top + 11, 9, 6), ink)

    def corner(self, painter: QPainter, layout: Layout) -> None:
        """Draw the lines that part ruler, names and lanes; lanes scrolled under are covered."""
        painter.fillRect(0, 0, HEADER, RULER, self._window)
        painter.setPen(self._line)
        painter.drawLine(0, RULER, layout.width, RULER)
        painter.drawLine(HEADER, 0, HEADER, layout.height)
        painter.drawLine(0, layout.lanes_bottom, layout.width, layout.lanes_bottom)

    def curve(
        self, painter: QPainter, layout: Layout, item: ObjectInfo | None, data: Lanes, title: str
    ) -> None:
        """Draw the score of an object, the lowest of each pixel, 1 at the top."""
        top, bottom = layout.lanes_bottom, layout.height
        painter.fillRect(0, top, layout.width, bottom - top, self._window)
        painter.fillRect(HEADER, top + 1, layout.lanes_width, bottom - top, self._base)
        painter.setPen(self._dim)
        painter.setFont(self._small)
        painter.drawText(QRectF(8, top, HEADER - 12, CURVE), Qt.AlignmentFlag.AlignVCenter, title)
        half = (top + bottom) / 2
        painter.setPen(QPen(self._line, 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(HEADER, half), QPointF(layout.width, half))
        if item is None:
            return
        starts = layout.scale.columns(layout.count, layout.lanes_width)
        scores = lanes.lowest(data.scores(item.id), starts, layout.frames().stop)
        room = bottom - top - 6
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._accent, 1.4))
        for first, last in lanes.runs(np.isfinite(scores)):
            height = bottom - 3 - np.clip(scores[first:last], 0, 1) * room
            line = [QPointF(HEADER + x, y) for x, y in enumerate(height.tolist(), start=first)]
            painter.drawPolyline(QPolygonF([*line, line[-1] + QPointF(1, 0)]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)

    def over(
        self,
        painter: QPainter,
        layout: Layout,
        *,
        frame: int,
        limits: tuple[int | None, int | None],
        chosen: tuple[range, range] | None,
    ) -> None:
        """Draw what moves: in and out points, the chosen block (rows, frames), the playhead."""
        painter.setClipRect(HEADER, 0, layout.lanes_width, layout.height)
        if chosen is not None:
            rows, frames = chosen
            veil = QColor(self._accent)
            veil.setAlpha(90)
            place = QRectF(
                layout.x_of(frames.start),
                layout.row_top(rows.start),
                len(frames) * layout.scale.per_frame,
                len(rows) * LANE,
            )
            painter.fillRect(place, veil)
            painter.setPen(QPen(self._accent, 1.5))
            painter.drawRect(place)
        self._limits(painter, layout, limits)
        x = layout.x_of(frame + 0.5)
        width = layout.scale.per_frame
        if width > 6:
            veil = QColor(_PLAYHEAD)
            veil.setAlpha(50)
            painter.fillRect(QRectF(x - width / 2, RULER, width, layout.height), veil)
        painter.setPen(QPen(_PLAYHEAD, 1.5))
        painter.drawLine(QPointF(x, RULER - 4), QPointF(x, layout.height))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(_PLAYHEAD)
        head = [QPointF(-6, -14), QPointF(6, -14), QPointF(6, -8), QPointF(0, 0), QPointF(-6, -8)]
        tip = QPointF(x, RULER)
        painter.drawPolygon(QPolygonF([tip + corner for corner in head]))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setClipping(False)

    def _limits(
        self, painter: QPainter, layout: Layout, limits: tuple[int | None, int | None]
    ) -> None:
        if limits == (None, None):
            return
        first = limits[0] or 0
        last = layout.count - 1 if limits[1] is None else limits[1]
        left, right = layout.x_of(first), layout.x_of(last + 1)
        veil = QColor(self._base)
        veil.setAlpha(165)
        painter.fillRect(QRectF(HEADER, RULER, left - HEADER, layout.height), veil)
        painter.fillRect(QRectF(right, RULER, layout.width - right, layout.height), veil)
        painter.fillRect(QRectF(left, RULER - 4, right - left, 4), self._accent)
        painter.setPen(QPen(self._accent, 2))
        for x in (left, right):
            painter.drawLine(QPointF(x, 2), QPointF(x, layout.height))

    def job(
        self, painter: QPainter, layout: Layout, rows: dict[int, int], progress: Progress
    ) -> None:
        """Draw the range that a job fills, in the lanes of its objects, and how far it is."""
        painter.setClipRect(HEADER, RULER, layout.lanes_width, layout.lanes_bottom - RULER)
        left, right = layout.x_of(progress.first), layout.x_of(progress.last + 1)
        head = layout.x_of(progress.at + 0.5)
        color = QColor(self._accent)
        veil = QColor(self._accent)
        veil.setAlpha(46)
        for object_id in progress.objects:
            if object_id in rows:
                top = layout.row_top(rows[object_id])
                painter.fillRect(QRectF(left, top, right - left, LANE), veil)
                painter.fillRect(QRectF(left, top + LANE - 2, right - left, 2), color)
                painter.fillRect(QRectF(head - 1.5, top, 3, LANE), color)
        painter.setClipping(False)
