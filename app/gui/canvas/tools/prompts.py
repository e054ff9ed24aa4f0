"""The tools that ask the model: points and the box."""

from PySide6.QtCore import Qt

from app.core.paint import Point
from app.gui.canvas.tools.choice import Gesture, gesture_for
from app.gui.canvas.tools.tool import CanvasTool, Pointer, PromptSurface, Target, Tool
from app.session.edits.clicks import Clicks
from app.session.state.view import ViewState
from models.api import Box, Click

_SHIFT = Qt.KeyboardModifier.ShiftModifier


class PointsTool(CanvasTool):
    """Adds positive and negative points; with Shift held it shows what a point would give."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(
        self, view: ViewState, clicks: Clicks, surface: PromptSurface, target: Target
    ) -> None:
        self._view, self._clicks = view, clicks
        self._surface, self._target = surface, target
        self._previews = False

    @property
    def busy(self) -> bool:
        """Whether a gesture is under way that Escape would drop."""
        return self._previews

    def press(self, pointer: Pointer) -> None:
        """Add a point, if it is on the frame."""
        gesture = gesture_for(Tool.POINTS, pointer.button, pointer.keys)
        if not on_frame(pointer.at, self._surface.size):
            return
        x, y = pointer.at
        click = Click(x, y, positive=gesture is Gesture.POSITIVE)
        # An object is not made to take something away from it.
        makes = click.positive or self._view.selected is not None
        if makes and self._target.editable() is None:
            return
        self._stop_preview()
        self._clicks.click(click)

    def move(self, pointer: Pointer) -> None:
        """Preview the point under the cursor while Shift is held."""
        if pointer.holds(_SHIFT) and on_frame(pointer.at, self._surface.size):
            self._previews = True
            negative = pointer.holds(Qt.KeyboardModifier.ControlModifier)
            x, y = pointer.at
            self._clicks.preview(Click(x, y, positive=not negative))
        else:
            self._stop_preview()

    def cancel(self) -> bool:
        """Take a preview away."""
        had = self._previews
        self._stop_preview()
        return had

    def take_back(self) -> bool:
        """Leave the preview: nothing has been drawn."""
        return False

    def leave_object(self) -> None:
        """Take a preview away: it is of the object before."""
        self._stop_preview()

    def leave_picture(self) -> None:
        """Take a preview away: there is no place under the cursor."""
        self._stop_preview()

    def _stop_preview(self) -> None:
        if self._previews:
            self._previews = False
            self._clicks.preview(None)


class BoxTool(CanvasTool):
    """Draws a box round the object."""

    cursor = Qt.CursorShape.CrossCursor

    def __init__(
        self, view: ViewState, clicks: Clicks, surface: PromptSurface, target: Target
    ) -> None:
        self._view, self._clicks = view, clicks
        self._surface, self._target = surface, target
        self._start: Point | None = None
        self._object = 0

    @property
    def busy(self) -> bool:
        """Whether a gesture is under way that Escape would drop."""
        return self._start is not None

    def press(self, pointer: Pointer) -> None:
        """Fix the first corner."""
        item = self._target.editable()
        if item is not None:
            self._start, self._object = pointer.at, item.id

    def move(self, pointer: Pointer) -> None:
        """Pull the box open."""
        if self._start is not None:
            box = box_between(self._start, pointer.at, self._surface.size)
            self._surface.show_draft(box=box)

    def release(self, pointer: Pointer) -> None:
        """Ask for the mask in the box, unless it was only a click."""
        start, self._start = self._start, None
        self._surface.show_draft()
        if start is None:
            return
        box = box_between(start, pointer.at, self._surface.size)
        if box is not None:
            self._clicks.set_box(box)

    def leave_object(self) -> None:
        """Drop the box of an object that is not the selected one any more."""
        if self._start is not None and self._view.selected != self._object:
            self.cancel()

    def cancel(self) -> bool:
        """Drop the box."""
        had, self._start = self._start is not None, None
        self._surface.show_draft()
        return had


def on_frame(at: Point, size: tuple[int, int]) -> bool:
    """Whether a point lies on a pixel of a frame of `size` (height, width)."""
    height, width = size
    return -0.5 <= at.x < width - 0.5 and -0.5 <= at.y < height - 0.5


def box_between(start: Point, end: Point, size: tuple[int, int]) -> Box | None:
    """Return the box of two corners, cut to the frame; None where it is under 2 pixels wide."""
    height, width = size
    x0, x1 = sorted(min(max(x + 0.5, 0.0), width) for x in (start.x, end.x))
    y0, y1 = sorted(min(max(y + 0.5, 0.0), height) for y in (start.y, end.y))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    return Box(x0, y0, x1, y1)
