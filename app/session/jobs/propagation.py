"""The propagation: masks carried from the current frame on, past anchors or up to them."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

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

    _verb = "Propagate"
    _passed: frozenset[int] = frozenset()  # frames that it had finished before it was stopped last

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
        start: int | None = None,
    ) -> "Propagation":
        """Return a propagation from `start` on, of the `objects`.

        By default it starts at the current frame, with all unlocked objects. The frames are
        `first` to `last`, by default between the in and out points. Raises NothingToDo.
        """
        document, view = context.masks.document, context.view
        given = None if objects is None else tuple(objects)
        chosen = [info.id for info in document.objects] if given is None else list(given)
        start = view.frame if start is None else start
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
        job = cls(context, passes)
        job.asked = (direction, given, first, last, to_nearest_anchor, _ends(passes))
        return job

    def request(self, job_id: int) -> Track:
        """Return what is asked of the engine."""
        return Track(job_id, self.passes)

    def rest(self, document: Document, edited: Collection[Key] = ()) -> "Propagation | None":
        """Return the passes that are left, with the anchors as they are now."""
        again = [key for key in edited if key not in self._left_out]
        left = [rest_of(each, head, document, again) for each, head in self._heads()]
        passes = tuple(wanted for each in left if each and (wanted := self._wanted(each)))
        if not passes:
            return None
        job = Propagation(self._context, passes)
        job.asked, job._left_out = self.asked, self._left_out
        job._passed = self._passed | self._finished()
        return job

    def has_passed(self, frame: int) -> bool:
        """Whether `frame` is one that it has finished, before it was stopped."""
        return frame in self._passed or frame in self._finished()

    def after_edit(self, edited: Collection[Key]) -> "Job | None":
        """Go on; an edited object goes on from its edit."""
        return self.rest(self._context.masks.document, edited)

    def _finished(self) -> frozenset[int]:
        frames = [frame for each in self.passes for frame in each.frames]
        return frozenset(frames[: self._steps])

    def _wanted(self, pass_: Pass) -> Pass | None:
        """Return a pass of those objects of which not every frame is left out; None = of none."""
        spans = {
            number: span
            for number, span in pass_.spans.items()
            if any(Key(frame, number) not in self._left_out for frame in span)
        }
        return replace(pass_, spans=spans) if spans else None

    def _heads(self) -> Iterator[tuple[Pass, int | None]]:
        """Yield each pass with the last frame that it finished."""
        left = self._steps
        for each in self.passes:
            visited = min(left, len(each.frames))
            yield each, each.frames[visited - 1] if visited else None
            left -= visited


def _ends(passes: Iterable[Pass]) -> frozenset[tuple[int, int, int]]:
    """Return where each object's passes end, in which direction.

    From a frame behind an anchor of one object the same words ask for more of it.
    """
    return frozenset(
        (number, each.step, span[-1] if each.step > 0 else span[0])
        for each in passes
        for number, span in each.spans.items()
    )


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
