"""The tool as the canvas knows it, and the canvas as a tool knows it."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import Qt

from app.core.document import ObjectInfo
from app.core.mask import Area
from app.core.paint import Point
from models.api import BoolMask, Box

Buttons = Qt.MouseButton
Keys = Qt.KeyboardModifier
KEEP_S = 0.5  # so often what is being drawn is written to the project file


class Tool(enum.Enum):
    """The tools, by the name that a person reads."""

    SELECT = "Select"
    POINTS = "Points"
    BOX = "Box"
    BRUSH = "Brush"
    ERASER = "Eraser"
    POLYGON = "Polygon"


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where the mouse is, in pixels of the frame, and what is held down with it.

    `button` is the one whose press or release this is; none for a move with no button held.
    """

    at: Point
    button: Qt.MouseButton = Qt.MouseButton.NoButton
    keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier

    def holds(self, key: Qt.KeyboardModifier) -> bool:
        """Whether a modifier key is held down."""
        return bool(self.keys & key)


class PromptSurface(Protocol):
    """What a tool that asks the model shows while it is used."""

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frame."""

    def show_draft(self, points: Sequence[Point] = (), box: Box | None = None) -> None:
        """Show an open line or a box that is being drawn, or neither."""


class Surface(PromptSurface, Protocol):
    """What any tool shows while it is used."""

    def show_painting(self, object_id: int, pixels: BoolMask, area: Area) -> None:
        """Show one object as `pixels` (H, W), changed within `area`, until the painting ends."""

    def end_painting(self) -> None:
        """Show the objects as the session has them."""

    def object_at(self, at: Point) -> int | None:
        """Return the topmost object that is shown at a point."""


class Target(Protocol):
    """What a tool edits."""

    def editable(self) -> ObjectInfo | None:
        """Return the object to edit, made where none is selected; None after saying why not."""


class CanvasTool:
    """A tool that does nothing: what a tool does not care for, it leaves as here."""

    cursor = Qt.CursorShape.ArrowCursor
    has_size = False  # whether it paints with the brush's circle
    keys = frozenset({Qt.Key.Key_Escape})  # which it needs while it is busy

    @property
    def busy(self) -> bool:
        """Whether a gesture is under way that Escape would drop."""
        return False

    def press(self, pointer: Pointer) -> None:
        """Begin a gesture: the left or the right button went down."""

    def move(self, pointer: Pointer) -> None:
        """Go on with the gesture, or hover."""

    def release(self, pointer: Pointer) -> None:
        """End the gesture."""

    def cancel(self) -> bool:
        """Drop the gesture without a trace; return whether there was one."""
        return False

    def take_back(self) -> bool:
        """Drop the newest part of what is drawn; return whether there was any."""
        return self.cancel()

    def leave_frame(self) -> None:
        """The current frame is about to change: finish or drop what is drawn."""
        self.cancel()

    def leave_object(self) -> None:
        """Another object is selected, or none: drop what is drawn for the one before."""

    def leave_picture(self) -> None:
        """The mouse or the keys go elsewhere: take away what is shown for them alone."""

    def put_down(self) -> None:
        """Another tool is taken up, or another video opened: drop what is drawn."""
        self.cancel()

    def key(self, _key: Qt.Key, /) -> bool:
        """Use a key while a gesture is under way; return whether it was used."""
        return False
