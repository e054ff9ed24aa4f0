"""The guard of a field against the mouse wheel that passes over it."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtWidgets import QComboBox, QWidget


def keep_from_wheel(widget: QWidget) -> None:
    """Let the wheel pass over `widget` to what scrolls behind it.

    A field that has the focus still counts up and down with it; a combo box never does, since it
    has a list to choose from, and keeps the focus long after somebody chose.
    """
    widget.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # the wheel itself gives no focus
    widget.installEventFilter(_WheelGuard(widget))


class _WheelGuard(QObject):
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is not QEvent.Type.Wheel or not isinstance(watched, QWidget):
            return False
        if watched.hasFocus() and not isinstance(watched, QComboBox):
            return False
        event.ignore()  # goes on to the parent
        return True
