"""Playing the video in the window."""

import time

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from app.session.session import Session


class Player(QObject):
    """Moves the session's current frame on with the clock; drops frames rather than lag.

    It plays from the in to the out point where they are set, and stops at the end.
    """

    playing_changed = Signal(bool)

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._began_at = 0.0
        self._began_on = 0
        self._expected = 0
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        session.opened.connect(self.stop)
        session.frame_changed.connect(self._on_frame_changed)

    @property
    def is_playing(self) -> bool:
        """Whether the video plays."""
        return self._timer.isActive()

    @Slot()
    def toggle(self) -> None:
        """Play, or pause."""
        if self.is_playing:
            self.stop()
        elif self._session.is_open:
            self._start()

    @Slot()
    def stop(self) -> None:
        """Pause where it is."""
        if self.is_playing:
            self._timer.stop()
            self.playing_changed.emit(False)

    def _start(self) -> None:
        first, last = self._range()
        if not first <= self._session.frame < last:
            self._session.go_to(first)
        self._set_off()
        self._timer.start(max(1, round(1000 / self._fps())))
        self.playing_changed.emit(True)

    def _set_off(self) -> None:
        self._began_at = time.monotonic()
        self._began_on = self._expected = self._session.frame

    @Slot()
    def _tick(self) -> None:
        passed = time.monotonic() - self._began_at
        _, last = self._range()
        self._expected = min(last, self._began_on + int(passed * self._fps()))
        if self._expected != self._session.frame:
            self._session.go_to(self._expected)
        if self._expected >= last:
            self.stop()

    @Slot(int)
    def _on_frame_changed(self, frame: int) -> None:
        # A jump by the person while it plays: go on from there.
        if self.is_playing and frame != self._expected:
            self._set_off()

    def _fps(self) -> float:
        return self._session.fps or 25.0

    def _range(self) -> tuple[int, int]:
        session = self._session
        first = session.in_point or 0
        last = session.frame_count - 1 if session.out_point is None else session.out_point
        return first, last
