"""The keys that stay with the widget that has the focus, though an action has them as shortcut."""

from PySide6.QtCore import SIGNAL, QEvent, QObject, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QGraphicsView,
    QLineEdit,
    QMenuBar,
    QPlainTextEdit,
    QTabBar,
    QTextEdit,
    QWidget,
)

from app.gui.panels.visor.filmstrip import Filmstrip

Key = Qt.Key
_WITH_COMMAND = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
_EDITORS = (QLineEdit, QAbstractSpinBox, QPlainTextEdit, QTextEdit)
_UP_DOWN = {Key.Key_Up, Key.Key_Down}
_PAGING = {Key.Key_Home, Key.Key_End, Key.Key_PageUp, Key.Key_PageDown}
_ARROWS = {Key.Key_Left, Key.Key_Right, *_UP_DOWN}
_ENTER = {Key.Key_Return, Key.Key_Enter}
_USED: tuple[tuple[type[QWidget], set[Qt.Key]], ...] = (
    (QAbstractButton, {Key.Key_Space}),
    (QComboBox, {Key.Key_Space, *_UP_DOWN}),
    (QAbstractSlider, _ARROWS | _PAGING),
    (QAbstractItemView, {Key.Key_Space} | _UP_DOWN | _PAGING),
    (Filmstrip, {Key.Key_Left, Key.Key_Right}),
    (QMenuBar, {Key.Key_Space, Key.Key_Escape} | _ARROWS | _ENTER),
    (QTabBar, {Key.Key_Left, Key.Key_Right, Key.Key_Home, Key.Key_End}),
)


def keeps(widget: QWidget, key: Qt.Key, modifiers: Qt.KeyboardModifier) -> bool:
    """Whether `widget` uses the key itself: text fields all, others what they are worked with."""
    if modifiers & _WITH_COMMAND:
        return False
    if key == Key.Key_Tab:
        # On the picture it goes through candidate masks, elsewhere from widget to widget.
        return not isinstance(widget, QGraphicsView)
    if isinstance(widget, _EDITORS):
        return key != Key.Key_Escape
    if modifiers & ~Qt.KeyboardModifier.KeypadModifier:
        return False
    if isinstance(widget, QAbstractItemView) and key in _ENTER:
        # A list in which Enter chooses nothing has no use for it.
        return widget.receivers(SIGNAL("activated(QModelIndex)")) > 0
    return any(isinstance(widget, kind) and key in used for kind, used in _USED)


class FocusKeys(QObject):
    """Takes shortcuts back for the focused widget; an event filter of the application.

    A drop-down keeps its focus ring when its list closes, where Qt takes it for clicked.
    """

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(watched, QComboBox) and _came_back(event):
            watched.window().setAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
            watched.update()
        if (
            event.type() is QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            # Parents are asked too where the focused widget passes; what they are does not matter.
            and watched is QApplication.focusWidget()
            and isinstance(watched, QWidget)
            # No shortcut reaches an open drop-down, and it chooses with this very event.
            and watched.window() is not QApplication.activePopupWidget()
            and keeps(watched, Key(event.key()), event.modifiers())
        ):
            event.accept()
            return True
        return False


def _came_back(event: QEvent) -> bool:
    """Whether the focus comes back from a list that has closed, or a key is pressed there."""
    if event.type() is QEvent.Type.FocusIn:
        return isinstance(event, QFocusEvent) and event.reason() is Qt.FocusReason.PopupFocusReason
    return event.type() is QEvent.Type.KeyPress
