"""The target of a tool: the object that it edits, on the frame that is shown."""

from PySide6.QtCore import QCoreApplication

from app.core.document import ObjectInfo
from app.gui.canvas.scene.picture import Picture
from app.session.comparison import Comparison
from app.session.edits.objects import ObjectEdits
from app.session.state.status import Status
from app.session.state.view import ViewState


class EditTarget:
    """Finds the object to edit. Satisfies `tools.tool.Target`."""

    def __init__(
        self,
        picture: Picture,
        view: ViewState,
        objects: ObjectEdits,
        compare: Comparison,
        status: Status,
    ) -> None:
        self._picture, self._view, self._objects = picture, view, objects
        self._compare, self._status = compare, status

    def editable(self) -> ObjectInfo | None:
        """Return the object to edit, made where none is selected; None after saying why not."""
        if self._picture.frame != self._view.frame:
            text = QCoreApplication.translate("Picture", "Frame {0} is still being read.")
            self._status.report("warning", text.format(self._view.frame))
            return None
        item = self._objects.to_edit()
        if item is not None and self._compare.shows_reference:
            # What is drawn goes into the masks as they are now.
            self._compare.show(self._compare.reference)
        return item
