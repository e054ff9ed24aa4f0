"""The list of jobs: the running one, and those that wait, each with what can be done to it."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.gui.widgets.elided_label import ElidedLabel
from app.gui.widgets.theme import icon
from app.session.jobs.runner import JobRunner

_WIDTH = 460


class JobsList(QFrame):
    """A small window over the status bar; it closes with the next click elsewhere."""

    def __init__(self, jobs: JobRunner, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._jobs, self._queue = jobs, jobs.queue
        self._running = ""
        self.setObjectName("jobs")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setAccessibleName(self.tr("Jobs"))
        self._rows = QVBoxLayout(self)
        self._rows.setContentsMargins(12, 8, 8, 8)
        jobs.queue.changed.connect(self._refill)
        jobs.progress_changed.connect(self._on_progress)
        self._refill()

    @property
    def titles(self) -> list[str]:
        """What is listed, the running job first."""
        return [label.text() for label in self.findChildren(ElidedLabel)]

    def open_over(self, widget: QWidget) -> None:
        """Show the list with its lower right corner at the upper one of `widget`."""
        self._refill()
        corner = widget.mapToGlobal(QPoint(widget.width(), 0))
        self.move(max(corner.x() - self.width(), 0), max(corner.y() - self.height() - 4, 0))
        self.show()

    @Slot()
    def _on_progress(self) -> None:
        if self._jobs.running[0] != self._running:
            self._refill()

    @Slot()
    def _refill(self) -> None:
        while (item := self._rows.takeAt(0)) is not None:
            if (widget := item.widget()) is not None:
                widget.setParent(None)
                widget.deleteLater()
        self._running = self._jobs.running[0]
        waiting = self._queue.waiting
        if self._running:
            row = self._add(self.tr("now"), self._running)
            self._button(row, "stop-circle-outline", self.tr("Stop"), self._jobs.stop_running)
        for place, (number, title) in enumerate(waiting, start=1):
            row = self._add(str(place), title)
            self._mover(row, number, -1)
            down = self._mover(row, number, 1)
            down.setEnabled(place < len(waiting))
            self._dropper(row, number)
        if not self._running and not waiting:
            empty = QLabel(self.tr("Nothing runs and nothing waits."))
            empty.setObjectName("dim")
            self._rows.addWidget(empty)
        self.resize(_WIDTH, self._rows.totalSizeHint().height())

    def _add(self, place: str, title: str) -> QHBoxLayout:
        line = QWidget()
        row = QHBoxLayout(line)
        row.setContentsMargins(0, 0, 0, 0)
        where = QLabel(place)
        where.setObjectName("dim")
        where.setFixedWidth(44)
        label = ElidedLabel(Qt.TextElideMode.ElideMiddle)
        label.setText(title)
        row.addWidget(where)
        row.addWidget(label, 1)
        self._rows.addWidget(line)
        return row

    def _mover(self, row: QHBoxLayout, number: int, places: int) -> QToolButton:
        text = self.tr("Run earlier; the first goes before the one that runs")
        if places > 0:
            text = self.tr("Run later")
        name = "arrow-up" if places < 0 else "arrow-down"
        return self._button(row, name, text, lambda: self._queue.move(number, places))

    def _dropper(self, row: QHBoxLayout, number: int) -> None:
        self._button(row, "close", self.tr("Do not run"), lambda: self._queue.drop(number))

    def _button(
        self, row: QHBoxLayout, name: str, text: str, call: Callable[[], None]
    ) -> QToolButton:
        button = QToolButton()
        button.setObjectName("flat")
        button.setIcon(icon(f"mdi6.{name}"))
        button.setToolTip(text)
        button.setAccessibleName(text)
        button.clicked.connect(call)
        row.addWidget(button)
        return button


class JobsButton(QToolButton):
    """Says how many jobs wait, while any does; opens the list."""

    def __init__(self, jobs: JobRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._queue = jobs.queue
        self._list = JobsList(jobs, self)
        self.setToolTip(self.tr("What waits for the running job: order it, or let it go"))
        self.clicked.connect(self.open_list)
        jobs.queue.changed.connect(self._count)
        self._count()

    @property
    def list(self) -> JobsList:
        """The list that it opens."""
        return self._list

    @Slot()
    def open_list(self) -> None:
        """Open the list over the status bar."""
        self._list.open_over(self if self.isVisible() else self.parentWidget() or self)

    @Slot()
    def _count(self) -> None:
        count = len(self._queue.waiting)
        self.setText(self.tr("{} waiting").format(count))
        self.setVisible(count > 0)
