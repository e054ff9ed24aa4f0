"""The engine: the session's end of the inference thread."""

import itertools
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Signal

from app.engine.inference import InferenceThread, Models
from app.engine.jobs import Job


class Engine(QObject):
    """Starts and ends the inference thread, numbers jobs and brings answers into this thread."""

    segmented = Signal(int, object)  # job id, tuple[Candidate, ...]
    explained = Signal(int, object)  # job id, tuple[Vote, ...]
    found = Signal(int, object)  # job id, tuple[Proposal, ...]
    stepped = Signal(int, object)  # job id, Step
    ended = Signal(int, object)  # job id, exception or None

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._thread: InferenceThread | None = None
        self._ids = itertools.count(1)

    def start(self, load: Callable[[], Models]) -> None:
        """Start the thread; `load` is called in it, with the first job."""
        self.stop()
        thread = InferenceThread(load, self)
        thread.segmented.connect(self.segmented)
        thread.explained.connect(self.explained)
        thread.found.connect(self.found)
        thread.stepped.connect(self.stepped)
        thread.ended.connect(self.ended)
        thread.start()
        self._thread = thread

    def stop(self) -> None:
        """End the thread after the model step it is in."""
        if self._thread is not None:
            self._thread.close()
            self._thread.deleteLater()
            self._thread = None

    def next_id(self) -> int:
        """Return the id of the next job."""
        return next(self._ids)

    def put(self, job: Job) -> None:
        """Ask for a job; the answers carry its id."""
        if self._thread is not None:
            self._thread.inbox.put(job)

    def cancel(self) -> None:
        """Stop the long job; what it has answered so far is delivered before this returns."""
        if self._thread is not None:
            self._thread.inbox.cancel()
            self.deliver()

    def deliver(self) -> None:
        """Deliver now the answers that wait in the event queue of this thread."""
        QCoreApplication.sendPostedEvents(self, QEvent.Type.MetaCall.value)
