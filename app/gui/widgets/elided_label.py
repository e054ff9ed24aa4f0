"""The label that gives way where there is no room."""

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QLabel, QWidget

from app.gui.widgets.words import verbatim_tip

_LEAST = 10  # characters: enough to be noticed and pointed at


class ElidedLabel(QLabel):
    """One line of plain text that hardly widens its window: `mode` says where it is cut.

    The tool tip has all of it.
    """

    def __init__(
        self, mode: Qt.TextElideMode = Qt.TextElideMode.ElideRight, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._mode = mode
        self.setTextFormat(Qt.TextFormat.PlainText)

    @Slot(str)
    def setText(self, text: str) -> None:
        """Show `text`, as far as there is room."""
        super().setText(text)
        self.setToolTip(verbatim_tip(text))

    def minimumSizeHint(self) -> QSize:
        whole = super().minimumSizeHint()
        least = _LEAST * self.fontMetrics().averageCharWidth()
        return QSize(min(least, whole.width()), whole.height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        room = self.contentsRect()
        shown = self.fontMetrics().elidedText(self.text(), self._mode, room.width())
        QPainter(self).drawText(room, self.alignment(), shown)
