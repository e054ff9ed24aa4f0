"""The densification: what lies between annotated frames, filled from both sides, run by run."""

import itertools
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping

from app.core.block import stretches
from app.core.densify import Kept, Run, passes, runs, tally, unfilled
from app.core.document import Document, Entry, Key
from app.engine.jobs import Densify
from app.session.jobs.job import Job, NothingToDo
from app.session.jobs.progress import Meter
from app.session.state.context import SessionContext
from app.session.state.status import Topic

_NAMED = 3  # stretches in doubt that a sentence names


class Densification(Job):
    """Fills runs between annotated frames; each is kept as soon as it is done, or not at all."""

    topic = Topic.RUNS

    def __init__(
        self,
        context: SessionContext,
        annotated: Collection[int],
        left: Iterable[Run],
        done: tuple[Run, ...] = (),
    ) -> None:
        """`done` are the runs that were filled before the job was interrupted."""
        super().__init__(context)
        document = context.masks.document
        self._annotated = annotated
        self.asked = ("densify", tuple(annotated))
        self._runs = tuple(passes(document, run) for run in left)
        self._ends = list(itertools.accumulate(each.steps for each in self._runs))
        self._done = done

    @classmethod
    def plan(cls, context: SessionContext, annotated: Collection[int]) -> "Densification":
        """Return a job for all runs between the in and out points that are not filled.

        The runs lie between the frames `annotated`. Raises NothingToDo.
        """
        view, document = context.view, context.masks.document
        found = [
            run
            for run in runs(document, annotated)
            if run.frames[0] <= view.last and run.frames[-1] >= view.first
        ]
        left = [each for run in found if (each := unfilled(document, run))]
        if not left:
            raise NothingToDo("info" if found else "warning", _why_nothing(context, found))
        return cls(context, annotated, left)

    @property
    def title(self) -> str:
        """What the job is called: objects, frames."""
        masks, runs = self._context.masks, [each.run for each in self._runs]
        name = masks.name_of(next(iter(self.objects)))
        what = name if len(self.objects) == 1 else f"{len(self.objects)} objects"
        return f"Densify {what}, frames {runs[0].start}-{runs[-1].end}"

    @property
    def first(self) -> int:
        """The frame that is visited first."""
        return self._runs[0].run.start

    @property
    def objects(self) -> frozenset[int]:
        """The objects that are filled."""
        return frozenset(number for each in self._runs for number in each.run.objects)

    def request(self, job_id: int) -> Densify:
        """Return what is asked of the engine."""
        return Densify(job_id, self._runs, self._context.preferences.settings.densify_gate)

    def meter(self) -> Meter:
        """Return a meter of all frames of all passes."""
        both = [pass_ for each in self._runs for pass_ in (each.forward, each.backward)]
        frames = [frame for each in both for frame in each.frames]
        return Meter(self.title, frames, tuple(sorted(self.objects)))

    def covers(self, key: Key) -> bool:
        """Whether an edit at `key` changes what the job builds on, or what it will fill."""
        return any(run.start <= key.frame <= run.end for run in self._left) or any(
            key.frame in (each.run.start, each.run.end) for each in self._runs
        )

    def count_step(self) -> bool:
        """Take note of a step; return whether a run has just been done: half of one is not kept."""
        super().count_step()
        return self._steps in self._ends

    def rest(self, _document: Document) -> "Densification | None":
        """Return a job for the runs that are left, with the masks as they are now."""
        return self.after_edit(())

    def after_edit(self, edited: Collection[Key]) -> "Densification | None":
        """Go on with the runs that are left, and once more with those whose ends were edited."""
        frames = {key.frame for key in edited}
        again = [run for run in self._filled if not frames.isdisjoint((run.start, run.end))]
        wanted = {run.start for run in (*again, *self._left)}
        document = self._context.masks.document
        left = [
            each
            for run in runs(document, self._annotated)
            if run.start in wanted and (each := unfilled(document, run))
        ]
        if not left:
            return None
        done = tuple(run for run in self._filled if run not in again)
        job = Densification(self._context, self._annotated, left, self._done + done)
        job._left_out = self._left_out
        return job

    def outcome(
        self, title: str, _before: Mapping[Key, Entry], _changed: Mapping[Key, Entry]
    ) -> str:
        """Say how many masks the gate let through, and name the stretches that are in doubt."""
        whole = sorted((*self._done, *self._filled), key=lambda run: run.start)
        kept = list(tally(self._context.masks.document, whole))
        made = sum(len(each.agreements) for each in kept)
        accepted = sum(each.accepted for each in kept)
        doubted = [self._stretch(each, *ends) for each in kept for ends in stretches(each.gated)]
        said = f"{title}: {accepted:,} of {made:,} masks accepted"
        if not doubted:
            return said
        more = f" and {len(doubted) - _NAMED} more" if len(doubted) > _NAMED else ""
        return f"{said}. In doubt: {'; '.join(doubted[:_NAMED])}{more}"

    def _stretch(self, kept: Kept, first: int, last: int) -> str:
        name = self._context.masks.name_of(kept.object)
        return f"{name} {first}-{last}" if first < last else f"{name} {first}"

    @property
    def _filled(self) -> tuple[Run, ...]:
        """The runs that are done."""
        return tuple(each.run for each in self._runs[: bisect_right(self._ends, self._steps)])

    @property
    def _left(self) -> tuple[Run, ...]:
        """The run that is being filled, and those after it."""
        return tuple(each.run for each in self._runs[bisect_right(self._ends, self._steps) :])


def _why_nothing(context: SessionContext, found: Collection[Run]) -> str:
    document = context.masks.document
    locked = {info.id for info in document.objects if info.locked}
    if found and all(locked.issuperset(run.objects) for run in found):
        return "All of these objects are locked. Unlock one to densify it."
    if found:
        return "All runs are filled. Reject one, or edit a mask at its ends, to make it anew."
    return (
        "No object is on two neighbouring annotated frames with others between them. Annotate it "
        "on both sides of what is to be filled."
    )
