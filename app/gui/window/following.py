"""Showing the frame that a propagation has just finished."""

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtGui import QGuiApplication

from app.session.session import Session
from app.session.signals import Progress, SessionState


class Follower(QObject):
    """Goes along with a propagation for as long as the person leaves the picture alone.

    Who goes to another frame or edits something stays there until the next propagation.
    """

    def __init__(self, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        self._left_alone = False
        self._going = False
        session.state_changed.connect(self._on_state_changed)
        session.progress_changed.connect(self._on_progress)
        session.frame_changed.connect(self._on_frame_changed)
        session.undo_stack.indexChanged.connect(self._stop)

    @Slot(object)
    def _on_state_changed(self, state: SessionState) -> None:
        self._left_alone = state is SessionState.PROPAGATING

    @Slot(object)
    def _on_progress(self, progress: Progress | None) -> None:
        wanted = self._left_alone and self._session.settings.follow_playhead
        # A gesture under way would be dropped with the frame that it is made on.
        held = QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton
        if progress is None or not wanted or held:
            return
        self._going = True
        self._session.go_to(progress.at)
        self._going = False

    @Slot()
    def _on_frame_changed(self) -> None:
        if not self._going:
            self._stop()

    @Slot()
    def _stop(self) -> None:
        self._left_alone = False
