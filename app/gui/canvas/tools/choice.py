"""The choice of the gesture that a press starts, and of the object under the cursor: no state."""

import enum
import math
from collections.abc import Iterable, Mapping

from PySide6.QtCore import Qt

from app.core.document import Entry, ObjectInfo
from app.core.mask import Mask
from app.core.paint import Point
from app.gui.canvas.tools.tool import Tool

_CTRL = Qt.KeyboardModifier.ControlModifier
_SHIFT = Qt.KeyboardModifier.ShiftModifier
_ALT = Qt.KeyboardModifier.AltModifier
_LEFT = Qt.MouseButton.LeftButton
_RIGHT = Qt.MouseButton.RightButton


class Gesture(enum.Enum):
    """What a press of a mouse button starts."""

    NOTHING = enum.auto()
    PAN = enum.auto()
    MENU = enum.auto()
    SELECT = enum.auto()
    POSITIVE = enum.auto()
    NEGATIVE = enum.auto()
    BOX = enum.auto()
    PAINT = enum.auto()
    PAINT_LINE = enum.auto()
    ERASE = enum.auto()
    ERASE_LINE = enum.auto()
    CORNER = enum.auto()


_PLAIN = {
    Tool.SELECT: Gesture.SELECT,
    Tool.POINTS: Gesture.POSITIVE,
    Tool.BOX: Gesture.BOX,
    Tool.POLYGON: Gesture.CORNER,
}


def gesture_for(tool: Tool, button: Qt.MouseButton, keys: Qt.KeyboardModifier) -> Gesture:
    """Return what a press starts, by tool, button and the modifier keys held."""
    if button is Qt.MouseButton.MiddleButton:
        return Gesture.PAN
    if button is _RIGHT:
        return Gesture.NEGATIVE if tool is Tool.POINTS else Gesture.MENU
    if button is not _LEFT:
        return Gesture.NOTHING
    if tool in {Tool.BRUSH, Tool.ERASER}:
        erases = tool is Tool.ERASER or bool(keys & _CTRL)
        if keys & _SHIFT:
            return Gesture.ERASE_LINE if erases else Gesture.PAINT_LINE
        return Gesture.ERASE if erases else Gesture.PAINT
    if tool is Tool.POINTS and keys & _CTRL:
        return Gesture.NEGATIVE
    return _PLAIN[tool]


def subtracts(keys: Qt.KeyboardModifier) -> bool:
    """Whether a polygon that is closed now takes away instead of adding."""
    return bool(keys & _ALT)


def object_at(objects: Iterable[ObjectInfo], entries: Mapping[int, Entry], at: Point) -> int | None:
    """Return the topmost of `objects` (in drawing order) whose mask holds a point."""
    found = None
    for item in objects:
        entry = entries.get(item.id)
        if entry is not None and entry.mask is not None and _holds(entry.mask, at):
            found = item.id
    return found


def _holds(mask: Mask, at: Point) -> bool:
    x, y = math.floor(at.x + 0.5), math.floor(at.y + 0.5)
    y0, y1, x0, x1 = mask.box
    if not (y0 <= y < y1 and x0 <= x < x1):
        return False
    return bool(mask.inside((y, y + 1, x, x + 1))[0, 0])
