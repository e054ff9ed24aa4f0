"""The canvas: the picture, zoomed and panned, and the tools in it."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from app.core.paint import Point
from app.gui.canvas import viewport
from app.gui.canvas.hovering import Hovering
from app.gui.canvas.minimap import Minimap
from app.gui.canvas.scene.layers import to_pixel
from app.gui.canvas.scene.overlay import OverlayMode
from app.gui.canvas.scene.picture import Picture
from app.gui.canvas.tools.choice import Gesture, gesture_for
from app.gui.canvas.tools.tool import Pointer, Tool
from app.gui.canvas.tools.toolbox import Toolbox
from app.gui.canvas.zoom_view import ZoomView
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState

_PEEK = Qt.Key.Key_QuoteLeft
_BRUSH_STEPS = {Qt.Key.Key_BracketLeft: -1, Qt.Key.Key_BracketRight: 1}
_GROUND = QColor(
    28, 29, 31
)  # neutral in every theme, so that the picture's colours are judged right
_NOTCH = 120  # angle of one notch of a wheel


class Canvas(ZoomView):
    """Shows the current frame and hands mouse and keys to the chosen tool."""

    cursor_moved = Signal(int, int)  # the pixel under the mouse; (-1, -1) outside the frame
    tool_changed = Signal(object)  # Tool
    mode_changed = Signal(object)  # OverlayMode
    brush_changed = Signal(float)  # diameter in pixels of the frame

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        picture: Picture,
        tools: Toolbox,
        mask_menu: Callable[[Point, QPoint, QWidget], None],
        parent: QWidget | None = None,
    ) -> None:
        """Show `picture`; `mask_menu` opens the menu of a pixel at a place of the screen."""
        self._video, self._view = video, view
        self._picture, self._tools, self._open_menu = picture, tools, mask_menu
        super().__init__(self._picture, parent)
        self._picture.setParent(self)
        self.frame_shown = self._picture.frame_shown  # the frame whose image is on the screen
        self._pressed_at: QPointF | None = None
        self._hovering = Hovering(video, picture, tools, self.to_scene, self.cursor_moved.emit)
        self.minimap = Minimap(video, view, self)
        self.setBackgroundBrush(_GROUND)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Picture"))
        video.opened.connect(tools.drop)
        video.opened.connect(self.fit)
        view.frame_changed.connect(tools.leave_frame)
        view.selection_changed.connect(tools.leave_object)
        self.view_changed.connect(self._on_view_changed)
        self.zoom_changed.connect(self._show_brush)
        self._show_brush()

    @property
    def tool(self) -> Tool:
        """The chosen tool."""
        return self._tools.chosen

    @Slot(object)
    def set_tool(self, tool: Tool) -> None:
        """Take up a tool; what the last one was drawing is dropped."""
        self._tools.choose(tool)
        self._picture.brush.setVisible(self._tools.current.has_size and self.underMouse())
        self.viewport().setCursor(self._tools.current.cursor)
        self.tool_changed.emit(tool)

    @property
    def mode(self) -> OverlayMode:
        """How masks lie over the frame."""
        return self._picture.look.mode

    @Slot(object)
    def set_mode(self, mode: OverlayMode) -> None:
        """Show masks in another way."""
        self._picture.set_look(replace(self._picture.look, mode=mode))
        self.mode_changed.emit(mode)

    @property
    def opacity(self) -> float:
        """How much masks cover the frame, 0 to 1."""
        return self._picture.look.opacity

    @Slot(float)
    def set_opacity(self, opacity: float) -> None:
        """Let masks cover the frame more (up to 1) or less (down to 0)."""
        look = replace(self._picture.look, opacity=min(max(opacity, 0.0), 1.0))
        self._picture.set_look(look)

    @property
    def brush_diameter(self) -> float:
        """The width of brush and eraser in pixels of the frame."""
        return self._tools.diameter

    @Slot(float)
    def set_brush_diameter(self, diameter: float) -> None:
        """Set the width of brush and eraser."""
        self._tools.set_diameter(diameter)
        self._show_brush()

    def step_brush(self, steps: float) -> None:
        """Widen the brush by so many steps; negative ones narrow it."""
        self._tools.step_diameter(steps)
        self._show_brush()

    @property
    def is_drawing(self) -> bool:
        """Whether something is being drawn that would be dropped with the frame."""
        return self._tools.current.busy

    def take_back(self) -> bool:
        """Drop the newest part of what is being drawn; return whether anything was."""
        return self._tools.current.take_back()

    def set_peek(self, *, raw: bool) -> None:
        """Hide all that lies over the frame, or show it again."""
        self._picture.set_peek(raw=raw)

    def _pointer(self, event: QMouseEvent) -> Pointer:
        return Pointer(to_pixel(self.to_scene(event.position())), event.button(), event.modifiers())

    @Slot()
    def _show_brush(self) -> None:
        self._tools.polygon.scale = self._scale
        self._picture.brush.set_brush(self._tools.diameter, self._scale)
        self.brush_changed.emit(self._tools.diameter)

    @Slot()
    def _on_view_changed(self) -> None:
        self._hovering.follow(draws=self._pressed_at is None)

    def event(self, event: QEvent) -> bool:
        """Keep Enter, Escape and the like from the window's shortcuts while a tool draws."""
        if event.type() == QEvent.Type.ShortcutOverride:
            tool = self._tools.current
            if isinstance(event, QKeyEvent) and tool.busy and event.key() in tool.keys:
                event.accept()
                return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Start to pan, or a tool's gesture."""
        gesture = gesture_for(self.tool, event.button(), event.modifiers())
        if not self._video.is_open or gesture is Gesture.NOTHING:
            return
        if gesture is Gesture.PAN:
            self.begin_pan(event.position())
        elif gesture is Gesture.MENU:
            at = to_pixel(self.to_scene(event.position()))
            if (under := self._picture.object_at(at)) is not None:
                self._view.select(under)
            self._open_menu(at, event.globalPosition().toPoint(), self)
        else:
            self._pressed_at = event.position()
            self._tools.current.press(self._pointer(event))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Pan, or go on with the gesture."""
        pointer = self._pointer(event)
        self._hovering.move_to(event.position(), event.modifiers())
        if self.tool is Tool.SELECT and self._pressed_at is not None and not self.is_panning:
            pulled = (event.position() - self._pressed_at).manhattanLength()
            if pulled >= QApplication.startDragDistance():
                self._tools.current.cancel()
                self.begin_pan(self._pressed_at)
        if self.is_panning:
            self.pan_to(event.position())
        else:
            self._tools.current.move(pointer)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """End panning or the gesture."""
        if self.is_panning:
            self.end_pan()
            self.viewport().setCursor(self._tools.current.cursor)
        elif self._pressed_at is not None:
            self._tools.current.release(self._pointer(event))
        self._pressed_at = None

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the cursor; with Ctrl held, widen or narrow the brush."""
        notches = (event.angleDelta().y() or event.angleDelta().x()) / _NOTCH
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier and self._tools.current.has_size:
            self.step_brush(notches)
        else:
            self.zoom_at(event.position(), viewport.stepped(self._scale, notches))
        event.accept()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Peek, change the brush, or let the tool use the key."""
        key = Qt.Key(event.key())
        self._hovering.hear(key, event.modifiers())
        if key is _PEEK:
            self.set_peek(raw=True)
        elif key in _BRUSH_STEPS and self._tools.current.has_size:
            self.step_brush(_BRUSH_STEPS[key])
        elif key is Qt.Key.Key_Escape and self._tools.current.cancel():
            self._pressed_at = None
        elif not self._tools.current.key(key):
            event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """End peeking."""
        self._hovering.hear(event.key(), event.modifiers())
        if event.key() == _PEEK and not event.isAutoRepeat():
            self.set_peek(raw=False)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """End peeking: the key's release will go elsewhere."""
        self.set_peek(raw=False)
        self._tools.current.leave_picture()
        super().focusOutEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        """Hide the brush's circle and forget the cursor."""
        self._hovering.leave()
        super().leaveEvent(event)
