"""The votes of the memory: which remembered frames decided about a pixel."""

from PySide6.QtCore import QObject, Signal, Slot

from app.engine.jobs import Explain
from app.session.inference.engine import Engine
from app.session.state.context import SessionContext
from app.session.state.status import SessionState
from models.api import Vote


class MemoryVotes(QObject):
    """Asks the model that propagated last; an answer to an older question is dropped."""

    changed = Signal()

    def __init__(self, context: SessionContext, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._video, self._view, self._status = context.video, context.view, context.status
        self._engine = engine
        self._asked: tuple[int, tuple[int, float, float]] | None = None
        self.votes: tuple[Vote, ...] = ()  # the strongest first
        self.at: tuple[int, float, float] | None = None  # frame, x and y that they are about
        engine.explained.connect(self._on_explained)
        engine.ended.connect(self._on_ended)
        context.video.opened.connect(self._forget)

    @Slot(float, float)
    def ask(self, x: float, y: float) -> None:
        """Ask which frames vote for a pixel of the current frame, of the selected object if any."""
        if not self._video.is_open:
            return
        if self._status.state is not SessionState.IDLE:
            text = "The memory can be asked once nothing is running. Wait, or stop it with Esc."
            self._status.report("warning", text)
            return
        frame = self._view.frame
        job = Explain(self._engine.next_id(), frame, x, y, self._view.selected)
        self._asked = (job.id, (frame, x, y))
        self._engine.put(job)

    @Slot(int, object)
    def _on_explained(self, job_id: int, votes: tuple[Vote, ...]) -> None:
        if self._asked is None or self._asked[0] != job_id:
            return
        self.at, self.votes = self._asked[1], votes
        if not votes:
            text = "Nothing is remembered of this object. Propagate it first, then ask again."
            self._status.report("info", text)
        self.changed.emit()

    @Slot(int, object)
    def _on_ended(self, job_id: int, error: Exception | None) -> None:
        if self._asked is not None and self._asked[0] == job_id:
            self._asked = None
            if error is not None:
                self._status.report("warning", str(error))

    @Slot()
    def _forget(self) -> None:
        self._asked, self.at, self.votes = None, None, ()
        self.changed.emit()
