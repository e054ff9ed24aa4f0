"""The verbs that make masks on many frames: propagate, refine."""

from collections.abc import Callable

from app.core.plan import Direction
from app.gui.panels.propagate_bar import PropagateBar
from app.session.edits.correction import Correction
from app.session.jobs.runner import JobRunner
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState


class PropagateVerbs:
    """Jobs over frames, as far and for the objects that the bar says."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        jobs: JobRunner,
        correction: Correction,
        bar: PropagateBar,
        limits: Callable[[], tuple[int | None, int | None]],
    ) -> None:
        """`limits` are the first and last frame to work on, None where nothing bounds them."""
        self._video, self._view, self._jobs = video, view, jobs
        self._correction, self._bar, self._limits = correction, bar, limits

    def refine(self) -> None:
        """Sharpen the propagated masks of the bar's objects, from in to out, as one undo step."""
        self._correction.refine_range(self._bar.objects())

    def propagate(self, direction: Direction) -> None:
        """Fill frames from here on, as far and for the objects that the bar says."""
        first, last = self._limits()
        self._jobs.propagate(
            direction,
            objects=self._bar.objects(),
            first=first,
            last=last,
            to_nearest_anchor=self._bar.to_nearest_anchor,
        )

    def whole(self) -> None:
        """Fill the whole video or subsequence (in to out where set), past the anchors."""
        first, last = self._limits()
        self._jobs.propagate(
            Direction.BOTH,
            objects=self._bar.objects(),
            first=self._view.first if first is None else first,
            last=self._view.last if last is None else last,
            to_nearest_anchor=False,
        )

    def one_frame(self, step: int) -> None:
        """Fill the next frame, or the one before, and go there."""
        here = self._view.frame
        there = here + step
        if not 0 <= there < self._video.frame_count:
            return
        direction = Direction.FORWARD if step > 0 else Direction.BACKWARD
        self._jobs.propagate(
            direction,
            objects=self._bar.objects(),
            first=min(here, there),
            last=max(here, there),
            at_once=True,
        )
        self._view.go_to(there)
