"""Fields of a form: what a combo box offers, and the wheel that passes over one."""

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import QComboBox, QWidget

from app.session.choices import Option


def fill_options(box: QComboBox, options: Iterable[Option]) -> None:
    """Add `options` to a combo box, those that cannot be used greyed with the reason.

    The data of an item is the option's value.
    """
    for option in options:
        box.addItem(option.label, option.value)
        row = box.count() - 1
        box.setItemData(row, option.lacks or option.about, Qt.ItemDataRole.ToolTipRole)
        if option.lacks:
            model = box.model()
            if isinstance(model, QStandardItemModel):
                model.item(row).setEnabled(False)


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
