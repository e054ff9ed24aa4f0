"""The target of a tool: the object that it edits, on the frame that is shown."""

from typing import Protocol

from PySide6.QtCore import QCoreApplication

from app.core.document import ObjectInfo
from app.session.comparison import Comparison
from app.session.edits.objects import ObjectEdits
from app.session.state.status import Status
from app.session.state.view import ViewState


class Shown(Protocol):
    """What shows a frame, which may not be the current one yet."""

    @property
    def frame(self) -> int:
        """The frame that is shown."""


class EditTarget:
    """Finds the object to edit. Satisfies `tools.tool.Target`."""

    def __init__(
        self,
        shown: Shown,
        view: ViewState,
        objects: ObjectEdits,
        compare: Comparison,
        status: Status,
    ) -> None:
        self._shown, self._view, self._objects = shown, view, objects
        self._compare, self._status = compare, status

    def editable(self) -> ObjectInfo | None:
        """Return the object to edit, made where none is selected; None after saying why not."""
        if self._shown.frame != self._view.frame:
            text = QCoreApplication.translate("Picture", "Frame {0} is still being read.")
            self._status.report("warning", text.format(self._view.frame))
            return None
        item = self._objects.to_edit()
        if item is not None and self._compare.shows_reference:
            # What is drawn goes into the masks as they are now.
            self._compare.show(self._compare.reference)
        return item
