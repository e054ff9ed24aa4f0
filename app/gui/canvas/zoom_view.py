"""The view that is zoomed at the cursor, dragged about and fitted to its content."""

from PySide6.QtCore import QPointF, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent, QResizeEvent, QTransform
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

from app.core.mask import Area
from app.gui.canvas import viewport

_LEAST = 0.3  # share of the content's sides that is shown of a small area's surroundings


class ZoomView(QGraphicsView):
    """Zoom and pan over a scene whose rectangle is the content, one unit a pixel."""

    zoom_changed = Signal(float)  # percent
    view_changed = Signal()  # another part of the content is shown

    def __init__(self, scene: QGraphicsScene, parent: QWidget | None = None) -> None:
        super().__init__(scene, parent)
        self._scale = 1.0
        self._fits = True
        self._pan_from: QPointF | None = None
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setResizeAnchor(QGraphicsView.ViewportAnchor.NoAnchor)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        scene.sceneRectChanged.connect(self._on_content_changed)
        self._on_content_changed(scene.sceneRect())

    @property
    def percent(self) -> float:
        """How many device pixels show one of the content's, in percent."""
        return viewport.to_percent(self._scale, self.devicePixelRatioF())

    @Slot()
    def fit(self) -> None:
        """Show the whole content, and go on doing so when the view's size changes."""
        view = self.viewport().size()
        self.set_scale(viewport.fit_scale(self._content_size(), (view.height(), view.width())))
        self.centerOn(self.scene().sceneRect().center())
        self._fits = True

    def zoom_to(self, percent: float) -> None:
        """Show so many percent, about the middle of the view."""
        middle = QPointF(self.viewport().rect().center())
        self.zoom_at(middle, viewport.from_percent(percent, self.devicePixelRatioF()))

    def zoom_by(self, notches: float) -> None:
        """Zoom in by so many notches of the wheel, about the middle of the view."""
        middle = QPointF(self.viewport().rect().center())
        self.zoom_at(middle, viewport.stepped(self._scale, notches))

    def zoom_at(self, place: QPointF, scale: float) -> None:
        """Zoom so that what lies at `place`, in pixels of the view, stays there."""
        fixed = self.to_scene(place)
        self.set_scale(scale)
        self._scroll_by(self.viewportTransform().map(fixed) - place)
        self._fits = False

    def show_area(self, area: Area, margin: float = 1.6) -> None:
        """Zoom so that an area of the content, enlarged `margin` times, fills the view.

        Of a small one, so much of what lies round it is shown that one sees where it is.
        """
        y0, y1, x0, x1 = viewport.around(area, margin, self._content_size(), _LEAST)
        view = self.viewport().size()
        scale = viewport.fit_scale((y1 - y0, x1 - x0), (view.height(), view.width()))
        self.set_scale(min(scale, viewport.from_percent(400, self.devicePixelRatioF())))
        self.centerOn(QPointF((x0 + x1) / 2, (y0 + y1) / 2))
        self._fits = False

    def set_scale(self, scale: float) -> None:
        """Show one pixel of the content as so many of the window."""
        self._scale = scale
        self.setTransform(QTransform.fromScale(scale, scale))
        self.zoom_changed.emit(self.percent)
        self.view_changed.emit()

    def to_scene(self, place: QPointF) -> QPointF:
        """Return what lies at `place`, in pixels of the view, to parts of a pixel."""
        inverse, _ = self.viewportTransform().inverted()
        return inverse.map(place)

    def seen_area(self) -> QRectF:
        """Return the part of the content that is in view."""
        inverse, _ = self.viewportTransform().inverted()
        seen = inverse.mapRect(QRectF(self.viewport().rect()))
        return seen.intersected(self.scene().sceneRect())

    def center_at(self, place: QPointF) -> None:
        """Bring a place of the content to the middle of the view."""
        self.centerOn(place)
        self._fits = False

    @property
    def is_panning(self) -> bool:
        """Whether the content is being dragged."""
        return self._pan_from is not None

    def begin_pan(self, place: QPointF) -> None:
        """Take hold of the content at a place in the view."""
        self._pan_from = place
        self.viewport().setCursor(Qt.CursorShape.ClosedHandCursor)

    def pan_to(self, place: QPointF) -> None:
        """Drag what was taken hold of to another place."""
        if self._pan_from is not None:
            self._scroll_by(self._pan_from - place)
            self._pan_from = place
            self._fits = False

    def end_pan(self) -> None:
        """Let go."""
        self._pan_from = None

    @Slot(QRectF)
    def _on_content_changed(self, content: QRectF) -> None:
        # As much again all round, so that every corner can be brought to the middle.
        width, height = content.width(), content.height()
        self.setSceneRect(content.adjusted(-width, -height, width, height))
        self.fit()

    def _content_size(self) -> tuple[int, int]:
        content = self.scene().sceneRect()
        return round(content.height()), round(content.width())

    def _scroll_by(self, moved: QPointF) -> None:
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setValue(across.value() + round(moved.x()))
        down.setValue(down.value() + round(moved.y()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Take the second press of a quick pair for a press like any other."""
        self.mousePressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the content fitted."""
        super().resizeEvent(event)
        if self._fits:
            self.fit()
        self.view_changed.emit()

    def scrollContentsBy(self, across: int, down: int) -> None:
        """Say that another part is shown."""
        super().scrollContentsBy(across, down)
        self.view_changed.emit()
