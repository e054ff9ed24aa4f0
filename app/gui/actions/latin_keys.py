"""The keys of letters on Cyrillic keyboards: they do what the Latin letter in their place does."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QWidget

_CYRILLIC = "йцукенгшщзфывапролдячсмитьіў"
_LATIN = "qwertyuiopasdfghjklzxcvbnmso"
_PLACES = dict(zip(_CYRILLIC.upper(), _LATIN.upper(), strict=True))
_LAST = 0xFFFF  # the keys behind it, as the arrows, have no letter
_CONTROL, _ALT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.AltModifier
_SHIFT, _KEYPAD = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.KeypadModifier
_ALL = {"Ctrl": _CONTROL, "Alt": _ALT, "Shift": _SHIFT}  # in the order of a key sequence
_Standard = QKeySequence.StandardKey
_EDITING = (
    _Standard.Copy, _Standard.Cut, _Standard.Paste, _Standard.SelectAll,
    _Standard.Undo, _Standard.Redo,
)  # fmt: skip


class LatinKeys(QObject):
    """Does what the Latin letter does; text fields keep what is typed into them.

    With Ctrl they are told of the Latin letter, where it copies, pastes or takes back. Qt does so
    by itself only where a Latin layout is set up beside the other.
    """

    def __init__(self, actions: Callable[[], Iterable[QAction]], parent: QObject) -> None:
        super().__init__(parent)
        self._actions = actions

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not (
            event.type() is QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and isinstance(watched, QWidget)
        ):
            return False
        key = event.key()  # with Ctrl there is no text
        letter = _PLACES.get(chr(key)) if key <= _LAST else None
        modifiers = event.modifiers() & ~_KEYPAD
        if letter is None or modifiers & ~(_CONTROL | _ALT | _SHIFT):
            return False
        if watched.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled):
            if not modifiers & _CONTROL or modifiers & _ALT:  # both are AltGr, which writes
                return False
            latin = QKeyEvent(event.type(), ord(letter), modifiers)
            if any(latin.matches(each) for each in _EDITING):
                return QApplication.sendEvent(watched, latin)
        return self._trigger(letter, modifiers, watched)

    def _trigger(self, letter: str, modifiers: Qt.KeyboardModifier, watched: QWidget) -> bool:
        """Trigger the action of a letter; return whether there is one."""
        held = [name for name, modifier in _ALL.items() if modifiers & modifier]
        keys = QKeySequence("+".join((*held, letter)))
        for action in self._actions():
            if action.isEnabled() and keys in action.shortcuts() and _is_heard(action, watched):
                action.trigger()
                return True
        return False


def _is_heard(action: QAction, widget: QWidget) -> bool:
    """Whether the window of a widget has the action."""
    return action in widget.window().actions()
