"""The status of a session: what it is busy with, and the sentences that it says to the person."""

import enum
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from models.api import WeightsInvalidError, WeightsMissingError


class SessionState(enum.Enum):
    """What the session is busy with; one place changes it."""

    IDLE = "idle"
    SEGMENTING = "segmenting"
    PROPAGATING = "propagating"
    REFINING = "refining"
    CLOSING = "closing"


class Topic(enum.Enum):
    """What a report is about, where a person can do something about it, or it soon is past."""

    NOTHING = "nothing"
    WAITING = "waiting"  # of a job that has still to begin
    CHANGES = "changes"  # of a job, which can be looked at and undone
    RUNS = "runs"  # between annotated frames, each of which is accepted or rejected
    ENDED = "ended"  # of what was under way: said in the next video, too, if that has ended it
    MODELS = "models"  # that are not here, or not sound, and could be fetched


@dataclass(frozen=True, slots=True)
class Report:
    """One sentence for the status line. `level` is "info", "warning" or "error"."""

    level: str
    text: str
    topic: Topic = Topic.NOTHING


def topic_of(error: Exception | None) -> Topic:
    """Return what a report of this error is about."""
    of_weights = isinstance(error, WeightsMissingError | WeightsInvalidError)
    return Topic.MODELS if of_weights else Topic.NOTHING


class Status(QObject):
    """What the session is busy with, and what it tells the person."""

    state_changed = Signal(object)  # SessionState
    reported = Signal(object)  # Report
    first_number_wanted = Signal(str, object)  # question; Callable[[int], None] for the answer

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._state = SessionState.IDLE

    @property
    def state(self) -> SessionState:
        """What the session is busy with."""
        return self._state

    def enter(self, state: SessionState) -> None:
        """Say what the session is busy with."""
        if state is not self._state:
            self._state = state
            self.state_changed.emit(state)

    def report(self, level: str, text: str, topic: Topic = Topic.NOTHING) -> None:
        """Put one sentence on the status line; see `Report`."""
        self.reported.emit(Report(level, text, topic))
