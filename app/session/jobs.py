"""The running long job: what is asked of the models, and what becomes of the answers."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, QTimer, Slot

from app.batch.steps import Step
from app.core import heal
from app.core.document import Document, Entry, Key
from app.core.passes import Pass
from app.core.plan import (
    Direction,
    anchor_frames,
    followable,
    is_anchor,
    leaves_nothing,
    permitted,
    plan,
    rest_of,
)
from app.engine.jobs import Heal, Refine, Track
from app.session.engine import Engine
from app.session.preferences import rules_of
from app.session.progress import Meter
from app.session.signals import SessionState
from app.session.workspace import Workspace


@dataclass
class _Running:
    """The long job that is asked for, and how far it is."""

    job: Track | Heal | Refine
    text: str
    meter: Meter
    new_anchors: frozenset[Key] = frozenset()  # the anchors that a heal starts from
    since: int = 0  # how many undo steps there were when it began
    steps: int = 0
    after: tuple[Pass, ...] = ()  # to go on with once this job has ended by itself
    changed: dict[Key, Entry] = field(default_factory=dict)

    @property
    def first(self) -> int:
        """The frame that is visited first."""
        if isinstance(self.job, Refine):
            return min(self.job.masks).frame
        return self.job.passes[0].frames[0]

    def heads(self) -> list[tuple[Pass, int | None]]:
        """Return each pass with the last frame that it finished; for a `Track`."""
        assert isinstance(self.job, Track)
        found, left = [], self.steps
        for run in self.job.passes:
            visited = min(left, len(run.frames))
            found.append((run, run.frames[visited - 1] if visited else None))
            left -= visited
        return found


class Jobs(QObject):
    """The running job: at most one, whose results are pending until it ends."""

    def __init__(self, workspace: Workspace, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace, self._engine = workspace, engine
        self._running: _Running | None = None
        self.before: dict[Key, Entry | None] = {}  # what the last job replaced
        self._editing = False  # whether the change under way is known to this class
        engine.stepped.connect(self._on_stepped)
        engine.ended.connect(self._on_ended)
        workspace.on_document_change(self._on_document_change)
        workspace.signals.opened.connect(self._forget)

    @property
    def is_running(self) -> bool:
        """Whether a long job is asked for."""
        return self._running is not None

    @property
    def newest(self) -> str:
        """What the running job is called, where nothing was done since it began; else empty."""
        running = self._running
        begun = running is not None and running.since == self._workspace.undo_stack.index()
        return running.text if running is not None and begun else ""

    def is_busy_with(self, key: Key) -> bool:
        """Whether `key` lies in the objects and frames of the running job."""
        return self._running is not None and self._concerns(self._running, key)

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
        workspace, document = self._workspace, self._workspace.document
        if workspace.video is None:
            return
        self.cancel()
        chosen = [info.id for info in document.objects] if objects is None else list(objects)
        start = workspace.frame
        if direction is Direction.BOTH:
            start = _nearest_start(document, chosen, start)
        runs = plan(
            document,
            chosen,
            first=workspace.first if first is None else first,
            last=workspace.last if last is None else last,
            direction=direction,
            from_frame=start,
            to_nearest_anchor=to_nearest_anchor,
        )
        if not runs:
            workspace.report("warning", self._why_nothing(chosen, direction))
            return
        self._track(runs)

    def heal(self, new_anchors: Collection[Key]) -> None:
        """Propagate what is stale, beginning beside the anchors `new_anchors`."""
        workspace, document = self._workspace, self._workspace.document
        before, after = self._running, self._stop()
        if before is not None:
            new_anchors = {*new_anchors, *before.new_anchors}
        runs = heal.plan_heal(document, new_anchors, first=workspace.first, last=workspace.last)
        if not runs:
            workspace.report("info", "Nothing is stale here.")
            if after:
                self._track(after)
            return
        old = heal.evidence(document, runs)
        job = Heal(self._engine.next_id(), runs, old, rules_of(workspace.settings))
        text = self._text("Heal", runs)
        meter = Meter.of_runs(text, runs)
        self._start(_Running(job, text, meter, frozenset(new_anchors), after=after))

    def refine(self, frames: Iterable[int], objects: Iterable[int]) -> None:
        """Sharpen the masks of unlocked objects on `frames`, but no anchors, as one undo step."""
        workspace, document = self._workspace, self._workspace.document
        unlocked = [number for number in objects if not workspace.is_locked(number)]
        keys = [Key(frame, number) for frame in frames for number in unlocked]
        entries = {key: document.get(key) for key in keys}
        masks = {
            key: entry.mask
            for key, entry in entries.items()
            if entry is not None and entry.mask is not None and not entry.is_anchor
        }
        if not masks:
            workspace.report("warning", "There is nothing to refine: anchors stay as they are.")
            return
        self.cancel()
        refined = tuple(dict.fromkeys(key.object for key in sorted(masks)))
        count = len({key.frame for key in masks})
        what = workspace.name_of(refined[0]) if len(refined) == 1 else f"{len(refined)} objects"
        text = f"Refine {what}, {count:,} frames"
        job = Refine(self._engine.next_id(), masks, workspace.settings.iou_gate)
        meter = Meter(text, [key.frame for key in masks], refined)
        self._start(_Running(job, text, meter))

    def cancel(self) -> None:
        """Stop the running job; what is finished is kept."""
        if self._running is not None:
            text = self._running.text
            self._stop()
            self._workspace.report("info", f"{text}: stopped; what is finished is kept.")

    def take_back(self) -> None:
        """Stop the running job and undo what it has done so far; redo brings that back."""
        running = self._running
        if running is None:
            return
        self._stop()
        if running.changed:
            self._workspace.undo_stack.undo()
        self._workspace.report("info", f"{running.text}: taken back.")

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
            any(self._concerns(running, key) for key in edited)
            or not running.meter.objects.isdisjoint(objects)
        ):
            running = None
        if running is not None:
            self._stop()
        before, self._editing = self._editing, True
        try:
            yield
        finally:
            self._editing = before
        if running is not None:
            self._go_on(running, edited)

    def _go_on(self, running: _Running, edited: Collection[Key]) -> None:
        document = self._workspace.document
        if isinstance(running.job, Heal):
            anchors = {key for key in edited if is_anchor(document, key)}
            self.heal(running.new_anchors | anchors)
        elif isinstance(running.job, Track):
            left = [rest_of(run, head, document, edited) for run, head in running.heads()]
            runs = (*(run for run in left if run), *running.after, *self._stop())
            if runs:
                self._track(runs)

    def _track(self, runs: tuple[Pass, ...]) -> None:
        text = self._text("Propagate", runs)
        job = Track(self._engine.next_id(), runs)
        self._start(_Running(job, text, Meter.of_runs(text, runs)))

    def _start(self, running: _Running) -> None:
        self._running = running
        running.since = self._workspace.undo_stack.index()
        refining = isinstance(running.job, Refine)
        self._workspace.enter(SessionState.REFINING if refining else SessionState.PROPAGATING)
        self._workspace.signals.progress_changed.emit(running.meter.progress(running.first))
        self._engine.put(running.job)

    def _stop(self, *, keeps: bool = True) -> tuple[Pass, ...]:
        """End the running job with what it has; return the passes that are left of a `Track`."""
        if self._running is None:
            return ()
        self._engine.cancel()
        running = self._running
        if running is None:  # it ended with the answers that were waiting
            return ()
        heads = running.heads() if isinstance(running.job, Track) else []
        self._finish(running, keeps=keeps)
        runs = [rest_of(run, head, self._workspace.document) for run, head in heads]
        return (*(run for run in runs if run), *running.after)

    def _finish(self, running: _Running, *, keeps: bool = True) -> None:
        """Turn what is pending into one undo step, unless it is to be dropped."""
        self._running = None
        workspace = self._workspace
        taken = workspace.take_pending()
        changes = {
            key: entry
            for key, entry in permitted(workspace.document, taken).items()
            if keeps and workspace.document.get(key) != entry
        }
        running.changed = {key: taken[key] for key in changes}
        if changes:
            self.before = {key: workspace.document.get(key) for key in changes}
            before, self._editing = self._editing, True
            workspace.change(changes, running.text)
            self._editing = before
            workspace.signals.comparison_changed.emit()
        if unused := frozenset(taken) - frozenset(changes):
            workspace.signals.entries_changed.emit(unused)
        workspace.enter(SessionState.IDLE)
        workspace.signals.progress_changed.emit(None)

    @Slot()
    def _forget(self) -> None:
        self.before = {}

    @Slot(int, object)
    def _on_stepped(self, job_id: int, step: Step) -> None:
        running = self._running
        # The answer may have waited in the event queue while its job was replaced.
        if running is None or running.job.id != job_id:
            return
        running.steps += 1
        self._workspace.add_pending(permitted_entries(self._workspace.document, step))
        if told := running.meter.step(step.frame):
            self._workspace.signals.progress_changed.emit(told)

    @Slot(int, object)
    def _on_ended(self, job_id: int, error: Exception | None) -> None:
        running = self._running
        if running is None or running.job.id != job_id:
            return
        old = {key: self._workspace.document.get(key) for key in self._workspace.pending}
        self._finish(running)
        if error is not None:
            kept = f"{len(running.changed):,} masks are kept."
            self._workspace.report("error", f"{running.text} failed: {error} {kept}")
            return
        before = {key: entry for key, entry in old.items() if entry is not None}
        self._workspace.report("info", self._outcome(running, before))
        if runs := running.after:
            running.after = ()
            self._track(runs)

    def _outcome(self, running: _Running, before: dict[Key, Entry]) -> str:
        if isinstance(running.job, Heal):
            objects = self._workspace.document.objects
            facts = heal.summary(objects, before, running.changed)
            return ". ".join(facts) or f"{running.text}: nothing changed"
        if isinstance(running.job, Refine):
            kept = len(running.job.masks) - len(running.changed)
            return f"{running.text}: {len(running.changed):,} sharpened, {kept:,} kept"
        return f"{running.text}: done"

    def _on_document_change(self, keys: frozenset[Key]) -> None:
        """Stop where an undo or a redo changes what the running job builds on."""
        running = self._running
        if running is None or self._editing:
            return
        if any(self._concerns(running, key) for key in keys):
            # Not from inside the undo: stopping makes a step on the same stack.
            QTimer.singleShot(0, self._give_way)

    @Slot()
    def _give_way(self) -> None:
        """Stop; what is finished is kept, unless that step would cut off what can be redone."""
        running = self._running
        if running is None or not self._workspace.undo_stack.canRedo():
            self.cancel()
            return
        self._stop(keeps=False)
        self._workspace.report("info", f"{running.text}: stopped; it built on what was undone.")

    @staticmethod
    def _concerns(running: _Running, key: Key) -> bool:
        """Whether an edit at `key` falls into the objects and frames of the job."""
        if isinstance(running.job, Refine):
            return key in running.job.masks
        return any(
            key.object in run.spans
            and min(run.frames[0], run.frames[-1])
            <= key.frame
            <= max(run.frames[0], run.frames[-1])
            for run in running.job.passes
        )

    def _text(self, verb: str, runs: Sequence[Pass]) -> str:
        objects = {number for run in runs for number in run.objects}
        frames = [edge for run in runs for edge in (run.frames[0], run.frames[-1])]
        name = self._workspace.name_of(next(iter(objects)))
        what = name if len(objects) == 1 else f"{len(objects)} objects"
        return f"{verb} {what}, frames {min(frames)}-{max(frames)}"

    def _why_nothing(self, chosen: list[int], direction: Direction) -> str:
        document = self._workspace.document
        unlocked = list(followable(document, chosen))
        if chosen and not unlocked:
            return "All of these objects are locked. Unlock one to propagate it."
        if not any(anchor_frames(document, number) for number in unlocked):
            return "There is nothing to start from. Click or draw an object first."
        workspace = self._workspace
        if leaves_nothing(direction, workspace.frame, workspace.first, workspace.last):
            return (
                "The in and out points leave no frame in this direction. Move there, or drop them."
            )
        return "All frames in this direction have anchors already."


def permitted_entries(document: Document, step: Step) -> dict[Key, Entry]:
    """Return those entries of a step that may be shown and kept."""
    allowed = permitted(document, step.entries)
    return {key: entry for key, entry in step.entries.items() if key in allowed}


def _nearest_start(document: Document, objects: Collection[int], frame: int) -> int:
    """Return `frame` where one of the objects has a mask on it, else the nearest anchor."""
    if any(number in document.on_frame(frame) for number in objects):
        return frame
    anchors = {found for number in objects for found in anchor_frames(document, number)}
    return min(anchors, key=lambda found: (abs(found - frame), found), default=frame)
