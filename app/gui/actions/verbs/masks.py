"""What is done to the masks of the selected object."""

from app.core.document import Key, State, why_not_editable
from app.core.plan import Direction
from app.gui.actions.verbs.review import ReviewVerbs
from app.gui.canvas.canvas import Canvas
from app.gui.panels.propagate_bar import PropagateBar
from app.session.session import Session
from app.session.signals import Report, SessionState


class MaskVerbs:
    """Edits and jobs on the selected object, here or from the in to the out point."""

    def __init__(
        self, session: Session, canvas: Canvas, bar: PropagateBar, review: ReviewVerbs
    ) -> None:
        self._session = session
        self._canvas = canvas
        self._bar = bar
        self._review = review

    def undo(self) -> None:
        """Take back the last corner or the stroke that is being drawn, else what was done last."""
        if not self._canvas.take_back():
            self._session.undo()

    def verify_and_heal(self) -> None:
        """Take over the ghost of a refinement; otherwise verify the mask, heal and go on."""
        if self._session.has_refinement:
            self._session.accept_refinement()
        else:
            # Asked before: the view may follow the heal away from here.
            reviewing = self._review.is_going_through
            self._session.verify_and_heal()
            if reviewing:
                self._review.go_on()

    def escape(self) -> None:
        """Drop the ghost of a refinement, or a click without its answer; else stop the job.

        What the job has done is kept. A gesture that is under way has the key first, on the canvas
        itself.
        """
        if self._session.has_refinement:
            self._session.reject_refinement()
        elif self._session.is_asking:
            self._session.take_back_click()
        elif self._session.activity is not SessionState.IDLE:
            self._session.cancel()

    def verify(self) -> None:
        """Make the mask here an anchor."""
        self._session.verify(self._here())

    def unanchor(self) -> None:
        """Let models overwrite the mask here."""
        self._session.unanchor(self._here())

    def absent(self) -> None:
        """Say that the object is not in the picture here, or take that back."""
        here = self._here()
        if any(self._session.state(key) is State.ABSENT for key in here):
            self._session.show_again(here)
        else:
            self._session.mark_absent(here)

    def absent_range(self) -> None:
        """Say that the object is not in the picture from in to out."""
        self._session.mark_absent(self._range())

    def occluded(self) -> None:
        """Say that the object is behind something here, or take that back."""
        here = self._here()
        if any(self._session.state(key) is State.OCCLUDED for key in here):
            self._session.show_again(here)
        else:
            self._session.mark_occluded(here)

    def clear(self) -> None:
        """Remove the mask here."""
        self._session.clear(self._here())

    def clear_range(self) -> None:
        """Remove the masks from in to out."""
        self._session.clear(self._range(with_mask=True))

    def paste(self) -> None:
        """Give the copied mask to the object here."""
        if self._session.selected is None or self._editable() is not None:
            self._session.paste_mask()

    def refine(self) -> None:
        """Sharpen the mask here, as a ghost."""
        self._session.refine()

    def refine_batch(self) -> None:
        """Sharpen the propagated masks of the bar's objects, from in to out, as one undo step."""
        first, last = self._ends()
        everything = (known.id for known in self._session.objects)
        self._session.refine(range(first, last + 1), self._bar.objects() or everything)

    def propagate(self, direction: Direction) -> None:
        """Fill frames from here on, as far and for the objects that the bar says."""
        self._session.propagate(
            direction,
            objects=self._bar.objects(),
            first=self._session.in_point,
            last=self._session.out_point,
            to_nearest_anchor=self._bar.to_nearest_anchor,
        )

    def propagate_whole(self) -> None:
        """Fill the whole video (in to out where set), past the anchors."""
        first, last = self._ends()
        self._session.propagate(
            Direction.BOTH,
            objects=self._bar.objects(),
            first=first,
            last=last,
            to_nearest_anchor=False,
        )

    def propagate_one(self, step: int) -> None:
        """Fill the next frame, or the one before, and go there."""
        here = self._session.frame
        there = here + step
        if not 0 <= there < self._session.frame_count:
            return
        direction = Direction.FORWARD if step > 0 else Direction.BACKWARD
        self._session.propagate(
            direction,
            objects=self._bar.objects(),
            first=min(here, there),
            last=max(here, there),
        )
        self._session.go_to(there)

    def _here(self) -> list[Key]:
        chosen = self._editable()
        return [] if chosen is None else [Key(self._session.frame, chosen)]

    def _range(self, *, with_mask: bool = False) -> list[Key]:
        first, last = self._ends()
        chosen = self._editable()
        if chosen is None:
            return []
        keys = (Key(frame, chosen) for frame in range(first, last + 1))
        document = self._session.document
        return [key for key in keys if not with_mask or document.get(key) is not None]

    def _editable(self) -> int | None:
        """Return the selected object; None, after saying why, where the brush is refused, too."""
        selected = self._session.selected
        chosen = next((info for info in self._session.objects if info.id == selected), None)
        obstacle = why_not_editable(chosen) if chosen else None
        if obstacle is None:
            return selected
        self._session.reported.emit(Report("warning", obstacle))
        return None

    def _ends(self) -> tuple[int, int]:
        first, last = self._session.in_point, self._session.out_point
        return first or 0, self._session.frame_count - 1 if last is None else last
