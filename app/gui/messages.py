"""Messages over the picture: what happened and what to do, without stopping anybody."""

import enum

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from app.gui.theme import icon


class Level(enum.Enum):
    """How much a message matters; an error stays until it is dismissed."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_ICONS = {
    Level.INFO: "mdi6.information-outline",
    Level.WARNING: "mdi6.alert-outline",
    Level.ERROR: "mdi6.alert-octagon-outline",
}
_SHOWN_MS = {Level.INFO: 6_000, Level.WARNING: 15_000}
_MOST = 4
_WIDTH = 520
_MARGIN = 12


class Message(QFrame):
    """One message with a button that dismisses it."""

    dismissed = Signal(object)  # itself

    def __init__(self, level: Level, text: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.level = level
        self.setObjectName("message")
        self.setProperty("level", level.value)
        self.setAccessibleName(text)
        mark = QLabel()
        mark.setPixmap(icon(_ICONS[level]).pixmap(20, 20))
        self._label = QLabel(text)
        self._label.setWordWrap(True)
        self._label.setTextFormat(Qt.TextFormat.PlainText)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QToolButton()
        close.setObjectName("flat")
        close.setIcon(icon("mdi6.close"))
        close.setToolTip(self.tr("Dismiss"))
        close.setAccessibleName(self.tr("Dismiss message"))
        close.clicked.connect(self._dismiss)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 6, 6, 6)
        layout.addWidget(mark)
        layout.addWidget(self._label, 1)
        layout.addWidget(close)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._dismiss)
        self.restart()

    @property
    def text(self) -> str:
        """What it says."""
        return self._label.text()

    def restart(self) -> None:
        """Let the time that it is shown begin anew; an error has no such time."""
        if self.level in _SHOWN_MS:
            self._timer.start(_SHOWN_MS[self.level])

    def leave(self) -> None:
        """Go away for good; until it is deleted it says nothing more."""
        self._timer.stop()
        self.hide()
        self.deleteLater()

    @Slot()
    def _dismiss(self) -> None:
        self.dismissed.emit(self)


class Messages(QWidget):
    """The messages in view, newest below, in the lower left corner of `host`."""

    def __init__(self, host: QWidget) -> None:
        super().__init__(host)
        self._host = host
        self._shown: list[Message] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(6)
        host.installEventFilter(self)
        self.hide()

    @property
    def texts(self) -> tuple[str, ...]:
        """What the messages in view say."""
        return tuple(message.text for message in self._shown)

    def show_message(self, level: Level, text: str) -> None:
        """Show `text`; a message already in view that says the same is shown longer instead."""
        for message in self._shown:
            if message.text == text:
                message.restart()
                return
        message = Message(level, text, self)
        message.dismissed.connect(self._remove)
        self._shown.append(message)
        self._layout.addWidget(message)
        self._drop_oldest()
        self.show()
        message.show()  # now: what is hidden still has no room in the layout
        self.raise_()
        self._place()
        QAccessible.updateAccessibility(QAccessibleEvent(message, QAccessible.Event.Alert))

    def clear(self) -> None:
        """Dismiss everything but errors."""
        for message in [m for m in self._shown if m.level is not Level.ERROR]:
            self._remove(message)

    def _drop_oldest(self) -> None:
        passing = [message for message in self._shown if message.level is not Level.ERROR]
        while len(self._shown) > _MOST and passing:
            self._remove(passing.pop(0))

    @Slot(object)
    def _remove(self, message: Message) -> None:
        self._shown.remove(message)
        self._layout.removeWidget(message)
        message.leave()
        self.setVisible(bool(self._shown))
        self._place()

    def _place(self) -> None:
        width = min(_WIDTH, self._host.width() - 2 * _MARGIN)
        self.setFixedWidth(max(width, 1))
        self._layout.activate()
        self.resize(self.width(), self._layout.heightForWidth(self.width()))
        self.move(_MARGIN, self._host.height() - self.height() - _MARGIN)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)
