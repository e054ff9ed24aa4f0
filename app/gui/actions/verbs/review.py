"""The verbs of review: from suspect to suspect."""

from PySide6.QtCore import QObject, Slot

from app.core.document import Key
from app.core.suspects import Suspect
from app.gui.canvas.canvas import Canvas
from app.gui.panels.review import ReviewPanel
from app.session.edits.masks import MaskEdits
from app.session.review import Review
from app.session.state.preferences import Preferences
from app.session.state.view import ViewState


class ReviewVerbs(QObject):
    """Next, right, off the list."""

    def __init__(
        self,
        review: Review,
        view: ViewState,
        edit: MaskEdits,
        preferences: Preferences,
        canvas: Canvas,
        panel: ReviewPanel,
    ) -> None:
        super().__init__(panel)
        self._review, self._view, self._edit, self._preferences = review, view, edit, preferences
        self._canvas = canvas
        self._panel = panel
        panel.asked.connect(self.show)

    def step(self, step: int) -> None:
        """Go to the next suspect, or the one before, and zoom to its object."""
        self._review.next(step)
        self._canvas.show_selected()

    @Slot(object)
    def show(self, suspect: Suspect) -> None:
        """Go to this suspect."""
        self._review.show(suspect)
        self._canvas.show_selected()

    @property
    def is_going_through(self) -> bool:
        """Whether the suspect gone to last is in view, and Enter is to lead to the next."""
        return self._preferences.settings.review_advance and self._review.is_at_suspect

    def go_on(self) -> None:
        """Leave the suspect that was corrected for the next, where there is one."""
        if self._review.leave():
            self._canvas.show_selected()

    def verify_and_next(self) -> None:
        """Make the mask here an anchor as it is, and go to the next suspect."""
        if self._view.selected is None:
            return
        self._edit.verify([Key(self._view.frame, self._view.selected)])
        if self._review.suspects:
            self.step(1)

    def dismiss(self) -> None:
        """Take the suspect that is chosen in the list off it."""
        if suspect := self._panel.chosen():
            self._review.dismiss(suspect)
