"""The command palette: a command found by its name."""

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import (
    QDialog,
    QHeaderView,
    QLabel,
    QLineEdit,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from app.gui.actions.actions import keys_text

_PASSED_ON = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}


def fit(words: str, name: str) -> int | None:
    """Return how well a name fits what was typed (0 = best), or None where it does not.

    Every word must occur in the name; the beginning of a word counts more than its middle.
    """
    name = name.casefold()
    cost = 0
    for word in words.casefold().split():
        at = name.find(word)
        if at < 0:
            return None
        begins = at == 0 or not name[at - 1].isalnum()
        cost += (0 if begins else 100) + at
    return cost


class CommandPalette(QDialog):
    """A field and the commands that fit what is typed in it; Enter runs the first or chosen one."""

    def __init__(self, actions: Iterable[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Find a command"))
        self.resize(560, 420)
        self._actions = list(actions)
        self._items: list[QTreeWidgetItem] = []
        self._field = QLineEdit()
        self._field.setPlaceholderText(self.tr("Type what you want to do"))
        self._field.setAccessibleName(self.tr("Find a command"))
        self._list = QTreeWidget()
        self._list.setColumnCount(2)
        self._list.setHeaderHidden(True)
        self._list.setRootIsDecorated(False)
        self._list.setAccessibleName(self.tr("Commands"))
        self._list.setStyleSheet("QTreeView::item { min-height: 26px; }")
        self._nothing = QLabel(self.tr("No command has these words. Try others, or fewer."))
        self._nothing.setObjectName("dim")
        header = self._list.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setSectionResizeMode(1, QHeaderView.ResizeMode.ResizeToContents)
        layout = QVBoxLayout(self)
        layout.addWidget(self._field)
        layout.addWidget(self._nothing)
        layout.addWidget(self._list, 1)
        self._field.textChanged.connect(self._fill)
        self._field.returnPressed.connect(self._run)
        self._list.itemActivated.connect(self._run)
        self._field.installEventFilter(self)
        self._fill("")
        self._field.setFocus()

    def names(self) -> list[str]:
        """Return the commands that are offered, best first."""
        return [item.text(0) for item in self._items]

    @Slot(str)
    def _fill(self, words: str) -> None:
        self._list.clear()
        ranked = [
            (cost, not action.isEnabled(), row, action)
            for row, action in enumerate(self._actions)
            if (cost := fit(words, f"{action.iconText()} {action.statusTip()}")) is not None
        ]
        ranked.sort(key=lambda item: item[:3])
        self._items = [_item(action, row) for _, _, row, action in ranked]
        self._list.addTopLevelItems(self._items)
        self._nothing.setVisible(not self._items)
        if self._items:
            self._list.setCurrentItem(self._items[0])

    @Slot()
    def _run(self) -> None:
        item = self._list.currentItem()
        if item is None or item.isDisabled():
            return
        self.accept()
        self._actions[int(item.data(0, Qt.ItemDataRole.UserRole))].trigger()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # The list is worked from the field, so that nobody has to leave it.
        if (
            event.type() is QEvent.Type.KeyPress
            and isinstance(event, QKeyEvent)
            and Qt.Key(event.key()) in _PASSED_ON
        ):
            self._list.keyPressEvent(event)
            return True
        return super().eventFilter(watched, event)


def _item(action: QAction, row: int) -> QTreeWidgetItem:
    item = QTreeWidgetItem([action.iconText(), keys_text(action)])
    item.setIcon(0, action.icon())
    item.setToolTip(0, action.toolTip())
    item.setDisabled(not action.isEnabled())
    item.setData(0, Qt.ItemDataRole.UserRole, row)
    return item
