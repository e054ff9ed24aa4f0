"""The tool that selects an object by a click. (Dragging moves the view; the canvas does that.)"""

from PySide6.QtCore import Qt

from app.gui.canvas.tools.tool import CanvasTool, Pointer, Surface
from app.session.state.view import ViewState


class SelectTool(CanvasTool):
    """Selects the object under the cursor, or none beside them all."""

    cursor = Qt.CursorShape.ArrowCursor

    def __init__(self, view: ViewState, surface: Surface) -> None:
        self._view = view
        self._surface = surface
        self._pressed = False

    def press(self, _pointer: Pointer) -> None:
        """Wait whether it becomes a click or a drag."""
        self._pressed = True

    def release(self, pointer: Pointer) -> None:
        """Select what lies under the cursor."""
        if self._pressed:
            self._view.select(self._surface.object_at(pointer.at))
        self._pressed = False

    def cancel(self) -> bool:
        """Take it for a drag, which selects nothing."""
        had, self._pressed = self._pressed, False
        return had
