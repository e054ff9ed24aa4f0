"""The vote that makes masks consistent over frames."""

from collections.abc import Collection, Iterable, Mapping
from functools import partial

from app.batch.masks.consistency import Ballot
from app.core.document import Document, Entry, Key
from app.core.mask import Mask
from app.core.plan import Direction, anchor_frames, followable, packed_anchors, plan_from_anchors
from app.engine.jobs import MakeConsistent
from app.session.jobs.job import Job, NothingToDo
from app.session.jobs.progress import Meter
from app.session.state.context import SessionContext

_LEAD = 60  # frames before the range that a tracker may begin at, to come from an anchor


class Consistency(Job):
    """Lets the masks that stand and those of a tracker vote, window by window."""

    def __init__(self, context: SessionContext, ballot: Ballot) -> None:
        super().__init__(context)
        self._ballot = ballot
        self.asked = (ballot.frames, ballot.objects)

    @classmethod
    def plan(cls, context: SessionContext, objects: Iterable[int], frames: range) -> "Consistency":
        """Return a vote on unlocked objects over `frames`. Raises NothingToDo."""
        document = context.masks.document
        chosen = tuple(followable(document, objects))
        standing = {
            Key(frame, number): entry.mask
            for number in chosen
            for frame, entry in document.of_object(number).items()
            if frame in frames and entry.mask is not None
        }
        if not standing or len(frames) < 2:
            text = "Choose frames with masks of an unlocked object, two at least."
            raise NothingToDo("warning", text)
        given = _anchors(document, chosen, standing)
        first = _lead(document, chosen, frames.start)
        passes = plan_from_anchors(given, first=first, last=frames[-1], direction=Direction.BOTH)
        return cls(context, Ballot(frames, chosen, standing, passes))

    @property
    def title(self) -> str:
        """What the job is called: objects, frames."""
        name = self._context.masks.name_of(self._ballot.objects[0])
        count, frames = len(self._ballot.objects), self._ballot.frames
        what = name if count == 1 else f"{count} objects"
        return f"Make {what} consistent, frames {frames[0]}-{frames[-1]}"

    @property
    def first(self) -> int:
        """The frame that is visited first."""
        passes = self._ballot.passes
        return passes[0].frames[0] if passes else self._ballot.frames[0]

    @property
    def objects(self) -> frozenset[int]:
        """The objects that vote."""
        return frozenset(self._ballot.objects)

    def request(self, job_id: int) -> MakeConsistent:
        """Return what is asked of the engine."""
        return MakeConsistent(job_id, self._ballot)

    def meter(self) -> Meter:
        """Return a meter of the frames that are tracked, and of the windows."""
        frames = [frame for each in self._ballot.passes for frame in each.frames]
        windows = self._ballot.frames[:: self._ballot.rules.window]
        return Meter(self.title, [*frames, *windows], self._ballot.objects)

    def covers(self, key: Key) -> bool:
        """Whether the mask at `key` is among those that vote."""
        return key.object in self._ballot.objects and key.frame in self._ballot.frames

    def rest(self, _document: Document) -> "Job | None":
        """Return the whole vote anew, on the masks as they are: half a vote is none."""
        try:
            return self.after_edit(())
        except NothingToDo:
            return None

    def after_edit(self, _edited: Collection[Key]) -> "Job | None":
        """MakeConsistent anew; what was edited is an anchor now, and stays."""
        job = Consistency.plan(self._context, self._ballot.objects, self._ballot.frames)
        job.leave_out(self._left_out)
        return job

    def outcome(
        self, title: str, _before: Mapping[Key, Entry], changed: Mapping[Key, Entry]
    ) -> str:
        """Say how many masks the vote has changed."""
        if not changed:
            return f"{title}: nothing changed, the masks are consistent"
        return f"{title}: {len(changed):,} masks changed"


def _anchors(
    document: Document, objects: Iterable[int], standing: Mapping[Key, Mask]
) -> dict[int, dict[int, Mask | None]]:
    """Return the anchors of the objects; of one that has none, its surest mask in place of them."""
    chosen = tuple(objects)
    given, surety = packed_anchors(document, chosen), partial(_surety, document)
    for number in chosen:
        own = [key for key in standing if key.object == number]
        if own and not anchor_frames(document, number):
            best = max(own, key=surety)
            given.setdefault(best.frame, {})[number] = standing[best]
    return given


def _surety(document: Document, key: Key) -> tuple[float, int]:
    entry = document.get(key)
    return (entry.score or 0.0) if entry is not None else 0.0, -key.frame


def _lead(document: Document, objects: Iterable[int], first: int) -> int:
    """Return where to begin, so that every object comes from its last anchor before `first`."""
    before = [
        max((frame for frame in anchor_frames(document, number) if frame <= first), default=first)
        for number in objects
    ]
    return max(min(before), first - _LEAD, 0)
