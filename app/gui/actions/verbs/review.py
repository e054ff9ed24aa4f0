"""The verbs of review: from suspect to suspect."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Slot

from app.core.document import Key
from app.core.suspects import Suspect
from app.gui.actions.verbs.files.exchange import Tell
from app.gui.canvas.canvas import Canvas
from app.gui.panels.review import ReviewPanel
from app.gui.widgets.messages import Level
from app.session.edits.masks import MaskEdits
from app.session.review import Review
from app.session.state.masks import Masks
from app.session.state.view import ViewState


class ReviewVerbs(QObject):
    """Next, right, off the list."""

    def __init__(
        self,
        review: Review,
        view: ViewState,
        masks: Masks,
        edit: MaskEdits,
        canvas: Canvas,
        panel: ReviewPanel,
        tell: Tell,
        *,
        advances: Callable[[], bool],
    ) -> None:
        """`advances` tells whether the person has chosen to be led on by Enter."""
        super().__init__(panel)
        self._review, self._view, self._masks, self._edit = review, view, masks, edit
        self._advances = advances
        self._canvas = canvas
        self._panel, self._tell = panel, tell
        panel.asked.connect(self.show)

    def step(self, step: int) -> None:
        """Go to the next suspect, or the one before, and zoom to its object."""
        self._review.next(step)
        self._zoom_to_selected()

    @Slot(object)
    def show(self, suspect: Suspect) -> None:
        """Go to this suspect."""
        self._review.show(suspect)
        self._zoom_to_selected()

    @property
    def is_going_through(self) -> bool:
        """Whether the suspect gone to last is in view, and Enter is to lead to the next."""
        return self._advances() and self._review.is_at_suspect

    def go_on(self) -> None:
        """Leave the suspect that was corrected for the next, where there is one."""
        here = Key(self._view.frame, self._view.selected or 0)
        if (entry := self._masks.entry(here)) is not None and entry.is_as_found:
            self._review.pass_current()
        if self._review.leave():
            self._zoom_to_selected()

    def verify_and_next(self) -> None:
        """Make the mask here an anchor as it is, and go to the next suspect.

        The one that it is in is off the list: where its worst mask is right, the others are.
        """
        if self._view.selected is None:
            return
        self._edit.verify([Key(self._view.frame, self._view.selected)])
        self._review.pass_current()
        if self._review.suspects:
            self.step(1)

    def exchange(self) -> None:
        """Give two objects that were taken for each other back their masks, from there on.

        Where they have changed places again further on, it is up to there.
        """
        swap = self._review.swap_at(self._view.frame, self._view.selected)
        if swap is None or swap.other is None:
            text = self.tr("No swap is known here. Range, Exchange does it for any two objects.")
            self._tell(Level.INFO, text)
            return
        frames = self._review.swapped(swap)
        self._view.go_to(swap.first)
        self._edit.exchange(swap.object, swap.other, frames)

    def dismiss(self) -> None:
        """Take the suspect that is chosen in the list off it."""
        if suspect := self._panel.chosen():
            self._review.dismiss(suspect)

    def _zoom_to_selected(self) -> None:
        """Show the selected object's surroundings; where it has no mask, those of the nearest."""
        if (selected := self._view.selected) is None:
            return
        at, entries = self._view.frame, self._masks.of_object(selected)
        boxes = {frame: entry.mask.box for frame, entry in entries.items() if entry.mask}
        if boxes:
            nearest = min(boxes, key=lambda frame: (abs(frame - at), frame > at))
            self._canvas.show_area(boxes[nearest])
