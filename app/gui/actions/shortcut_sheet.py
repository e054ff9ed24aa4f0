"""The sheet of all keys."""

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QFont
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.gui.actions.actions import keys_text

_COLUMNS = 3
Group = tuple[str, tuple[tuple[str, str], ...]]  # title, (keys, what they do)


class ShortcutSheet(QDialog):
    """All keys, grouped as in the menus; the field above finds a word among them."""

    def __init__(self, groups: Iterable[Group], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Keyboard shortcuts"))
        self.resize(1160, 760)
        self._rows: list[tuple[QLabel, QLabel]] = []
        self._find = QLineEdit()
        self._find.setPlaceholderText(self.tr("Find a key or a word"))
        self._find.setAccessibleName(self.tr("Find a key or a word"))
        self._find.setClearButtonEnabled(True)
        self._find.textChanged.connect(self._filter)
        content = QWidget()
        columns = QHBoxLayout(content)
        columns.setSpacing(28)
        for column in _balanced([*groups, self._mouse_group()], _COLUMNS):
            columns.addLayout(self._column(column), 1)
        area = QScrollArea()
        area.setWidget(content)
        area.setWidgetResizable(True)
        layout = QVBoxLayout(self)
        layout.addWidget(self._find)
        layout.addWidget(area)

    def shown(self) -> list[str]:
        """Return what the visible rows do."""
        return [does.text() for keys, does in self._rows if not keys.isHidden()]

    def _column(self, groups: list[Group]) -> QVBoxLayout:
        layout = QVBoxLayout()
        layout.setSpacing(6)
        for title, rows in groups:
            heading = QLabel(title)
            heading.setObjectName("section")
            layout.addWidget(heading)
            grid = QGridLayout()
            grid.setColumnStretch(1, 1)
            grid.setHorizontalSpacing(12)
            grid.setVerticalSpacing(5)
            for line, (keys, does) in enumerate(rows):
                key_label, does_label = QLabel(keys), QLabel(does)
                font = QFont(key_label.font())
                font.setBold(True)
                key_label.setFont(font)
                key_label.setMinimumWidth(110)
                grid.addWidget(key_label, line, 0, Qt.AlignmentFlag.AlignTop)
                grid.addWidget(does_label, line, 1)
                self._rows.append((key_label, does_label))
            layout.addLayout(grid)
            layout.addSpacing(10)
        layout.addStretch(1)
        return layout

    def _mouse_group(self) -> Group:
        return (
            self.tr("On the picture"),
            (
                (self.tr("Click"), self.tr("Points: this is the object")),
                (self.tr("Right click"), self.tr("Points: this is not the object")),
                (self.tr("Hold Shift"), self.tr("Points: preview of a click, changes nothing")),
                (self.tr("Hold Ctrl"), self.tr("Points: negative; brush: erase")),
                (self.tr("Shift+click"), self.tr("Brush: straight line from the last stroke")),
                (self.tr("Alt"), self.tr("Polygon: subtract when it is closed")),
                (self.tr("Hold `"), self.tr("Peek at the frame without masks")),
                (self.tr("Wheel"), self.tr("Zoom at the mouse")),
                (self.tr("Ctrl+wheel"), self.tr("Width of brush and eraser")),
                (self.tr("Middle drag"), self.tr("Pan")),
                (self.tr("Right click"), self.tr("Other tools: repair the mask")),
            ),
        )

    def _filter(self, text: str) -> None:
        wanted = text.casefold()
        for keys, does in self._rows:
            fits = wanted in keys.text().casefold() or wanted in does.text().casefold()
            keys.setVisible(fits)
            does.setVisible(fits)


def group_of(title: str, actions: Iterable[QAction]) -> Group:
    """Return the rows of those actions that have keys."""
    rows = ((keys_text(action), action.iconText()) for action in actions)
    return title.replace("&", ""), tuple(row for row in rows if row[0])


def _balanced(groups: Iterable[Group], count: int) -> list[list[Group]]:
    columns: list[list[Group]] = [[] for _ in range(count)]
    heights = [0] * count
    for group in groups:
        shortest = heights.index(min(heights))
        columns[shortest].append(group)
        heights[shortest] += len(group[1]) + 2
    return columns
