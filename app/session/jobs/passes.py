"""The jobs that follow objects over frames: what a propagation and a heal have in common."""

from app.core.document import Key
from app.core.passes import Pass
from app.session.jobs.job import Job
from app.session.jobs.progress import Meter
from app.session.state.context import SessionContext


class TrackingJob(Job):
    """A job of passes, each over neighbouring frames."""

    _verb = ""
    _outward = False  # from where the person is

    def __init__(self, context: SessionContext, passes: tuple[Pass, ...]) -> None:
        super().__init__(context)
        self.passes = passes

    @property
    def title(self) -> str:
        """What the job is called: verb, objects, frames."""
        frames = [edge for each in self.passes for edge in (each.frames[0], each.frames[-1])]
        name = self._context.masks.name_of(next(iter(self.objects)))
        what = name if len(self.objects) == 1 else f"{len(self.objects)} objects"
        return f"{self._verb} {what}, frames {min(frames)}-{max(frames)}"

    @property
    def first(self) -> int:
        """The frame that is visited first."""
        return self.passes[0].frames[0]

    @property
    def objects(self) -> frozenset[int]:
        """The objects that are followed."""
        return frozenset(number for each in self.passes for number in each.objects)

    def meter(self) -> Meter:
        """Return a meter of all frames of all passes."""
        frames = [frame for each in self.passes for frame in each.frames]
        return Meter(self.title, frames, tuple(sorted(self.objects)), outward=self._outward)

    def covers(self, key: Key) -> bool:
        """Whether `key` lies in the objects and between the ends of a pass."""
        return any(
            key.object in each.spans
            and min(each.frames[0], each.frames[-1])
            <= key.frame
            <= max(each.frames[0], each.frames[-1])
            for each in self.passes
        )
