"""The playhead moved by the clock, or along with a propagation."""

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication

from app.session.edits.history import History
from app.session.jobs.progress import Progress
from app.session.jobs.runner import JobRunner
from app.session.state.status import SessionState, Status
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState


class Player(QObject):
    """Moves the session's current frame on with the clock; drops frames rather than lag.

    It plays from the in to the out point where they are set, and stops at the end.
    """

    playing_changed = Signal(bool)

    def __init__(self, video: CurrentVideo, view: ViewState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._video, self._view = video, view
        self._began_at = 0.0
        self._began_on = 0
        self._expected = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        video.opened.connect(self.stop)
        view.frame_changed.connect(self._on_frame_changed)

    @property
    def is_playing(self) -> bool:
        """Whether the video plays."""
        return self._timer.isActive()

    @Slot()
    def toggle(self) -> None:
        """Play, or pause."""
        if self.is_playing:
            self.stop()
        elif self._video.is_open:
            self._start()

    @Slot()
    def stop(self) -> None:
        """Pause where it is."""
        if self.is_playing:
            self._timer.stop()
            self.playing_changed.emit(False)

    def _start(self) -> None:
        first, last = self._range()
        if not first <= self._view.frame < last:
            self._view.go_to(first)
        self._set_off()
        self._timer.start(max(1, round(1000 / self._fps())))
        self.playing_changed.emit(True)

    def _set_off(self) -> None:
        self._began_at = time.monotonic()
        self._began_on = self._expected = self._view.frame

    @Slot()
    def _tick(self) -> None:
        passed = time.monotonic() - self._began_at
        _, last = self._range()
        self._expected = min(last, self._began_on + int(passed * self._fps()))
        if self._expected != self._view.frame:
            self._view.go_to(self._expected)
        if self._expected >= last:
            self.stop()

    @Slot(int)
    def _on_frame_changed(self, frame: int) -> None:
        # A jump by the person while it plays: go on from there.
        if self.is_playing and frame != self._expected:
            self._set_off()

    def _fps(self) -> float:
        return self._video.fps or 25.0

    def _range(self) -> tuple[int, int]:
        first = self._view.in_point or 0
        last = self._video.frame_count - 1 if self._view.out_point is None else self._view.out_point
        return first, last


class Follower(QObject):
    """Goes along with a propagation for as long as the person leaves the picture alone.

    Who goes to another frame or edits something stays there until the next propagation. At the end
    of a heal the person is back on the frame that was corrected. `wanted` tells whether the person
    has chosen to be taken along.
    """

    def __init__(
        self,
        view: ViewState,
        jobs: JobRunner,
        status: Status,
        history: History,
        parent: QObject,
        *,
        wanted: Callable[[], bool],
    ) -> None:
        super().__init__(parent)
        self._view, self._jobs, self._wanted = view, jobs, wanted
        self._left_alone = False
        self._going = False
        self._home: int | None = None  # the frame that a heal began on
        status.state_changed.connect(self._on_state_changed)
        jobs.progress_changed.connect(self._on_progress)
        view.frame_changed.connect(self._on_frame_changed)
        history.changed.connect(self._on_history_changed)

    @Slot(object)
    def _on_state_changed(self, state: SessionState) -> None:
        if self._left_alone and self._home is not None:
            self._go(self._home)
        self._left_alone = state is SessionState.PROPAGATING
        self._home = None

    @Slot(object)
    def _on_progress(self, progress: Progress | None) -> None:
        wanted = self._left_alone and self._wanted()
        # A gesture under way would be dropped with the frame that it is made on.
        held = QGuiApplication.mouseButtons() != Qt.MouseButton.NoButton
        if progress is None or not wanted or held:
            return
        if progress.outward and self._home is None:
            self._home = self._view.frame
        self._go(progress.at)

    def _go(self, frame: int) -> None:
        self._going = True
        self._view.go_to(frame)
        self._going = False

    @Slot()
    def _on_frame_changed(self) -> None:
        if not self._going:
            self._stop()

    @Slot()
    def _on_history_changed(self) -> None:
        # Not by the job itself, which keeps what it has done, and has ended when it keeps the last.
        if self._jobs.running[0] and not self._jobs.newest:
            self._stop()

    @Slot()
    def _stop(self) -> None:
        self._left_alone = False
