"""The status of a session: what it is busy with, and the sentences that it says to the person."""

import enum
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal


class SessionState(enum.Enum):
    """What the session is busy with; one place changes it."""

    IDLE = "idle"
    SEGMENTING = "segmenting"
    PROPAGATING = "propagating"
    REFINING = "refining"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Report:
    """One sentence for the status line. `level` is "info", "warning" or "error".

    `of_changes`: it tells what a job has changed, which can be looked at and undone.
    """

    level: str
    text: str
    of_changes: bool = False


class Status(QObject):
    """What the session is busy with, and what it tells the person."""

    state_changed = Signal(object)  # SessionState
    reported = Signal(object)  # Report

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

    def report(self, level: str, text: str, *, of_changes: bool = False) -> None:
        """Put one sentence on the status line; see `Report`."""
        self.reported.emit(Report(level, text, of_changes))
