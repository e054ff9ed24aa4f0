"""Undo and redo, also of what is still under way."""

from app.session.clicking import Clicking
from app.session.jobs import Jobs
from app.session.workspace import Workspace


class Undoing:
    """Takes back what was done last, whether it has ended yet or not.

    That is a click without its answer, then the running job, unless something was done since it
    began, then the last step. Otherwise the answer would come after the undo, as a new step, and
    what was undone could not be done again.
    """

    def __init__(self, workspace: Workspace, jobs: Jobs, clicking: Clicking) -> None:
        self._workspace, self._jobs, self._clicking = workspace, jobs, clicking

    @property
    def text(self) -> str:
        """What `undo` takes back; empty where there is nothing."""
        stack = self._workspace.undo_stack
        return self._clicking.asked or self._jobs.newest or stack.undoText()

    def undo(self) -> None:
        """Take back what was done last."""
        if self._clicking.asked:
            self._clicking.take_back()
        elif self._jobs.newest:
            self._jobs.take_back()
        else:
            self._workspace.undo_stack.undo()

    def redo(self) -> None:
        """Do again what was taken back last."""
        self._workspace.undo_stack.redo()
