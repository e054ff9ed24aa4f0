"""The experiment: masks as they would be with other memories, which the document never gets."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from app.core.document import Document, Entry, Key, Origin
from app.core.mask import Mask
from app.core.passes import PackedAnchors
from app.core.plan import Direction, packed_anchors, plan_from_anchors
from app.engine.jobs import Track
from app.session.jobs.job import NothingToDo
from app.session.jobs.passes import TrackingJob
from app.session.jobs.progress import Meter
from app.session.state.context import SessionContext


@dataclass(frozen=True)
class Memory:
    """What the tracker is to remember: the anchors that it is given, and what it must leave out."""

    title: str
    anchors: PackedAnchors
    left_out: frozenset[int] = frozenset()


Then = Callable[[Memory, Document], None]  # what is done with all masks of an experiment


class Experiment(TrackingJob):
    """Propagates through the whole video with another memory, beside the document."""

    def __init__(self, context: SessionContext, memory: Memory, then: Then) -> None:
        """`then` is called with what was found once all of it was. Raises NothingToDo."""
        last = context.video.frame_count - 1
        passes = plan_from_anchors(memory.anchors, first=0, last=last, direction=Direction.BOTH)
        if not passes:
            raise NothingToDo("warning", "Without this frame there is nothing to start from.")
        super().__init__(context, passes)
        self._memory, self._then = memory, then
        self._found: dict[Key, Entry] = {
            Key(frame, number): Entry(mask, Origin.PROPAGATED, score=1.0)
            for frame, given in memory.anchors.items()
            for number, mask in given.items()
        }

    @property
    def title(self) -> str:
        """What the memory is called."""
        return self._memory.title

    @property
    def objects(self) -> frozenset[int]:
        """None: nothing that a person edits falls into it."""
        return frozenset()

    def request(self, job_id: int) -> Track:
        """Return what is asked of the engine."""
        return Track(job_id, self.passes, self._memory.left_out)

    def meter(self) -> Meter:
        """Return a meter of all frames of all passes."""
        frames = [frame for each in self.passes for frame in each.frames]
        return Meter(self.title, frames, tuple(sorted(super().objects)))

    def given(self, found: Mapping[Key, Entry]) -> dict[Key, Entry]:
        """Keep what was found beside the document, which gets nothing; at the end hand on all."""
        self._found.update(found)
        if self._steps == sum(len(each.frames) for each in self.passes):
            self._then(self._memory, Document(self._context.masks.objects, self._found))
        return {}

    def rest(self, _document: Document) -> "Experiment":
        """Return all of it: half an experiment says nothing."""
        return Experiment(self._context, self._memory, self._then)

    def after_edit(self, _edited: Collection[Key]) -> "Experiment":
        """Return all of it."""
        return self.rest(self._context.masks.document)

    def outcome(
        self, title: str, _before: Mapping[Key, Entry], _changed: Mapping[Key, Entry]
    ) -> str:
        """Return a sentence on where its masks are."""
        return f"{title}: kept as a run. The masks of the project stay as they are."


def without_frame(document: Document, frame: int) -> Memory:
    """Return the memory of all anchors but for `frame`, which is not remembered at all."""
    anchors = packed_anchors(document, [info.id for info in document.objects])
    given = {number: each for number, each in anchors.items() if number != frame}
    return Memory(f"without frame {frame}", given, frozenset({frame}))


def with_frame(document: Document, frame: int) -> Memory:
    """Return the memory of all anchors, and of the masks on `frame` as if they were some.

    Raises NothingToDo where there are none.
    """
    anchors = packed_anchors(document, [info.id for info in document.objects])
    masks: dict[int, Mask | None] = {
        number: entry.mask for number, entry in document.on_frame(frame).items()
    }
    if masks.keys() <= anchors.get(frame, {}).keys():
        text = "This frame is given already. Go to one whose masks a model made."
        raise NothingToDo("warning", text if masks else "There are no masks on this frame.")
    return Memory(f"with frame {frame}", {**anchors, frame: {**masks, **anchors.get(frame, {})}})
