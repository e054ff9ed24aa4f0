"""The timeline: what every object has on every frame, and the way to any of them."""

import enum
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, QTimer, Slot
from PySide6.QtGui import (
    QAction,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QMenu, QToolTip, QWidget

from app.core.block import Block
from app.core.document import Key, ObjectInfo
from app.gui.timeline.lanes import Lanes, Scale
from app.gui.timeline.legend import LegendButton
from app.gui.timeline.paint import CURVE, HEADER, LANE, RULER, Layout, TimelinePainter
from app.gui.timeline.thumbnails import Thumbnails
from app.gui.timeline.tip import tip
from app.session.jobs.progress import Progress
from app.session.jobs.runner import JobRunner
from app.session.review import Review, concerns
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState
from app.session.visor.subsequences import Subsequences

_REDRAW_MS = 100  # at most ten times a second, however fast a propagation is
_ANCHOR_REACH = 9  # pixels within which a double-click finds an anchor
_DRAG = 4  # pixels that the mouse must move before a click becomes a range
_NOTCH = 120  # angle of one notch of a wheel


class _Grip(enum.Enum):
    SCRUB = enum.auto()
    LANE = enum.auto()
    PAN = enum.auto()


@dataclass(slots=True)
class _Drag:
    grip: _Grip
    start: QPointF
    object: int = 0
    frame: int = 0


RangeMenuMaker = Callable[[ObjectInfo, range, QWidget], QMenu]


class Timeline(QAbstractScrollArea):
    """One lane per object, a ruler above, the selected object's score below."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        jobs: JobRunner,
        review: Review,
        subsequences: Subsequences,
        range_menu: RangeMenuMaker,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._video, self._view, self._masks = video, view, masks
        self._review, self._range_menu = review, range_menu
        self._subsequences = subsequences
        self._lanes = Lanes(masks.confidence)
        self._scale = Scale()
        self._fits = True  # whether it goes on showing the whole video when its size changes
        self._progress: Progress | None = None
        self._brush = TimelinePainter(self.palette(), self.font(), self.devicePixelRatioF())
        self._ground: QPixmap | None = None  # all that stays while the playhead moves
        self._drag: _Drag | None = None
        self._block_actions: list[QAction] = []
        self._thumbnails = Thumbnails(video, view, self)
        self._redraw = QTimer(self, singleShot=True, interval=_REDRAW_MS)
        self._redraw.timeout.connect(self.refresh)
        self.legend = LegendButton(self)
        self.legend.setGeometry(2, 1, RULER - 2, RULER - 2)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setMinimumHeight(RULER + 2 * LANE + CURVE)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Timeline"))
        self.viewport().setMouseTracking(True)
        video.opened.connect(self._on_opened)
        view.frame_changed.connect(self._on_frame_changed)
        masks.entries_changed.connect(self._on_entries_changed)
        masks.objects_changed.connect(self._on_objects_changed)
        view.selection_changed.connect(self.refresh)
        view.range_changed.connect(self.viewport().update)
        view.block_changed.connect(self.viewport().update)
        jobs.progress_changed.connect(self._on_progress_changed)
        review.suspects_changed.connect(self._redraw_soon)
        self._on_opened()

    def set_actions(self, actions: Iterable[QAction]) -> None:
        """Offer actions in the menu of a block."""
        self._block_actions = list(actions)

    @Slot()
    def fit(self) -> None:
        """Show the whole video."""
        self._set_scale(Scale(0, 0))
        self._fits = True

    @Slot()
    def refresh(self) -> None:
        """Draw everything anew."""
        self._redraw.stop()
        self._ground = None
        hidden = len(self._masks.objects) * LANE - (self.viewport().height() - RULER - CURVE)
        self.verticalScrollBar().setRange(0, max(hidden, 0))
        self.verticalScrollBar().setPageStep(max(self.viewport().height() - RULER - CURVE, LANE))
        self.viewport().update()

    def layout_now(self) -> Layout:
        """Return where things lie."""
        return Layout(
            self.viewport().width(),
            self.viewport().height(),
            self.verticalScrollBar().value(),
            len(self._masks.objects),
            self._scale,
            self._video.frame_count,
        )

    def _set_scale(self, scale: Scale) -> None:
        width = self.viewport().width() - HEADER
        self._scale = scale.within(self._video.frame_count, max(width, 1))
        self._fits = False
        self.refresh()

    @Slot()
    def _on_opened(self) -> None:
        self._lanes.reset(self._masks.document, self._video.frame_count)
        self._progress, self._drag = None, None
        self.fit()

    @Slot(int)
    def _on_frame_changed(self, frame: int) -> None:
        layout = self.layout_now()
        x = self._scale.x_of(frame)
        if self._drag is None and not 0 <= x < layout.lanes_width:
            # A page further: the playhead stands a fifth into the self._view.
            self._set_scale(self._scale.moved(x - layout.lanes_width / 5))
        self.viewport().update()

    @Slot(object)
    def _on_entries_changed(self, keys: frozenset[Key]) -> None:
        self._lanes.update(keys, self._masks.shown)
        self._redraw_soon()

    @Slot()
    def _redraw_soon(self) -> None:
        if not self._redraw.isActive():
            self._redraw.start()

    @Slot()
    def _on_objects_changed(self) -> None:
        for unread in self._lanes.keep(item.id for item in self._masks.objects):
            keys = [Key(frame, unread) for frame in self._masks.of_object(unread)]
            self._lanes.update(keys, self._masks.shown)
        self.refresh()

    @Slot(object)
    def _on_progress_changed(self, progress: Progress | None) -> None:
        self._progress = progress
        self._redraw_soon()

    def _item_at(self, y: float) -> ObjectInfo | None:
        row = self.layout_now().row_at(y)
        return None if row is None else self._masks.objects[row]

    def _draw_ground(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        if self._brush.ratio != ratio:
            self._brush = TimelinePainter(self.palette(), self.font(), ratio)
        ground = QPixmap(self.viewport().size() * ratio)
        ground.setDevicePixelRatio(ratio)
        painter = QPainter(ground)
        layout = self.layout_now()
        brush = self._brush
        brush.ground(painter, layout, self._video.fps or 25.0, self._video.time_of)
        painter.setClipRect(0, RULER, layout.width, layout.lanes_bottom - RULER)
        for row in layout.visible_rows():
            item = self._masks.objects[row]
            brush.lane(painter, layout, row, item, self._lanes)
            found = (each for each in self._review.found if concerns(each, item.id))
            brush.suspects(painter, layout, row, item, found)
            brush.header(painter, layout, row, item, selected=item.id == self._view.selected)
        painter.setClipping(False)
        chosen = next(
            (item for item in self._masks.objects if item.id == self._view.selected), None
        )
        brush.curve(painter, layout, chosen, self._lanes, self.tr("Confidence"))
        brush.bands(painter, layout, [(s.name, s.first, s.last) for s in self._subsequences.all])
        if self._progress is not None:
            rows = {item.id: row for row, item in enumerate(self._masks.objects)}
            brush.job(painter, layout, rows, self._progress)
        brush.corner(painter, layout)
        painter.end()
        return ground

    def _show_menu(self, place: QPoint) -> None:
        block = self._view.block
        items = [item for item in self._masks.objects if block and item.id in block.objects]
        if block is None or not items:
            return
        if len(items) == 1:
            menu = self._range_menu(items[0], block.frames, self)
            menu.addSeparator()
        else:
            menu = QMenu(self)
            words = self.tr("{} objects, frames {} to {}")
            menu.addSection(words.format(len(items), block.frames.start, block.last))
        menu.addActions(self._block_actions if len(items) > 1 else self._block_actions[-2:])
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(place)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw what stays from memory, and the moving parts over it."""
        ratio = self.devicePixelRatioF()
        if self._ground is None or self._ground.devicePixelRatio() != ratio:
            self._ground = self._draw_ground()
        painter = QPainter(self.viewport())
        painter.drawPixmap(0, 0, self._ground)
        if not self._video.is_open:
            return
        block, chosen = self._view.block, None
        if block is not None:
            rows = [r for r, item in enumerate(self._masks.objects) if item.id in block.objects]
            chosen = (range(rows[0], rows[-1] + 1), block.frames) if rows else None
        limits = (self._view.in_point, self._view.out_point)
        self._brush.over(
            painter, self.layout_now(), frame=self._view.frame, limits=limits, chosen=chosen
        )

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the playhead, of a lane, or of the view."""
        if not self._video.is_open:
            return
        place, layout = event.position(), self.layout_now()
        item, frame = self._item_at(place.y()), layout.frame_at(place.x())
        if event.button() == Qt.MouseButton.MiddleButton:
            self._drag = _Drag(_Grip.PAN, place)
        elif item is not None and place.x() < HEADER:
            self._view.select(item.id)
        elif event.button() == Qt.MouseButton.RightButton and item is not None:
            block = self._view.block
            if block is None or item.id not in block.objects or frame not in block.frames:
                self._view.choose_block(Block((item.id,), range(frame, frame + 1)))
            self._show_menu(event.globalPosition().toPoint())
        elif event.button() == Qt.MouseButton.LeftButton and item is not None:
            self._drag = _Drag(_Grip.LANE, place, item.id, frame)
            self._view.choose_block(None)
        elif event.button() == Qt.MouseButton.LeftButton and place.x() >= HEADER:
            self._drag = _Drag(_Grip.SCRUB, place)
            self._view.choose_block(None)
            self._view.go_to(frame)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Scrub, widen the range, or drag the view along."""
        drag, place = self._drag, event.position()
        if drag is None:
            return
        frame = self.layout_now().frame_at(place.x())
        if drag.grip is _Grip.SCRUB:
            if frame != self._view.frame:
                self._view.go_to(frame)
        elif drag.grip is _Grip.PAN:
            self._set_scale(self._scale.moved(drag.start.x() - place.x()))
            drag.start = place
        elif (
            self._view.block is not None
            or abs(place.x() - drag.start.x()) >= _DRAG
            or abs(place.y() - drag.start.y()) >= LANE
        ):
            first, last = sorted((drag.frame, frame))
            rows = self.layout_now().rows_between(drag.start.y(), place.y())
            ids = tuple(item.id for item in self._masks.objects[rows.start : rows.stop])
            self._view.choose_block(Block(ids, range(first, last + 1)))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Offer what can be done to the range, or go where a lane was clicked."""
        drag, self._drag = self._drag, None
        if drag is None or drag.grip is not _Grip.LANE:
            return
        self._view.select(drag.object)
        if self._view.block is None:
            self._view.go_to(drag.frame)
        else:
            self._show_menu(event.globalPosition().toPoint())

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Go to the anchor under the cursor."""
        item = self._item_at(event.position().y())
        if item is not None and event.position().x() >= HEADER:
            frame = self.layout_now().frame_at(event.position().x())
            reach = math.ceil(_ANCHOR_REACH / self._scale.per_frame)
            anchor = self._lanes.nearest_anchor(item.id, frame, reach)
            self._view.go_to(frame if anchor is None else anchor)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom with Ctrl, pan with Shift or sideways, otherwise scroll the lanes."""
        across, down = event.angleDelta().x() / _NOTCH, event.angleDelta().y() / _NOTCH
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            x = max(event.position().x() - HEADER, 0)
            self._set_scale(self._scale.zoomed(1.25 ** (down or across), x))
        elif across or event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._set_scale(self._scale.moved(-60 * (across or down)))
        else:
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() - round(down * LANE))
        event.accept()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        """Draw other lanes."""
        self._ground = None
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the view inside the video, or the whole video in view."""
        super().resizeEvent(event)
        if self._fits:
            self.fit()
        else:
            self._set_scale(self._scale)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme and the font."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.PaletteChange, QEvent.Type.FontChange}:
            self._brush = TimelinePainter(self.palette(), self.font(), self.devicePixelRatioF())
            self.refresh()

    def viewportEvent(self, event: QEvent) -> bool:
        """Say what lies under the resting cursor."""
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            item, frame = self._item_at(event.y()), self.layout_now().frame_at(event.x())
            if event.x() >= HEADER and self._video.is_open:
                reach = math.ceil(1 / self._scale.per_frame)
                text = tip(self._video, self._masks, self._thumbnails, item, frame, reach)
                QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().viewportEvent(event)
