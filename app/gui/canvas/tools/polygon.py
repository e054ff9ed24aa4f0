"""The polygon and lasso tool."""

import time

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QApplication

from app.core import paint
from app.core.paint import Point
from app.gui.canvas.tools.choice import subtracts
from app.gui.canvas.tools.tool import KEEP_S, CanvasTool, Pointer, Surface, Target
from app.session.edits.masks import MaskEdits
from app.session.files.autosave import Autosave
from app.session.state.masks import Masks
from app.session.state.status import Status, Topic
from app.session.state.view import ViewState
from models.api import BoolMask

_CLOSE = {Qt.Key.Key_Return, Qt.Key.Key_Enter}
_BACK = {Qt.Key.Key_Backspace}


class PolygonTool(CanvasTool):
    """Sets corners by clicks, or many by dragging; Enter or a click on the first one closes."""

    cursor = Qt.CursorShape.CrossCursor
    keys = frozenset({Qt.Key.Key_Escape, *_CLOSE, *_BACK})
    SPACING = 3.0  # pixels of the frame between the corners that dragging sets
    SNAP = 8.0  # how near to the first corner a click closes, in pixels of the screen

    def __init__(
        self,
        view: ViewState,
        masks: Masks,
        edit: MaskEdits,
        autosave: Autosave,
        surface: Surface,
        target: Target,
        status: Status,
    ) -> None:
        self.scale = 1.0  # pixels of the screen for one of the frame
        self._view, self._masks, self._edit, self._autosave = view, masks, edit, autosave
        self._surface, self._target, self._status = surface, target, status
        self._points: list[Point] = []
        self._drags = False
        self._frame = 0
        self._object = 0
        self._kept = 0.0  # when the polygon was last written

    @property
    def busy(self) -> bool:
        """Whether a gesture is under way that Escape would drop."""
        return bool(self._points)

    def press(self, pointer: Pointer) -> None:
        """Set a corner, or close on the first."""
        if not self._points and not self._begin():
            return
        if len(self._points) > 2 and self._near_first(pointer.at):
            self._close(takes_away=subtracts(pointer.keys))
            return
        self._points.append(pointer.at)
        self._drags = True
        self._keep()
        self._show(pointer.at)

    def move(self, pointer: Pointer) -> None:
        """Pull the last line along, or set corners while the button is held."""
        if not self._points:
            return
        if self._drags and distance(self._points[-1], pointer.at) >= self.SPACING:
            self._points.append(pointer.at)
            if time.monotonic() - self._kept > KEEP_S:
                self._keep()
        self._show(pointer.at)

    def release(self, _pointer: Pointer) -> None:
        """End dragging; the polygon stays open."""
        if self._drags:
            self._drags = False
            self._keep()

    def cancel(self) -> bool:
        """Drop the polygon."""
        had = bool(self._points)
        self._points = []
        self._drags = False
        if had:
            self._autosave.keep_draft(self._frame, self._object, None)
        self._surface.show_draft()
        return had

    def leave_frame(self) -> None:
        """Drop the polygon: its corners lie on the frame that they were set on."""
        self._drop()

    def leave_object(self) -> None:
        """Drop the polygon of an object that is not the selected one any more."""
        if self._points and self._view.selected != self._object:
            self._drop()

    def put_down(self) -> None:
        """Drop the polygon: what comes next is another tool, or another video."""
        self._drop()

    def key(self, key: Qt.Key, /) -> bool:
        """Close with Enter, take the last corner back with Backspace."""
        if not self._points:
            return False
        if key in _CLOSE:
            self._close(takes_away=subtracts(QApplication.keyboardModifiers()))
            return True
        return key in _BACK and self.take_back()

    def take_back(self) -> bool:
        """Drop the last corner."""
        if not self._points:
            return False
        self._points.pop()
        self._drags = False
        self._keep()
        self._surface.show_draft(self._points)
        return True

    def _drop(self) -> None:
        """Drop the polygon and say so: what was asked for is something else."""
        if self.cancel():
            text = QCoreApplication.translate(
                "PolygonTool", "The open polygon on frame {0} is dropped. Enter closes one first."
            )
            self._status.report("info", text.format(self._frame), Topic.ENDED)

    def _near_first(self, at: Point) -> bool:
        return distance(self._points[0], at) * self.scale <= self.SNAP

    def _begin(self) -> bool:
        """Settle what is drawn, and where; False where nothing may be."""
        item = self._target.editable()
        if item is None:
            return False
        self._frame, self._object = self._view.frame, item.id
        return True

    def _keep(self) -> None:
        """Write the mask that closing now would give to the project file."""
        self._autosave.keep_draft(self._frame, self._object, self._closed(self._object))
        self._kept = time.monotonic()

    def _show(self, at: Point) -> None:
        self._surface.show_draft([*self._points, at])

    def _close(self, *, takes_away: bool) -> None:
        item = self._target.editable()
        pixels = None if item is None else self._closed(item.id, takes_away=takes_away)
        self.cancel()
        if item is not None and pixels is not None:
            text = "Subtract polygon" if takes_away else "Polygon"
            self._edit.draw_mask(self._frame, item.id, pixels, text)

    def _closed(self, object_id: int, *, takes_away: bool = False) -> BoolMask | None:
        """Return an object's mask (H, W) with the polygon; None where it changes nothing."""
        if len(self._points) < 3:
            return None
        before = self._masks.pixels(self._frame, object_id)
        inside = paint.polygon(before.shape, self._points)
        if not takes_away:
            return before | inside
        return paint.subtract(before, inside) if before.any() else None


def distance(first: Point, second: Point) -> float:
    """Return how far apart two points are, in pixels of the frame."""
    return float(((first.x - second.x) ** 2 + (first.y - second.y) ** 2) ** 0.5)
