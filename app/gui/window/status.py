"""The status bar: machine, running job, last save."""

from datetime import datetime

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QStatusBar,
    QToolButton,
    QWidget,
)

from app.gui.panels.jobs import JobsButton
from app.gui.widgets.elided_label import ElidedLabel
from app.gui.widgets.theme import icon
from app.gui.widgets.words import duration
from app.gui.window.process.memory import resident_bytes
from app.session.files.autosave import Autosave
from app.session.jobs.progress import Progress
from app.session.jobs.runner import JobRunner
from app.session.resources import resource_use
from app.session.state.preferences import Preferences
from app.session.state.video import CurrentVideo

_REFRESH_MS = 2_000
_MIB = 1024**2
_GIB = 1024**3


class JobProgress(QWidget):
    """How far the running job is, how fast, how long it still takes, and a button that stops it."""

    def __init__(self, jobs: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # In the middle: the name of an object goes before how far the job is.
        self._label = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        self._bar = QProgressBar()
        self._bar.setFixedWidth(140)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(self.tr("Progress of the running job"))
        button = QToolButton()
        button.setText(self.tr("Stop"))
        button.setIcon(icon("mdi6.stop-circle-outline"))
        button.setToolTip(self.tr("Stop this job and go on with the next; its results are kept"))
        button.clicked.connect(jobs.stop_running)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._label)
        layout.addWidget(self._bar)
        layout.addWidget(button)
        self.hide()

    @property
    def text(self) -> str:
        """What it says."""
        return self._label.text()

    def show_progress(self, progress: Progress | None) -> None:
        """Show `progress`; None hides it all."""
        self.setVisible(progress is not None)
        if progress is None:
            return
        self._bar.setUpdatesEnabled(False)  # it would repaint at once, and all that waits with it
        self._bar.setRange(0, progress.total)
        self._bar.setValue(progress.done)
        self._bar.setUpdatesEnabled(True)
        self._label.setText(self._words(progress))

    def _words(self, progress: Progress) -> str:
        parts = [progress.text]
        if progress.total > 1:
            parts.append(self.tr("{} of {}").format(progress.done, progress.total))
        if progress.fps is not None:
            parts.append(self.tr("{} fps").format(f"{progress.fps:.3g}"))
        if progress.seconds_left is not None:
            parts.append(self.tr("{} left").format(duration(progress.seconds_left)))
        return " · ".join(parts)


class StatusBar(QStatusBar):
    """What the machine and the session are doing."""

    def __init__(
        self,
        video: CurrentVideo,
        jobs: JobRunner,
        autosave: Autosave,
        preferences: Preferences,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._video, self._preferences = video, preferences
        self._machine = ElidedLabel()
        self._machine.setAccessibleName(self.tr("Device and memory"))
        self._pointer = QLabel()
        self._pointer.setMinimumWidth(150)
        self._progress = JobProgress(jobs)
        self._jobs = JobsButton(jobs)
        self._saved = QLabel()
        self._saved.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.addWidget(self._machine)
        self.addWidget(self._pointer)
        self.addPermanentWidget(self._progress)
        self.addPermanentWidget(self._jobs)
        self.addPermanentWidget(self._saved)
        jobs.progress_changed.connect(self._on_progress)
        autosave.saved.connect(self._on_saved)
        autosave.failing_changed.connect(self._on_failing_changed)
        video.opened.connect(self._on_opened)
        self._timer = QTimer(self, interval=_REFRESH_MS)
        self._timer.timeout.connect(self.refresh)
        self._timer.start()
        self.refresh()

    @property
    def progress(self) -> JobProgress:
        """The running job."""
        return self._progress

    @property
    def jobs(self) -> JobsButton:
        """How many jobs wait."""
        return self._jobs

    @property
    def saved_text(self) -> str:
        """When the project was written last, or that it cannot be, in words."""
        return self._saved.text()

    @Slot()
    def refresh(self) -> None:
        """Read memory and caches anew."""
        use = resource_use(self._video, self._preferences)
        parts = [self.tr("device {}").format(use.device)]
        if use.device_bytes is not None:
            of = f" / {use.device_limit / _GIB:.0f}" if use.device_limit else ""
            parts.append(f"{use.device_bytes / _GIB:.1f}{of} GB")
        resident = resident_bytes()
        if resident is not None:
            parts.append(self.tr("memory {}").format(_size(resident)))
        if use.cache_limit:
            share = f"{use.cache_bytes / use.cache_limit:.0%}"
            parts.append(self.tr("frames cached {}").format(share))
        self._machine.setText(" · ".join(parts))

    @Slot(float, float)
    def show_pointer(self, x: float, y: float) -> None:
        """Say which pixel the mouse is on."""
        height, width = self._video.size
        inside = 0 <= x < width and 0 <= y < height
        self._pointer.setText(self.tr("x {}, y {}").format(int(x), int(y)) if inside else "")

    @Slot(object)
    def _on_progress(self, progress: Progress | None) -> None:
        self._progress.show_progress(progress)

    @Slot(object)
    def _on_saved(self, when: datetime) -> None:
        self._saved.setText(self.tr("saved {} ✓").format(f"{when:%H:%M:%S}"))

    @Slot(bool)
    def _on_failing_changed(self, failing: bool) -> None:  # noqa: FBT001
        if failing:
            self._saved.setText(self.tr("not saved ✗"))

    @Slot()
    def _on_opened(self) -> None:
        self._saved.clear()
        self._pointer.clear()
        self.refresh()


def _size(count: int) -> str:
    return f"{count / _GIB:.1f} GB" if count >= _GIB else f"{count / _MIB:.0f} MB"
