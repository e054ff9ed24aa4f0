"""The verbs of the correction of one mask, and of what is under way: undo, Escape."""

from app.gui.actions.verbs.review import ReviewVerbs
from app.gui.actions.verbs.spans.jobs import JobVerbs
from app.gui.canvas.canvas import Canvas
from app.session.edits.clicks import Clicks
from app.session.edits.correction import Correction
from app.session.edits.finding import Finding
from app.session.edits.history import History


class CorrectVerbs:
    """Verify and heal, sharpen, take back, stop."""

    def __init__(
        self,
        correction: Correction,
        clicks: Clicks,
        finding: Finding,
        history: History,
        jobs: JobVerbs,
        canvas: Canvas,
        review: ReviewVerbs,
    ) -> None:
        self._correction, self._clicks, self._finding = correction, clicks, finding
        self._history, self._jobs = history, jobs
        self._canvas, self._review = canvas, review

    def undo(self) -> None:
        """Take back the last corner or the stroke that is being drawn, else what was done last."""
        if not self._canvas.take_back():
            self._history.undo()

    def redo(self) -> None:
        """Do again what was taken back."""
        self._history.redo()

    def next_candidate(self) -> None:
        """Show the next mask that the last click could mean."""
        self._clicks.next_candidate()

    def verify_and_heal(self) -> None:
        """Take over the ghosts that are seen; otherwise verify the mask, heal and go on."""
        if self._correction.has_refinement:
            self._correction.accept_refinement()
        elif not self._finding.take_here():
            # Asked before: the view may follow the heal away from here.
            reviewing = self._review.is_going_through
            self._correction.verify_and_heal()
            if reviewing:
                self._review.go_on()

    def escape(self) -> None:
        """Drop a ghost, a click without its answer, or what was found; else stop the job.

        What the job has done is kept. A gesture that is under way has the key first, on the canvas
        itself.
        """
        if self._correction.has_refinement:
            self._correction.reject_refinement()
        elif self._clicks.asked:
            self._clicks.take_back()
        elif self._finding.progress is not None:
            self._finding.stop()
        elif self._finding.proposals:
            self._finding.discard()
        else:
            self._jobs.escape()

    def refine(self) -> None:
        """Sharpen the mask here, as a ghost."""
        self._correction.refine()
