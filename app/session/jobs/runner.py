"""The runner of long jobs: starts one, counts its steps, finishes it, makes way for edits."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.batch.steps import Step
from app.core.document import Document, Entry, Key
from app.core.exclusion import settle
from app.core.plan import Direction, permitted
from app.session.inference.engine import Engine
from app.session.jobs.healing import Healing
from app.session.jobs.job import Job, NothingToDo
from app.session.jobs.progress import Meter
from app.session.jobs.propagation import Propagation
from app.session.jobs.refinement import Refinement
from app.session.state.context import SessionContext
from app.session.state.status import SessionState


@dataclass
class _Running:
    """The job that was asked for, and how far it is."""

    job: Job
    id: int
    title: str
    meter: Meter
    since: int  # how many undo steps there were when it began
    after: tuple[Job, ...]  # to go on with once this job has ended by itself
    changed: dict[Key, Entry] = field(default_factory=dict)


class JobRunner(QObject):
    """The running job: at most one, whose results are pending until it ends."""

    progress_changed = Signal(object)  # Progress | None
    replaced = Signal()  # masks, by a job that has ended: `before` holds what stood there

    def __init__(self, context: SessionContext, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._masks = context, context.masks
        self._video, self._engine, self._status = context.video, engine, context.status
        self._running: _Running | None = None
        self.before: dict[Key, Entry | None] = {}  # what the last job replaced
        self._editing = False  # whether the change under way is known to this class
        engine.stepped.connect(self._on_stepped)
        engine.ended.connect(self._on_ended)
        self._masks.document_changed.connect(self._on_document_change)
        context.video.opened.connect(self._forget)

    @property
    def newest(self) -> str:
        """What the running job is called, where nothing was done since it began; else empty."""
        running = self._running
        begun = running is not None and running.since == self._undo_index()
        return running.title if running is not None and begun else ""

    def is_busy_with(self, key: Key) -> bool:
        """Whether `key` lies in the objects and frames of the running job."""
        return self._running is not None and self._running.job.covers(key)

    def propagate(
        self,
        direction: Direction,
        *,
        objects: Iterable[int] | None = None,
        first: int | None = None,
        last: int | None = None,
        to_nearest_anchor: bool = True,
    ) -> None:
        """Fill frames from the current one on, by default of all unlocked objects.

        The frames are `first` to `last`, by default between the in and out points. A pass stops
        before the next anchor of each object; without `to_nearest_anchor` it goes to the end, both
        ways from the nearest anchor where the current frame has none, and passes anchors over.
        """
        if not self._video.is_open:
            return
        self.cancel()
        self._begin(
            lambda: Propagation.plan(
                self._context,
                direction,
                objects=objects,
                first=first,
                last=last,
                to_nearest_anchor=to_nearest_anchor,
            )
        )

    def heal(self, new_anchors: Collection[Key]) -> None:
        """Propagate what is stale, beginning beside the anchors `new_anchors`."""
        before, after = self._running, self._stop()
        given = {*new_anchors, *(before.job.new_anchors if before is not None else ())}
        self._begin(lambda: Healing.plan(self._context, given), after)

    def refine(self, frames: Iterable[int], objects: Iterable[int]) -> None:
        """Sharpen the masks of unlocked objects on `frames`, but no anchors, as one undo step."""

        def planned() -> Job:
            job = Refinement.plan(self._context, frames, objects)
            self.cancel()
            return job

        self._begin(planned)

    def cancel(self) -> None:
        """Stop the running job; what is finished is kept."""
        if self._running is not None:
            title = self._running.title
            self._stop()
            self._status.report("info", f"{title}: stopped; what is finished is kept.")

    def take_back(self) -> None:
        """Stop the running job and undo what it has done so far; redo brings that back."""
        running, opened = self._running, self._video.now
        if running is None or opened is None:
            return
        self._stop()
        if running.changed:
            opened.undo_stack.undo()
        self._status.report("info", f"{running.title}: taken back.")

    @contextmanager
    def making_way(
        self, edited: Collection[Key] = (), *, objects: Collection[int] = ()
    ) -> Iterator[None]:
        """Hold while masks at `edited`, or `objects` as a whole, are changed.

        Where that falls into the running job, it ends first: what is finished becomes an undo step
        of its own, and the job goes on from the edit.
        """
        running = self._running
        if running is not None and not (
            self._works_at(running, edited) or not running.job.objects.isdisjoint(objects)
        ):
            running = None
        if running is not None:
            self._stop()
        with self._knowing():
            yield
        if running is not None:
            self._begin(lambda: running.job.after_edit(edited))

    def _works_at(self, running: _Running, keys: Collection[Key]) -> bool:
        """Whether any of these lies in the running job, or has changed by it already."""
        opened = self._video.now
        pending = opened.pending if opened is not None else {}
        return any(running.job.covers(key) or key in pending for key in keys)

    @contextmanager
    def _knowing(self) -> Iterator[None]:
        """Hold while the document is changed by what this class knows of."""
        before, self._editing = self._editing, True
        try:
            yield
        finally:
            self._editing = before

    def _begin(self, plan: Callable[[], Job | None], after: tuple[Job, ...] = ()) -> None:
        """Start what is planned; where that is nothing, say why and go on with `after`."""
        try:
            job = plan()
        except NothingToDo as nothing:
            self._status.report(nothing.level, str(nothing))
            job = None
        waiting = (*((job,) if job else ()), *after)
        if waiting:
            self._start(waiting[0], waiting[1:])

    def _start(self, job: Job, after: tuple[Job, ...]) -> None:
        title, number = job.title, self._engine.next_id()
        self._running = _Running(job, number, title, job.meter(), self._undo_index(), after)
        self._status.enter(job.state)
        self.progress_changed.emit(self._running.meter.progress(job.first))
        self._engine.put(job.request(number))

    def _stop(self, *, keeps: bool = True) -> tuple[Job, ...]:
        """End the running job with what it has; return what can go on later."""
        if self._running is None:
            return ()
        self._engine.cancel()
        running = self._running
        if running is None:  # it ended with the answers that were waiting
            return ()
        self._finish(running, keeps=keeps)
        rest = running.job.rest(self._masks.document)
        return (*((rest,) if rest else ()), *running.after)

    def _finish(self, running: _Running, *, keeps: bool = True) -> None:
        """Turn what is pending into one undo step, unless it is to be dropped."""
        self._running = None
        document, taken = self._masks.document, self._masks.take_pending()
        changes = {
            key: entry
            for key, entry in permitted(document, taken).items()
            if keeps and document.get(key) != entry
        }
        running.changed = {key: taken[key] for key in changes}
        if changes:
            self.before = {key: document.get(key) for key in changes}
            with self._knowing():
                self._masks.change(changes, running.title)
            self.replaced.emit()
        if unused := frozenset(taken) - frozenset(changes):
            self._masks.entries_changed.emit(unused)
        self._status.enter(SessionState.IDLE)
        self.progress_changed.emit(None)

    def _undo_index(self) -> int:
        opened = self._video.now
        return opened.undo_stack.index() if opened else 0

    @Slot()
    def _forget(self) -> None:
        self.before = {}

    @Slot(int, object)
    def _on_stepped(self, job_id: int, step: Step) -> None:
        running = self._running
        # The answer may have waited in the event queue while its job was replaced.
        if running is None or running.id != job_id:
            return
        running.job.count_step()
        allowed = permitted_entries(self._masks.document, step)
        if not self._context.preferences.settings.overlap:
            allowed = self._settled(allowed)
        self._masks.add_pending(allowed)
        if told := running.meter.step(step.frame):
            self.progress_changed.emit(told)

    def _settled(self, found: Mapping[Key, Entry]) -> dict[Key, Entry]:
        """Return what masks of a model change on their frames, where masks exclude each other."""
        fixed = {info.id for info in self._masks.objects if info.locked or not info.visible}
        changed: dict[Key, Entry] = {}
        for frame in {key.frame for key in found}:
            here = {key.object: entry for key, entry in found.items() if key.frame == frame}
            changed |= settle(self._masks.shown(frame), frame, here, fixed=fixed - here.keys())
        return changed

    @Slot(int, object)
    def _on_ended(self, job_id: int, error: Exception | None) -> None:
        running, opened = self._running, self._video.now
        if running is None or running.id != job_id or opened is None:
            return
        old = {key: opened.document.get(key) for key in opened.pending}
        self._finish(running)
        if error is not None:
            kept = f"{len(running.changed):,} masks are kept."
            self._status.report("error", f"{running.title} failed: {error} {kept}")
            return
        before = {key: entry for key, entry in old.items() if entry is not None}
        outcome = running.job.outcome(running.title, before, running.changed)
        self._status.report("info", outcome, of_changes=bool(running.changed))
        if running.after:
            first, *others = running.after
            running.after = ()
            self._start(first, tuple(others))

    @Slot(object)
    def _on_document_change(self, keys: frozenset[Key]) -> None:
        """Stop where an undo or a redo changes what the running job builds on."""
        running = self._running
        if running is None or self._editing:
            return
        if self._works_at(running, keys):
            # Not from inside the undo: stopping makes a step on the same stack.
            QTimer.singleShot(0, self._give_way)

    @Slot()
    def _give_way(self) -> None:
        """Stop; what is finished is kept, unless that step would cut off what can be redone."""
        running, opened = self._running, self._video.now
        if running is None or opened is None or not opened.undo_stack.canRedo():
            self.cancel()
            return
        self._stop(keeps=False)
        self._status.report("info", f"{running.title}: stopped; it built on what was undone.")


def permitted_entries(document: Document, step: Step) -> dict[Key, Entry]:
    """Return those entries of a step that may be shown and kept."""
    allowed = permitted(document, step.entries)
    return {key: entry for key, entry in step.entries.items() if key in allowed}
