"""The menu of a range of frames of one object."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from app.core.document import Key, ObjectInfo
from app.core.plan import Direction
from app.session.edits.masks import MaskEdits
from app.session.edits.objects import ObjectEdits
from app.session.jobs.runner import JobRunner
from app.session.state.view import ViewState


class RangeMenu(QMenu):
    """Offers range operations; each choice is one undo step."""

    def __init__(
        self,
        view: ViewState,
        objects: ObjectEdits,
        edit: MaskEdits,
        jobs: JobRunner,
        exchange: Callable[[ObjectInfo, range, QWidget], QMenu],
        item: ObjectInfo,
        frames: range,
        parent: QWidget | None = None,
    ) -> None:
        """Offer what can be done to `item` on `frames`; `exchange` makes the submenu for that."""
        super().__init__(parent)
        self._view, self._objects, self._edit, self._jobs = view, objects, edit, jobs
        self._item = item
        self._frames = frames
        self._add_title()
        self._add(self.tr("Propagate here again"), self._propagate, edits=True)
        self.addSeparator()
        for text, call in (
            (self.tr("Verify"), edit.verify),
            (self.tr("Let models overwrite again"), edit.unanchor),
            (self.tr("Mark as absent"), edit.mark_absent),
            (self.tr("Mark as occluded"), edit.mark_occluded),
            (self.tr("Delete masks"), edit.clear),
        ):
            self._add(text, self._on_keys(call), edits=True)
        others = exchange(item, frames, self)
        others.setEnabled(others.isEnabled() and not item.locked)
        self.addMenu(others)
        self.addSeparator()
        self._add(self.tr("Set in and out points here"), self._set_range)
        locks = self.tr("Unlock object") if item.locked else self.tr("Lock object")
        self._add(locks, self._toggle_lock)

    def _add_title(self) -> None:
        first, last = self._frames.start, self._frames.stop - 1
        where = self.tr("frame {0}").format(first)
        if last > first:
            where = self.tr("frames {0} to {1}").format(first, last)
        self.addSection(f"{self._item.name}, {where}")

    def _add(self, text: str, call: Callable[[], None], *, edits: bool = False) -> QAction:
        action = self.addAction(text)
        action.triggered.connect(call)
        if edits and self._item.locked:
            action.setEnabled(False)
        return action

    def _on_keys(self, call: Callable[[list[Key]], None]) -> Callable[[], None]:
        keys = [Key(frame, self._item.id) for frame in self._frames]
        return lambda: call(keys)

    def _propagate(self) -> None:
        self._jobs.propagate(
            Direction.BOTH,
            objects=[self._item.id],
            first=self._frames.start,
            last=self._frames.stop - 1,
            to_nearest_anchor=False,
        )

    def _set_range(self) -> None:
        self._view.set_range(self._frames.start, self._frames.stop - 1)

    def _toggle_lock(self) -> None:
        self._objects.edit(replace(self._item, locked=not self._item.locked))
