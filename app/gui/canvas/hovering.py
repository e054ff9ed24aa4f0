"""What goes along with the mouse over the canvas, also where the picture moves beneath it."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, Qt

from app.gui.canvas.scene.layers import to_pixel, to_scene
from app.gui.canvas.scene.picture import Picture
from app.gui.canvas.tools.tool import Pointer
from app.gui.canvas.tools.toolbox import Toolbox
from app.session.state.video import CurrentVideo

_MODIFIERS = {Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt}


class Hovering:
    """Keeps the brush's circle and what a tool draws at the mouse, and tells the pixel under it."""

    def __init__(
        self,
        video: CurrentVideo,
        picture: Picture,
        tools: Toolbox,
        place_of: Callable[[QPointF], QPointF],
        told: Callable[[int, int], None],
    ) -> None:
        """`place_of` maps from view to scene; (-1, -1) is `told` where no pixel is under it."""
        self._video, self._picture, self._tools = video, picture, tools
        self._place_of, self._told = place_of, told
        # Where in the view the mouse is, and the keys held there; None outside.
        self._mouse: tuple[QPointF, Qt.KeyboardModifier] | None = None

    def move_to(self, place: QPointF, keys: Qt.KeyboardModifier) -> None:
        """Go along with the mouse to a place in the view."""
        self._mouse = place, keys
        self._show(self._pointer(place, keys))

    def follow(self, *, draws: bool) -> None:
        """Stay at the mouse where the picture has moved; with `draws` the tool goes along, too."""
        if self._mouse is not None and self._video.is_open:
            self._show(self._pointer(*self._mouse))
            if draws:
                self._move_tool()

    def hear(self, key: int, keys: Qt.KeyboardModifier) -> None:
        """Take notice of a key that was pressed or let go, and of those that are held now."""
        if key in _MODIFIERS and self._mouse is not None:
            self._mouse = self._mouse[0], keys
            self._move_tool()

    def leave(self) -> None:
        """Show nothing at the mouse: it has left the view."""
        self._mouse = None
        self._picture.brush.setVisible(False)
        self._tools.current.leave_picture()
        self._told(-1, -1)

    def _move_tool(self) -> None:
        """Let a tool that draws know what has changed while the mouse stood still."""
        if self._mouse is not None and self._tools.current.busy:
            self._tools.current.move(self._pointer(*self._mouse))

    def _show(self, pointer: Pointer) -> None:
        self._picture.brush.setPos(to_scene(pointer.at))
        self._picture.brush.setVisible(self._tools.current.has_size)
        x, y = round(pointer.at.x), round(pointer.at.y)
        height, width = self._video.size
        inside = 0 <= x < width and 0 <= y < height
        self._told(x if inside else -1, y if inside else -1)

    def _pointer(self, place: QPointF, keys: Qt.KeyboardModifier) -> Pointer:
        return Pointer(to_pixel(self._place_of(place)), keys=keys)
