"""The propagation: masks carried from the current frame on, past anchors or up to them."""

from collections.abc import Collection, Iterable, Iterator

from app.core.document import Document, Key
from app.core.passes import Pass
from app.core.plan import (
    Direction,
    anchor_frames,
    followable,
    leaves_nothing,
    plan,
    rest_of,
)
from app.engine.jobs import Track
from app.session.jobs.job import Job, NothingToDo
from app.session.jobs.passes import TrackingJob
from app.session.state.context import SessionContext


class Propagation(TrackingJob):
    """Fills frames pass by pass; what is left of it when it is stopped can go on later."""

    verb = "Propagate"

    @classmethod
    def plan(
        cls,
        context: SessionContext,
        direction: Direction,
        *,
        objects: Iterable[int] | None = None,
        first: int | None = None,
        last: int | None = None,
        to_nearest_anchor: bool = True,
    ) -> "Propagation":
        """Return a propagation from the current frame on, by default of all unlocked objects.

        The frames are `first` to `last`, by default between the in and out points. Raises
        NothingToDo.
        """
        document, view = context.masks.document, context.view
        chosen = [info.id for info in document.objects] if objects is None else list(objects)
        start = view.frame
        if direction is Direction.BOTH:
            start = _nearest_start(document, chosen, start)
        passes = plan(
            document,
            chosen,
            first=view.first if first is None else first,
            last=view.last if last is None else last,
            direction=direction,
            from_frame=start,
            to_nearest_anchor=to_nearest_anchor,
        )
        if not passes:
            raise NothingToDo("warning", _why_nothing(context, chosen, direction))
        return cls(context, passes)

    def request(self, job_id: int) -> Track:
        """Return what is asked of the engine."""
        return Track(job_id, self.passes)

    def rest(self, document: Document, edited: Collection[Key] = ()) -> "Propagation | None":
        """Return the passes that are left, with the anchors as they are now."""
        left = [rest_of(each, head, document, edited) for each, head in self._heads()]
        passes = tuple(each for each in left if each)
        return Propagation(self._context, passes) if passes else None

    def after_edit(self, edited: Collection[Key]) -> "Job | None":
        """Go on; an edited object goes on from its edit."""
        return self.rest(self._context.masks.document, edited)

    def _heads(self) -> Iterator[tuple[Pass, int | None]]:
        """Yield each pass with the last frame that it finished."""
        left = self._steps
        for each in self.passes:
            visited = min(left, len(each.frames))
            yield each, each.frames[visited - 1] if visited else None
            left -= visited


def _nearest_start(document: Document, objects: Collection[int], frame: int) -> int:
    """Return `frame` where one of the objects has a mask on it, else the nearest anchor."""
    if any(number in document.on_frame(frame) for number in objects):
        return frame
    anchors = {found for number in objects for found in anchor_frames(document, number)}
    return min(anchors, key=lambda found: (abs(found - frame), found), default=frame)


def _why_nothing(context: SessionContext, chosen: list[int], direction: Direction) -> str:
    document, view = context.masks.document, context.view
    unlocked = list(followable(document, chosen))
    if chosen and not unlocked:
        return "All of these objects are locked. Unlock one to propagate it."
    if not any(anchor_frames(document, number) for number in unlocked):
        return "There is nothing to start from. Click or draw an object first."
    if leaves_nothing(direction, view.frame, view.first, view.last):
        return "The in and out points leave no frame in this direction. Move there, or drop them."
    return "All frames in this direction have anchors already."
