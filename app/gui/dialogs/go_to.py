"""The dialog that goes to a frame or a time that is typed."""

import re

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.gui.widgets.words import clock
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState

_FRAME = re.compile(r"\d+")
_TIME = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:[.,]\d*)?)\s*s?")


def frame_of(text: str, *, fps: float, count: int) -> int | None:
    """Return the frame that `text` means, or None.

    A whole number is a frame; `12.5`, `12s`, `0:41.43` and `1:02:03` are times. Frames outside the
    video mean nothing.
    """
    text = text.strip()
    if _FRAME.fullmatch(text):
        frame = int(text)
    elif found := _TIME.fullmatch(text):
        hours, minutes, seconds = (
            float((part or "0").replace(",", ".")) for part in found.groups()
        )
        frame = round((hours * 3600 + minutes * 60 + seconds) * fps)
    else:
        return None
    return frame if 0 <= frame < count else None


class GoToDialog(QDialog):
    """Asks for a frame or a time, and goes there on Enter."""

    def __init__(self, video: CurrentVideo, view: ViewState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._video, self._view = video, view
        self.setWindowTitle(self.tr("Go to"))
        last = video.frame_count - 1
        said = QLabel(
            self.tr("Frame 0 to {}, or a time up to {}").format(
                last, clock(last / (video.fps or 25.0))
            )
        )
        self._field = QLineEdit(str(view.frame))
        self._field.setAccessibleName(self.tr("Frame or time"))
        self._field.selectAll()
        self._wrong = QLabel()
        self._wrong.setObjectName("dim")
        self._buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        self._field.textChanged.connect(self._check)
        layout = QVBoxLayout(self)
        for widget in (said, self._field, self._wrong, self._buttons):
            layout.addWidget(widget)
        self._check()

    def _frame(self) -> int | None:
        return frame_of(
            self._field.text(), fps=self._video.fps or 25.0, count=self._video.frame_count
        )

    def _check(self) -> None:
        frame = self._frame()
        self._buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(frame is not None)
        examples = QCoreApplication.translate("GoToDialog", "For example 120, 4.5s or 1:07")
        self._wrong.setText(examples if frame is None else self.tr("Frame {}").format(frame))

    def accept(self) -> None:
        """Go there, where the text means a frame."""
        frame = self._frame()
        if frame is not None:
            self._view.go_to(frame)
            super().accept()
