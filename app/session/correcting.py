"""Enter and U: accept and heal, sharpen and accept."""

from collections.abc import Iterable

from PySide6.QtCore import QObject, Slot

from app.batch.steps import Step
from app.core.document import Entry, Key, Origin
from app.engine.jobs import Refine
from app.session.editing import Editing
from app.session.engine import Engine
from app.session.jobs import Jobs
from app.session.workspace import Workspace


class Correcting(QObject):
    """What a person asks for on the current frame once its mask is as it should be."""

    def __init__(
        self,
        workspace: Workspace,
        engine: Engine,
        jobs: Jobs,
        editing: Editing,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._workspace, self._engine = workspace, engine
        self._jobs, self._editing = jobs, editing
        self._asked: Refine | None = None
        self._ghost: tuple[Key, Entry] | None = None
        engine.stepped.connect(self._on_stepped)
        engine.ended.connect(self._on_ended)
        # A ghost that is out of sight must not be what Enter takes over.
        workspace.signals.frame_changed.connect(self._on_moved)
        workspace.signals.selection_changed.connect(self._on_moved)

    @property
    def has_refinement(self) -> bool:
        """Whether a sharpened mask is shown that waits to be accepted."""
        return self._ghost is not None

    def verify_and_heal(self) -> None:
        """Make the current mask an anchor and propagate what it makes stale."""
        workspace = self._workspace
        if workspace.video is None:
            return
        self.accept_refinement()
        if workspace.selected is not None:
            key = Key(workspace.frame, workspace.selected)
            if (entry := workspace.entry(key)) is not None:
                # Made by a person, it is an anchor already: a step that changes nothing to see.
                if not entry.is_anchor or entry.stale or entry.conflict:
                    self._editing.verify([key])
                self._editing.new_anchors.add(key)
        new_anchors, self._editing.new_anchors = self._editing.new_anchors, set()
        self._jobs.heal(new_anchors)

    def refine(
        self, frames: Iterable[int] | None = None, objects: Iterable[int] | None = None
    ) -> None:
        """Sharpen masks of the selected object, or of `objects`.

        Without `frames` the selected one's here, shown as a ghost (`accept_refinement`,
        `reject_refinement`); with `frames` directly, as one undo step that leaves anchors alone.
        """
        workspace = self._workspace
        if workspace.video is not None and frames is not None and objects is not None:
            self._jobs.refine(frames, objects)
        elif workspace.video is None or workspace.selected is None:
            workspace.report("warning", "Select an object to refine.")
        elif frames is not None:
            self._jobs.refine(frames, [workspace.selected])
        else:
            self._ask(Key(workspace.frame, workspace.selected))

    def accept_refinement(self) -> None:
        """Take the ghost over as an anchor."""
        if self._ghost is not None:
            key, entry = self._ghost
            self.reject_refinement()
            text = f"Refine {self._workspace.name_of(key.object)}, frame {key.frame}"
            self._editing.make({key: entry}, text)

    def reject_refinement(self) -> None:
        """Take the ghost away."""
        self._asked = None
        if self._ghost is not None:
            self._ghost = None
            self._workspace.signals.preview_changed.emit(None)

    @Slot()
    def _on_moved(self) -> None:
        self.reject_refinement()

    def _ask(self, key: Key) -> None:
        entry = self._workspace.entry(key)
        if entry is None or entry.mask is None:
            self._workspace.report("warning", "There is no mask to refine on this frame.")
            return
        self.reject_refinement()
        gate = self._workspace.settings.iou_gate
        self._asked = Refine(self._engine.next_id(), {key: entry.mask}, gate, ghost=True)
        self._engine.put(self._asked)

    @Slot(int, object)
    def _on_stepped(self, job_id: int, step: Step) -> None:
        if self._asked is None or self._asked.id != job_id:
            return
        if not step.entries:
            text = "The sharper mask does not fit this one, which is kept."
            self._workspace.report("info", text)
        for key, entry in step.entries.items():
            self._ghost = (key, Entry(entry.mask, Origin.REFINED, verified=True, score=entry.score))
            self._workspace.signals.preview_changed.emit((*key, entry.mask))

    @Slot(int, object)
    def _on_ended(self, job_id: int, error: Exception | None) -> None:
        if self._asked is not None and self._asked.id == job_id:
            self._asked = None
            if error is not None:
                self._workspace.report("error", str(error))
