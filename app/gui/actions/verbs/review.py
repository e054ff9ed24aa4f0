"""Going through the suspects."""

from PySide6.QtCore import QObject, Slot

from app.core.document import Key
from app.core.suspects import Suspect
from app.gui.canvas.canvas import Canvas
from app.gui.panels.review import ReviewPanel
from app.session.session import Session


class ReviewVerbs(QObject):
    """Next, right, off the list."""

    def __init__(self, session: Session, canvas: Canvas, panel: ReviewPanel) -> None:
        super().__init__(panel)
        self._session = session
        self._canvas = canvas
        self._panel = panel
        panel.asked.connect(self.show)

    def step(self, step: int) -> None:
        """Go to the next suspect, or the one before, and zoom to its object."""
        self._session.next_suspect(step)
        self._zoom_to_selected()

    @Slot(object)
    def show(self, suspect: Suspect) -> None:
        """Go to this suspect."""
        self._session.show_suspect(suspect)
        self._zoom_to_selected()

    @property
    def is_going_through(self) -> bool:
        """Whether the suspect gone to last is in view, and Enter is to lead to the next."""
        return self._session.settings.review_advance and self._session.is_at_suspect

    def go_on(self) -> None:
        """Leave the suspect that was corrected for the next, where there is one."""
        if self._session.leave_suspect():
            self._zoom_to_selected()

    def verify_and_next(self) -> None:
        """Make the mask here an anchor as it is, and go to the next suspect."""
        if self._session.selected is None:
            return
        self._session.verify([Key(self._session.frame, self._session.selected)])
        if self._session.suspects:
            self.step(1)

    def dismiss(self) -> None:
        """Take the suspect that is chosen in the list off it."""
        if suspect := self._panel.chosen():
            self._session.dismiss_suspect(suspect)

    def _zoom_to_selected(self) -> None:
        selected = self._session.selected
        entry = None if selected is None else self._session.shown(self._session.frame).get(selected)
        if entry is not None and entry.mask is not None:
            self._canvas.show_area(entry.mask.box)
