"""The runner of long jobs: starts one after the other, finishes each, makes way for edits."""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.batch.passes.steps import Step
from app.core.document import Key
from app.core.plan import Direction
from app.session.inference.engine import Engine
from app.session.jobs.after_click import AfterClick
from app.session.jobs.consistency import Consistency
from app.session.jobs.healing import Healing
from app.session.jobs.job import Job, NothingToDo
from app.session.jobs.propagation import Propagation
from app.session.jobs.queue import JobQueue
from app.session.jobs.refinement import Refinement
from app.session.jobs.results import Results, RunningJob, Within
from app.session.jobs.stopped import StoppedJob
from app.session.state.context import SessionContext
from app.session.state.interactions import interaction
from app.session.state.status import SessionState, Topic, topic_of
from app.session.state.video import CurrentVideo


class JobRunner(QObject):
    """The running job: at most one, whose results are pending until it ends. Others wait."""

    progress_changed = Signal(object)  # Progress | None
    began = Signal()  # a job: that it waits is past
    replaced = Signal()  # masks, by a job that has ended: `before` holds what stood there

    def __init__(self, context: SessionContext, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._context, self._masks = context, context.masks
        self._interactions = context.interactions
        self._video, self._engine, self._status = context.video, engine, context.status
        self._running: RunningJob | None = None
        self._stopped = StoppedJob(context, self)
        self.queue = JobQueue(context.masks, context.interactions, self)
        self.queue.wanted.connect(self._run_now)
        self.after_click = AfterClick(self)
        self._results = Results(context)
        self.before = self._results.before  # what the last job replaced
        self._editing = self._results.changing  # a change that this class knows of
        self._stopping = Within()
        engine.stepped.connect(self._on_stepped)
        engine.ended.connect(self._on_ended)
        self._masks.document_changed.connect(self._on_document_change)
        context.video.opened.connect(self.before.clear)

    @property
    def newest(self) -> str:
        """What the running job is called, where nothing was done since it began; else empty."""
        running = self._running
        return running.title if running and self._results.is_newest(running) else ""

    @property
    def running(self) -> tuple[str, float]:
        """What the running job is called, and for how many seconds it runs; ("", 0) = none."""
        running = self._running
        return ("", 0.0) if running is None else (running.title, time.monotonic() - running.began)

    def is_busy_with(self, key: Key) -> bool:
        """Whether `key` lies in the objects and frames of the running job."""
        return self._running is not None and self._running.job.covers(key)

    @interaction("jobs")
    def propagate(
        self,
        direction: Direction,
        *,
        objects: Iterable[int] | None = None,
        first: int | None = None,
        last: int | None = None,
        to_nearest_anchor: bool = True,
        at_once: bool = False,
    ) -> None:
        """Fill frames from the current one on, by default of all unlocked objects.

        The frames are `first` to `last`, by default between the in and out points. A pass stops
        before the next anchor of each object; without `to_nearest_anchor` it goes to the end, both
        ways from the nearest anchor where the current frame has none, and passes anchors over.
        While another job runs it waits for its turn, unless it is to begin `at_once`; for a click
        that is not answered it waits in any case. One that was stopped goes on where it ended, if
        nothing was changed there since.
        """
        if not self._video.is_open:
            return
        here = self._context.view.frame

        def planned() -> Job:
            job = Propagation.plan(
                self._context,
                direction,
                objects=objects,
                first=first,
                last=last,
                to_nearest_anchor=to_nearest_anchor,
                start=here,
            )
            if (rest := self._stopped.rest_for(job)) is None:
                return job
            text = f"It goes on at frame {rest.first}, where it was stopped."
            self._status.report("info", text)
            return rest

        if self._status.state is SessionState.SEGMENTING:
            self.after_click.hold(partial(self.ask, planned, at_once=at_once))
            text = "The propagation begins with the answer to the click."
            self._status.report("info", text, Topic.WAITING)
        else:
            self.ask(planned, at_once=at_once)

    @interaction("jobs")
    def heal(self, new_anchors: Collection[Key]) -> None:
        """Propagate what is stale, beginning beside the anchors `new_anchors`, at once.

        It takes the place of other heals, whose anchors it begins at, too; other jobs wait for it.
        """
        self._pause()
        given = {*new_anchors}.union(*(job.new_anchors for job in self.queue.take_joining()))
        self._begin(lambda: Healing.plan(self._context, given))

    def refine(self, frames: Iterable[int], objects: Iterable[int]) -> None:
        """Sharpen the masks of unlocked objects on `frames`, but no anchors, as one undo step."""

        self.ask(lambda: Refinement.plan(self._context, frames, objects))

    @interaction("jobs")
    def make_consistent(self, objects: Iterable[int], frames: range) -> None:
        """Let the masks on `frames` and those of a tracker vote, as one undo step; see `vote`."""
        self.ask(lambda: Consistency.plan(self._context, objects, frames))

    @interaction("jobs")
    def cancel(self) -> None:
        """Stop the running job, and let those go that wait; what is finished is kept."""
        dropped = self.queue.clear()
        # Answers that come meanwhile may begin other jobs.
        while self._running is not None:
            self.stop_running()
        if dropped:
            text = f"{dropped} waiting job{'s' if dropped > 1 else ''} will not run."
            self._status.report("info", text, Topic.ENDED)

    @interaction("jobs")
    def stop_running(self) -> None:
        """Stop the running job and go on with the next; what is finished is kept."""
        if running := self._running:
            self._stop()
            self._stopped.remember(running.job)
            text = f"{running.title}: stopped; what is finished is kept."
            self._status.report("info", text, Topic.ENDED)
            self._next()

    def leave_out(self, keys: Collection[Key]) -> int:
        """Let no job that runs or waits fill `keys`; return how many it would have filled."""
        running = self._running.job.leave_out(keys) if self._running is not None else 0
        return max(running, self.queue.leave_out(keys))

    def take_back(self) -> None:
        """Stop the running job and undo what it has done so far; redo brings that back."""
        running, opened = self._running, self._video.now
        if running is None or opened is None:
            return
        self._stop()
        if running.changed:
            opened.undo_stack.undo()
        self._status.report("info", f"{running.title}: taken back.")
        self._next()

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
            _works_at(running, edited, self._video) or not running.job.objects.isdisjoint(objects)
        ):
            running = None
        if running is not None:
            self._stop()
        with self._editing:
            yield
        if running is not None:
            self._begin(lambda: _after_edit(running, edited))

    def ask(self, plan: Callable[[], Job], *, at_once: bool = False) -> None:
        """Start what is planned, or let it wait for the running job; `plan` raises NothingToDo.

        What the person looks at comes first: a job that works elsewhere makes way.
        """
        running, here = self._running, self._context.view.frame
        if running is None:
            self._begin(plan)
            return
        try:
            job = plan()
        except NothingToDo as nothing:
            self._status.report(nothing.level, str(nothing))
            return
        if any(_is_same(job, other, here) for other in (running.job, *self.queue.jobs)):
            self._status.report("info", f"{job.title}: is under way already.")
        elif at_once or not _is_at(running.job, here):
            self._pause()
            self._begin(lambda: job.rest(self._masks.document))
        else:
            self.queue.add(job)
            self._status.report("info", f"{job.title}: waits for its turn.", Topic.WAITING)

    def _begin(self, plan: Callable[[], Job | None]) -> None:
        """Start what is planned; where that is nothing, say why and go on with what waits."""
        try:
            job = plan()
        except NothingToDo as nothing:
            self._status.report(nothing.level, str(nothing))
            job = None
        if job is not None:
            self._start(job)
        else:
            self._next()

    def _next(self) -> None:
        """Start the job that has waited for its turn, if nothing runs or is being stopped."""
        if self._running is not None or self._stopping.is_on:
            return
        if (job := self.queue.take()) is not None:
            self._start(job)

    @Slot(int)
    def _run_now(self, number: int) -> None:
        """Let a waiting job run in place of the running one, which waits."""
        self._pause()
        self._begin(lambda: self.queue.take(number))

    def _start(self, job: Job) -> None:
        title, number, now = job.title, self._engine.next_id(), time.monotonic()
        running = RunningJob(job, number, title, job.meter(), self._results.undo_index, now)
        self._running = running
        # Before it is told: what follows from that may already put another job in its place.
        self._engine.put(job.request(number))
        self.began.emit()
        self._status.enter(job.state)
        if self._running is running:
            self.progress_changed.emit(running.meter.progress(job.first))

    def _pause(self) -> None:
        """Stop the running job for another one; what is left of it is the next to run."""
        if running := self._running:
            self._stop()
            if (rest := running.job.rest(self._masks.document)) is not None:
                self.queue.add(rest, first=True)

    def _stop(self, *, keeps: bool = True) -> None:
        """End the running job with what it has; one that begins meanwhile waits."""
        if (running := self._running) is None:
            return
        # It may end with the answers that were waiting; the next is for the caller to start.
        with self._stopping:
            self._engine.cancel()
        if self._running is running:
            self._finish(running, keeps=keeps)
        else:
            self._pause()

    def _finish(self, running: RunningJob, *, keeps: bool = True) -> None:
        """Turn what is pending into one undo step, unless it is to be dropped."""
        self._running = None
        self._results.finish(running, keeps=keeps)
        if running.changed:
            self.replaced.emit()
        self._status.enter(SessionState.IDLE)
        self.progress_changed.emit(None)

    @Slot(int, object)
    def _on_stepped(self, job_id: int, step: Step) -> None:
        running = self._running
        # The answer may have waited in the event queue while its job was replaced.
        if running is None or running.id != job_id:
            return
        self._engine.accept()
        self._results.show(running, step.entries)
        if step.computed and (told := running.meter.step(step.frame)):
            self.progress_changed.emit(told)

    @Slot(int, object)
    def _on_ended(self, job_id: int, error: Exception | None) -> None:
        running, opened = self._running, self._video.now
        if running is None or running.id != job_id or opened is None:
            return
        self._engine.accept()
        self._finish(running)
        if error is not None:
            kept = f"{len(running.changed):,} masks are kept."
            self._status.report("error", f"{running.title} failed: {error} {kept}", topic_of(error))
        else:
            before = {key: entry for key, entry in running.before.items() if entry is not None}
            outcome = running.job.outcome(running.title, before, running.changed)
            topic = running.job.topic if running.changed else Topic.NOTHING
            self._status.report("info", outcome, topic)
        self._next()

    @Slot(object)
    def _on_document_change(self, keys: frozenset[Key]) -> None:
        """Stop where an undo or a redo changes what the running job builds on."""
        running = self._running
        if running is None:
            return
        running.touched.update(key.frame for key in keys)
        if self._editing.is_on:
            return
        if _works_at(running, keys, self._video):
            # Not from inside the undo: stopping makes a step on the same stack.
            QTimer.singleShot(0, self.give_way)

    @Slot()
    @interaction("jobs")
    def give_way(self) -> None:
        """Stop; what is finished is kept, unless that step would cut off what can be redone."""
        running, opened = self._running, self._video.now
        if running is None or opened is None or not opened.undo_stack.canRedo():
            self.cancel()
            return
        self._stop(keeps=False)
        self.queue.clear()  # what another job found would cut off what can be redone
        self._status.report("info", f"{running.title}: stopped; it built on what was undone.")


def _after_edit(running: RunningJob, edited: Collection[Key]) -> Job:
    """Return the job that goes on from an edit. Raises NothingToDo where none does."""
    with suppress(NothingToDo):  # that says why nothing new begins: here something has ended
        if (job := running.job.after_edit(edited)) is not None:
            return job
    raise NothingToDo("info", f"{running.title}: ended, as nothing of it is left to do.")


def _is_same(job: Job, other: Job, frame: int) -> bool:
    """Whether `other` does already what is asked for on `frame`."""
    return job.asked is not None and job.asked == other.asked and _is_at(other, frame)


def _is_at(job: Job, frame: int) -> bool:
    return any(job.covers(Key(frame, number)) for number in job.objects)


def _works_at(running: RunningJob, keys: Collection[Key], video: CurrentVideo) -> bool:
    """Whether any of these lies in the running job, or has changed by it already."""
    pending = video.now.pending if video.now is not None else {}
    return any(running.job.covers(key) or key in pending for key in keys)
