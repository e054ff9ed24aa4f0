"""What is done to the objects as such."""

from dataclasses import replace

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog

from app.core.document import ObjectInfo
from app.gui.canvas.canvas import Canvas
from app.gui.canvas.scene.overlay import OverlayMode
from app.gui.panels.objects import ObjectsPanel
from app.session.session import Session


class ObjectVerbs:
    """Add, name, delete, hide, lock, order and select objects."""

    def __init__(self, session: Session, canvas: Canvas, panel: ObjectsPanel) -> None:
        self._session = session
        self._canvas = canvas
        self._panel = panel
        self._mode_before_solo = OverlayMode.FILL_AND_CONTOUR

    def new(self) -> None:
        """Add an object and select it."""
        self._session.add_object()

    def rename(self) -> None:
        """Let the person type a name in the list."""
        self._panel.edit_name()

    def delete(self) -> None:
        """Delete the selected object and its masks."""
        if self._session.selected is not None:
            self._session.delete_object(self._session.selected)

    def hide(self) -> None:
        """Hide the selected object, or show it."""
        if chosen := self._selected():
            self._session.edit_object(replace(chosen, visible=not chosen.visible))

    def solo(self) -> None:
        """Show the selected object alone, or all as before."""
        if self._canvas.mode is OverlayMode.SOLO:
            self._canvas.set_mode(self._mode_before_solo)
        else:
            self._mode_before_solo = self._canvas.mode
            self._canvas.set_mode(OverlayMode.SOLO)

    def lock(self) -> None:
        """Lock the selected object, or unlock it."""
        if chosen := self._selected():
            self._session.edit_object(replace(chosen, locked=not chosen.locked))

    def select(self, object_id: int) -> None:
        """Select the object with this number, where there is one."""
        if any(info.id == object_id for info in self._session.objects):
            self._session.select(object_id)

    def step(self, rows: int) -> None:
        """Select the object so many rows below in the list."""
        objects = self._session.objects
        ids = [info.id for info in objects]
        selected = self._session.selected
        row = ids.index(selected) + rows if selected in ids else 0
        self._session.select(ids[max(0, min(row, len(ids) - 1))])

    def shift(self, rows: int) -> None:
        """Move the selected object so many rows down the list, which draws it higher."""
        chosen = self._selected()
        if chosen is None:
            return
        row = self._session.objects.index(chosen) + rows
        if 0 <= row < len(self._session.objects):
            self._session.move_object(chosen.id, row)

    def recolor(self) -> None:
        """Ask for the colour of the selected object."""
        chosen = self._selected()
        if chosen is None:
            return
        color = QColorDialog.getColor(QColor(*chosen.color), self._panel)
        if color.isValid():
            rgb = (color.red(), color.green(), color.blue())
            self._session.edit_object(replace(chosen, color=rgb))

    def _selected(self) -> ObjectInfo | None:
        selected = self._session.selected
        return next((info for info in self._session.objects if info.id == selected), None)
