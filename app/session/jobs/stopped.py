"""The job that a person stopped last: asked for again, it goes on where it ended."""

from PySide6.QtCore import QObject, Slot

from app.core.document import Key
from app.session.jobs.job import Job
from app.session.state.context import SessionContext


class StoppedJob(QObject):
    """Remembers one job until the masks that it made, or builds on, are changed."""

    def __init__(self, context: SessionContext, parent: QObject) -> None:
        super().__init__(parent)
        self._masks, self._view = context.masks, context.view
        self._job: Job | None = None
        context.masks.document_changed.connect(self._on_document_change)
        context.video.opened.connect(self._forget)

    def remember(self, job: Job) -> None:
        """Take note that a job was stopped, once what it had found is in the document."""
        self._job = job

    def rest_for(self, job: Job) -> Job | None:
        """Return what is left where `job` asks for the same, from a frame that was finished."""
        stopped = self._job
        if (
            stopped is None
            or stopped.asked != job.asked
            or not stopped.has_passed(self._view.frame)
        ):
            return None
        return stopped.rest(self._masks.document)

    @Slot(object)
    def _on_document_change(self, keys: frozenset[Key]) -> None:
        if self._job is not None and any(self._job.covers(key) for key in keys):
            self._forget()

    @Slot()
    def _forget(self) -> None:
        self._job = None
