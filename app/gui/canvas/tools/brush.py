"""The brush and the eraser."""

import time

import numpy as np
from PySide6.QtCore import Qt

from app.core.paint import Point, Stroke
from app.gui.canvas.tools.choice import Gesture, gesture_for
from app.gui.canvas.tools.prompts import on_frame
from app.gui.canvas.tools.tool import KEEP_S, CanvasTool, Pointer, Surface, Target, Tool
from app.session.edits.masks import MaskEdits
from app.session.files.autosave import Autosave
from app.session.state.masks import Masks
from app.session.state.view import ViewState
from models.api import BoolMask

_ERASING = {Gesture.ERASE, Gesture.ERASE_LINE}
_STRAIGHT = {Gesture.PAINT_LINE, Gesture.ERASE_LINE}
SMALLEST, LARGEST = 1.0, 800.0


class BrushTool(CanvasTool):
    """Paints the selected object, or erases from it. One stroke is one undo step."""

    cursor = Qt.CursorShape.BlankCursor
    has_size = True

    def __init__(
        self,
        view: ViewState,
        masks: Masks,
        edit: MaskEdits,
        autosave: Autosave,
        surface: Surface,
        target: Target,
        tool: Tool,
    ) -> None:
        self.diameter = 24.0
        self._view, self._masks, self._edit, self._autosave = view, masks, edit, autosave
        self._surface, self._target = surface, target
        self._tool = tool
        self._stroke: Stroke | None = None
        self._erases = False
        self._before: BoolMask = np.zeros((0, 0), np.bool_)  # the mask that the stroke began on
        self._frame = 0
        self._object = 0
        # Where the last stroke ended, and on which frame: Shift-click draws a line from there.
        self._ended: tuple[int, Point] | None = None
        self._kept = 0.0  # when the stroke was last written

    @property
    def busy(self) -> bool:
        """Whether a gesture is under way that Escape would drop."""
        return self._stroke is not None

    def press(self, pointer: Pointer) -> None:
        """Begin a stroke on a copy of the mask; one that another button holds ends with it."""
        self._commit()  # what is kept of it in the file would else hide all that comes later
        if self._view.selected is None and not on_frame(pointer.at, self._surface.size):
            return  # an object made for this would stay empty
        item = self._target.editable()
        if item is None:
            return
        gesture = gesture_for(self._tool, pointer.button, pointer.keys)
        self._erases = gesture in _ERASING
        self._frame, self._object = self._view.frame, item.id
        self._before = self._masks.pixels(self._frame, self._object)
        self._stroke = Stroke(self._before, diameter=self.diameter, erases=self._erases)
        self._kept = time.monotonic()
        if gesture in _STRAIGHT and self._ended is not None and self._ended[0] == self._frame:
            self._draw(self._ended[1])
        self._draw(pointer.at)

    def move(self, pointer: Pointer) -> None:
        """Draw on."""
        if self._stroke is not None:
            self._draw(pointer.at)

    def release(self, pointer: Pointer) -> None:
        """Hand the stroke over as one edit."""
        if self._stroke is not None:
            self._ended = (self._frame, pointer.at)
            self._commit()

    def cancel(self) -> bool:
        """Drop the stroke."""
        if self._stroke is None:
            return False
        self._stroke = None
        self._autosave.keep_draft(self._frame, self._object, None)
        self._surface.end_painting()
        return True

    def leave_frame(self) -> None:
        """Keep the stroke: it belongs to the frame that it was drawn on."""
        if self._stroke is not None:
            self._commit()

    def _draw(self, at: Point) -> None:
        if self._stroke is not None:
            area = self._stroke.line_to(at)
            self._surface.show_painting(self._object, self._stroke.pixels, area)
            if time.monotonic() - self._kept > KEEP_S:
                self._autosave.keep_draft(self._frame, self._object, self._stroke.pixels)
                self._kept = time.monotonic()

    def _commit(self) -> None:
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            # A stroke beside the picture, or over what is there already, says nothing of the mask.
            if not np.array_equal(stroke.pixels, self._before):
                text = "Erase" if self._erases else "Paint"
                self._edit.draw_mask(self._frame, self._object, stroke.pixels, text)
            self._autosave.keep_draft(self._frame, self._object, None)
            self._surface.end_painting()
