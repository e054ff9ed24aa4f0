"""The bar over the timeline: play, step, and where one is."""

from collections.abc import Iterable

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QLabel, QSpinBox, QToolBar, QWidget

from app.gui.widgets.words import clock
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState


class Transport(QToolBar):
    """Buttons to move through the video, and a field with the frame that can be typed over."""

    def __init__(self, video: CurrentVideo, view: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._video, self._view = video, view
        self.setWindowTitle(self.tr("Transport"))
        self._frame = QSpinBox()
        self._frame.setKeyboardTracking(False)
        self._frame.setAccessibleName(self.tr("Frame"))
        self._frame.setToolTip(self.tr("The frame shown; type another and press Enter"))
        self._where = QLabel()
        self._frame.valueChanged.connect(self._on_typed)
        video.opened.connect(self._on_opened)
        view.frame_changed.connect(self._show)

    def set_actions(self, move: Iterable[QAction], mark: Iterable[QAction]) -> None:
        """Lay the bar out: what moves, the frame, what marks."""
        self.addActions(list(move))
        self.addSeparator()
        self.addWidget(self._frame)
        self.addWidget(self._where)
        self.addSeparator()
        self.addActions(list(mark))
        self._on_opened()

    @Slot()
    def _on_opened(self) -> None:
        self._frame.blockSignals(True)
        self._frame.setRange(0, max(0, self._video.frame_count - 1))
        self._frame.blockSignals(False)
        self._show()

    @Slot()
    def _show(self) -> None:
        frame = self._view.frame
        self._frame.blockSignals(True)
        self._frame.setValue(frame)
        self._frame.blockSignals(False)
        last = max(0, self._video.frame_count - 1)
        self._where.setText(f" / {last}   {clock(self._video.time_of(frame))}  ")

    @Slot(int)
    def _on_typed(self, frame: int) -> None:
        self._view.go_to(frame)
        # Hand the keys back: the next letter is a shortcut again, not text.
        self._frame.clearFocus()
