"""The clipboard: a mask taken to another frame or object."""

from PySide6.QtCore import QObject, Signal, Slot

from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.session.edits.masks import MaskEdits
from app.session.edits.objects import ObjectEdits
from app.session.state.context import SessionContext
from app.session.state.interactions import interaction


class Clipboard(QObject):
    """Holds one mask; forgets it with the video."""

    changed = Signal()  # the mask that can be pasted

    def __init__(
        self, context: SessionContext, objects: ObjectEdits, edit: MaskEdits, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._interactions = context.interactions
        self._masks, self._view, self._status = context.masks, context.view, context.status
        self._objects, self._edit = objects, edit
        self._mask: Mask | None = None
        context.video.opened.connect(self._forget)

    @property
    def has_mask(self) -> bool:
        """Whether a mask has been copied that can be pasted."""
        return self._mask is not None

    @interaction("clipboard")
    def copy(self) -> None:
        """Remember the selected object's mask on the current frame."""
        entry = self._masks.entry(Key(self._view.frame, self._view.selected or 0))
        if entry is None or entry.mask is None:
            self._status.report("warning", "There is no mask to copy on this frame.")
            return
        self._mask = entry.mask
        self._status.report("info", "Copied. Paste it on another frame or to another object.")
        self.changed.emit()

    @interaction("clipboard", clicks=1)
    def paste(self) -> None:
        """Give the copied mask to the selected object, or a new one, on the current frame."""
        if self._mask is None:
            self._status.report("warning", "Copy a mask first.")
            return
        number = self._edit.editable() if self._view.selected else self._objects.add()
        if number is not None:
            text = f"Paste {self._masks.name_of(number)}, frame {self._view.frame}"
            entry = Entry(self._mask, Origin.DRAWN)
            self._edit.put(Key(self._view.frame, number), entry, text)

    @Slot()
    def _forget(self) -> None:
        if self._mask is not None:
            self._mask = None
            self.changed.emit()
