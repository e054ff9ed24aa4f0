"""The history: undo and redo, also of what is still under way."""

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QUndoCommand, QUndoGroup, QUndoStack

from app.errors import UsageError
from app.session.edits.clicks import Clicks
from app.session.jobs.runner import JobRunner
from app.session.state.interactions import Interactions, interaction
from app.session.state.video import CurrentVideo


class History(QObject):
    """Takes back what was done last, whether it has ended yet or not.

    That is a click without its answer, then the running job, unless something was done since it
    began, then the last step. Otherwise the answer would come after the undo, as a new step, and
    what was undone could not be done again.
    """

    changed = Signal()  # a step was made, undone or done again

    def __init__(
        self,
        video: CurrentVideo,
        jobs: JobRunner,
        clicks: Clicks,
        interactions: Interactions,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._video, self._jobs, self._clicks = video, jobs, clicks
        self._interactions = interactions
        self._done = 0  # how many steps
        self.group = QUndoGroup(self)  # for a view: its active stack is that of the open video
        self.group.indexChanged.connect(self.changed)
        self.group.indexChanged.connect(self._on_index)
        video.opened.connect(self._on_opened)

    @property
    def stack(self) -> QUndoStack:
        """The undo steps of the open video. Raises UsageError where none is open."""
        if self._video.now is None:
            raise UsageError("There is nothing to undo: no video is open. Open one first.")
        return self._video.now.undo_stack

    @property
    def undo_text(self) -> str:
        """What `undo` takes back; empty where there is nothing."""
        return self._clicks.asked or self._jobs.newest or self.group.undoText()

    @property
    def redo_text(self) -> str:
        """What `redo` does again; empty where there is nothing."""
        return self.group.redoText()

    @property
    def can_redo(self) -> bool:
        """Whether anything was taken back that can be done again."""
        return self.group.canRedo()

    @interaction("history")
    def undo(self) -> None:
        """Take back what was done last."""
        if self._clicks.asked:
            self._clicks.take_back()
        elif self._jobs.newest:
            self._jobs.take_back()
        else:
            self.group.undo()

    @interaction("history")
    def redo(self) -> None:
        """Do again what was taken back last."""
        self.group.redo()

    @interaction("history")
    def go_to(self, index: int) -> None:
        """Take back or do again until so many steps are done."""
        if self._video.now is not None:
            self.stack.setIndex(index)

    @interaction("history")
    def hold_place(self) -> None:
        """Make a step that changes no mask, in place of one that said something else."""
        if self._video.now is not None:
            self._video.now.push(QUndoCommand("Something else"))

    @Slot(int)
    def _on_index(self, index: int) -> None:
        """Tell what was done in a view of the steps, which goes to the stack itself."""
        done, self._done = self._done, index
        if index == done or not self._video.is_open or self._interactions.is_inside:
            return
        with self._interactions.making("history.go_to", 0, {"index": index}):
            pass

    @Slot()
    def _on_opened(self) -> None:
        for stack in self.group.stacks():
            self.group.removeStack(stack)
        if opened := self._video.now:
            self._done = opened.undo_stack.index()
            self.group.addStack(opened.undo_stack)
            self.group.setActiveStack(opened.undo_stack)
