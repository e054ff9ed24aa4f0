"""The verbs of the objects: add, name, delete, hide, lock, order, select."""

from dataclasses import replace

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QColorDialog

from app.core.document import ObjectInfo
from app.gui.canvas.canvas import Canvas
from app.gui.canvas.scene.overlay import OverlayMode
from app.gui.panels.objects import ObjectsPanel
from app.session.edits.finding import Finding
from app.session.edits.objects import ObjectEdits
from app.session.state.masks import Masks
from app.session.state.view import ViewState


class ObjectVerbs:
    """Add, name, delete, hide, lock, order and select objects."""

    def __init__(
        self,
        objects: ObjectEdits,
        finding: Finding,
        masks: Masks,
        view: ViewState,
        canvas: Canvas,
        panel: ObjectsPanel,
    ) -> None:
        self._objects, self._finding = objects, finding
        self._masks, self._view = masks, view
        self._canvas = canvas
        self._panel = panel
        self._mode_before_solo = OverlayMode.FILL_AND_CONTOUR

    def new(self) -> None:
        """Add an object and select it."""
        self._objects.add()

    def find_hands(self) -> None:
        """Find the hands on this frame, and take them."""
        self._finding.take_hands()

    def rename(self) -> None:
        """Let the person type a name in the list."""
        self._panel.edit_name()

    def delete(self) -> None:
        """Delete the selected object and its masks."""
        if self._view.selected is not None:
            self._objects.delete(self._view.selected)

    def hide(self) -> None:
        """Hide the selected object, or show it."""
        if chosen := self._selected():
            self._objects.edit(replace(chosen, visible=not chosen.visible))

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
            self._objects.edit(replace(chosen, locked=not chosen.locked))

    def select(self, number: int) -> None:
        """Select the object with this number, or else the one in this place of the list."""
        ids = [info.id for info in self._masks.objects]
        if number in ids:
            self._view.select(number)
        elif number <= len(ids):
            self._view.select(ids[number - 1])

    def step(self, rows: int) -> None:
        """Select the object so many rows below in the list."""
        objects = self._masks.objects
        ids = [info.id for info in objects]
        selected = self._view.selected
        row = ids.index(selected) + rows if selected in ids else 0
        self._view.select(ids[max(0, min(row, len(ids) - 1))])

    def shift(self, rows: int) -> None:
        """Move the selected object so many rows down the list, which draws it higher."""
        chosen = self._selected()
        if chosen is None:
            return
        row = self._masks.objects.index(chosen) + rows
        if 0 <= row < len(self._masks.objects):
            self._objects.move(chosen.id, row)

    def recolor(self) -> None:
        """Ask for the colour of the selected object."""
        chosen = self._selected()
        if chosen is None:
            return
        color = QColorDialog.getColor(QColor(*chosen.color), self._panel)
        if color.isValid():
            rgb = (color.red(), color.green(), color.blue())
            self._objects.edit(replace(chosen, color=rgb))

    def _selected(self) -> ObjectInfo | None:
        selected = self._view.selected
        return next((info for info in self._masks.objects if info.id == selected), None)
