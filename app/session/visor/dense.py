"""The densified runs of what is open: accepted or rejected one by one."""

from dataclasses import dataclass, replace
from statistics import fmean

from PySide6.QtCore import QObject, Signal, Slot

from app.core.densify import Run, runs
from app.core.document import Entry, Key
from app.session.edits.masks import MaskEdits
from app.session.jobs.densification import Densification
from app.session.jobs.runner import JobRunner
from app.session.state.context import SessionContext
from app.session.state.interactions import interaction


@dataclass(frozen=True, slots=True)
class DenseRun:
    """One object between two annotated frames, and how much of it is to be exported."""

    run: Run
    object: int
    made: int  # masks between the ends
    missing: int  # frames of which nothing is known, not even that it is absent
    doubted: tuple[int, ...]  # frames on which the agreement is below the gate
    stale: tuple[int, ...]  # frames whose mask was made from one that is another since
    agreement: float | None  # what the gate sees, a mean over the frames

    @property
    def frames(self) -> int:
        """How many frames lie between the ends."""
        return len(self.run.frames)

    @property
    def undecided(self) -> tuple[int, ...]:
        """The frames that are left to look at, rising."""
        return tuple(sorted({*self.doubted, *self.stale}))

    @property
    def is_decided(self) -> bool:
        """Whether nothing is left to look at."""
        return not self.undecided


class DenseRuns(QObject):
    """Lists the runs between annotated frames, and takes their masks over or away.

    What is in doubt is left out of a dense export until it is accepted. Nothing of a rejected run
    is exported.
    """

    changed = Signal()

    def __init__(
        self, context: SessionContext, jobs: JobRunner, edit: MaskEdits, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._context, self._jobs, self._edit = context, jobs, edit
        self._interactions = context.interactions
        self._video, self._masks = context.video, context.masks
        self._view, self._status = context.view, context.status
        context.video.opened.connect(self._tell)
        context.masks.document_changed.connect(self._tell)
        context.masks.objects_changed.connect(self._tell)

    @property
    def annotated(self) -> tuple[int, ...]:
        """The frames that the runs lie between."""
        return self._video.now.annotated if self._video.now else ()

    def all(self) -> tuple[DenseRun, ...]:
        """Return every object of every run in the order of time, doubtful ones among them."""
        document = self._masks.document
        return tuple(
            found
            for run in runs(document, self.annotated)
            for number in run.objects
            if (found := self._found(run, number)) is not None
        )

    def _found(self, run: Run, number: int) -> DenseRun | None:
        document = self._masks.document
        here = {frame: document.get(Key(frame, number)) for frame in run.frames}
        made = {f: each for f, each in here.items() if each is not None and each.mask is not None}
        doubted = tuple(frame for frame, each in made.items() if each.conflict)
        stale = tuple(frame for frame, each in made.items() if each.stale)
        scores = [each.score for each in made.values() if each.score is not None]
        mean = fmean(scores) if scores else None
        missing = sum(each is None for each in here.values())
        return DenseRun(run, number, len(made), missing, doubted, stale, mean)

    def densify(self) -> None:
        """Fill what lies between annotated frames from both sides, between the in and out points.

        What is filled already stays as it is. Each run is kept as soon as it is done.
        """
        if self._video.is_open:
            self.fill(self.annotated)

    @interaction("files.exchange.visor.dense")
    def fill(self, annotated: tuple[int, ...]) -> None:
        """Fill what lies between these frames; a log has them, as it has no imported file."""
        frames = tuple(annotated)
        self._jobs.ask(lambda: Densification.plan(self._context, frames))

    def accept(self, found: DenseRun) -> None:
        """Take over what is in doubt or stale, as one undo step; all of it is exported then.

        What a job finds in its place, while it makes way, is not what was decided on.
        """
        document = self._masks.document
        decided = {
            key: entry
            for frame in found.undecided
            if (entry := document.get(key := Key(frame, found.object))) is not None
        }

        def taken_over() -> dict[Key, Entry | None]:
            return {
                key: replace(entry, conflict=False, stale=False)
                for key, entry in decided.items()
                if document.get(key) is entry
            }

        if decided:
            self._edit.make_anew(taken_over, f"Accept {self._words(found)}", marks=False)

    def reject(self, found: DenseRun) -> None:
        """Remove the masks of a run that no person made, as one undo step."""
        document = self._masks.document

        def removed() -> dict[Key, Entry | None]:
            keys = (Key(frame, found.object) for frame in found.run.frames)
            there = ((key, document.get(key)) for key in keys)
            return {key: None for key, entry in there if entry and not entry.is_anchor}

        if removed():
            self._edit.make_anew(removed, f"Reject {self._words(found)}", marks=False)

    def go_to(self, found: DenseRun) -> None:
        """Show the run: where it is most in doubt, of several such frames nearest its middle."""
        document = self._masks.document
        scores = {
            frame: entry.score
            for frame in found.undecided or found.run.frames
            if (entry := document.get(Key(frame, found.object))) and entry.score is not None
        }
        middle = (found.run.start + found.run.end) // 2
        self._view.select(found.object)
        most = min(scores, key=lambda frame: (scores[frame], abs(frame - middle)), default=middle)
        self._view.go_to(most)

    def _words(self, found: DenseRun) -> str:
        name = self._masks.name_of(found.object)
        return f"{name}, frames {found.run.start}-{found.run.end}"

    @Slot()
    def _tell(self) -> None:
        self.changed.emit()
