"""The engine: the session's end of the inference thread."""

import itertools
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Signal, Slot

from app.engine.inference import InferenceThread, Models
from app.engine.jobs import Explain, Job, Prepare, Segment
from app.session.state.interactions import Interactions

MASKS, FOUND, STEP, END = "masks", "found", "step", "end"  # the kinds of answers that change masks


class Engine(QObject):
    """Starts and ends the inference thread, numbers jobs and brings answers into this thread."""

    segmented = Signal(int, object)  # job id, tuple[Candidate, ...]
    explained = Signal(int, object)  # job id, tuple[Vote, ...]
    found = Signal(int, object)  # job id, tuple[Proposal, ...]
    stepped = Signal(int, object)  # job id, Step
    ended = Signal(int, object)  # job id, exception or None

    def __init__(self, interactions: Interactions, parent: QObject) -> None:
        super().__init__(parent)
        self._interactions = interactions
        self._thread: InferenceThread | None = None
        self._ids = itertools.count(1)

    def start(self, load: Callable[[], Models]) -> None:
        """Start the thread; `load` is called in it, with the first job."""
        self.stop()
        thread = InferenceThread(load, self)
        thread.segmented.connect(self._on_segmented)
        thread.explained.connect(self.explained)
        thread.found.connect(self._on_found)
        thread.stepped.connect(self._on_stepped)
        thread.ended.connect(self._on_ended)
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
            if not isinstance(job, Prepare | Explain) and not _is_hover(job):
                self._interactions.asked(job.id)
            self._thread.inbox.put(job)

    def cancel(self) -> None:
        """Stop the long job; what it has answered so far is delivered before this returns."""
        if self._thread is not None:
            self._thread.inbox.cancel()
            self.deliver()

    def deliver(self) -> None:
        """Deliver now the answers that wait in the event queue of this thread."""
        QCoreApplication.sendPostedEvents(self, QEvent.Type.MetaCall.value)

    def accept(self) -> None:
        """Take note that the answer that is told just now is used by whom it is told."""
        self._interactions.accept()

    def take_in(self, kind: str, job_id: int, value: object) -> None:
        """Tell an answer that has come: "masks", what was "found", a "step" or the "end"."""
        signals = {
            MASKS: self.segmented,
            FOUND: self.found,
            STEP: self.stepped,
            END: self.ended,
        }
        told = signals[kind]
        with self._interactions.answering(kind, job_id):
            told.emit(job_id, value)

    @Slot(int, object)
    def _on_segmented(self, job_id: int, candidates: object) -> None:
        self.take_in(MASKS, job_id, candidates)

    @Slot(int, object)
    def _on_found(self, job_id: int, proposals: object) -> None:
        self.take_in(FOUND, job_id, proposals)

    @Slot(int, object)
    def _on_stepped(self, job_id: int, step: object) -> None:
        self.take_in(STEP, job_id, step)

    @Slot(int, object)
    def _on_ended(self, job_id: int, error: object) -> None:
        self.take_in(END, job_id, error)


def _is_hover(job: Job) -> bool:
    return isinstance(job, Segment) and job.hover
