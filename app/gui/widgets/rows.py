"""The table of rows as every panel has it, and the panel of one such table."""

from collections.abc import Iterable

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QPersistentModelIndex, QSize
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QHeaderView,
    QLabel,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QToolBar,
    QTreeView,
    QVBoxLayout,
    QWidget,
)


def table_of(
    model: QAbstractItemModel,
    name: str,
    *,
    stretched: int | None = None,
    fixed: tuple[int, ...] = (),
    height: int = 26,
) -> QTreeView:
    """Return a table of rows, `height` pixels each, over `model`; `name` is for screen readers.

    The column `stretched` takes what room is left, those `fixed` are as wide as a person makes
    them, all others as wide as what is in them.
    """
    tree = QTreeView()
    tree.setModel(model)
    tree.setAccessibleName(name)
    tree.setRootIsDecorated(False)
    tree.setUniformRowHeights(True)
    tree.setMinimumHeight(56)
    tree.setStyleSheet(f"QTreeView::item {{ min-height: {height}px; }}")
    tree.setAllColumnsShowFocus(True)
    header = tree.header()
    header.setSectionsMovable(False)
    header.setStretchLastSection(False)
    header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    if stretched is not None:
        header.setSectionResizeMode(stretched, QHeaderView.ResizeMode.Stretch)
    for column in fixed:
        header.setSectionResizeMode(column, QHeaderView.ResizeMode.Interactive)
    return tree


def stretch(tree: QTreeView, column: int) -> None:
    """Let another column take what room is left; for tables whose columns change."""
    tree.header().setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
    tree.header().setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)


class TablePanel(QWidget):
    """A table with a line of words over it and actions below; a subclass gives it its table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tree: QTreeView
        self._count = QLabel()
        self._count.setObjectName("dim")
        self._count.setWordWrap(True)
        self._buttons = QToolBar()
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(6, 0, 6, 6)
        self._layout.setSpacing(4)

    @property
    def view(self) -> QTreeView:
        """The list itself."""
        return self._tree

    @property
    def summary(self) -> str:
        """How many there are, in words."""
        return self._count.text()

    def set_actions(self, buttons: list[QAction]) -> None:
        """Offer actions below the list."""
        self._buttons.addActions(buttons)

    def _lay_out(self, above: Iterable[QWidget]) -> None:
        """Put the table, which takes what room is left, between `above` and the actions."""
        for widget in (*above, self._tree, self._buttons):
            self._layout.addWidget(widget, int(widget is self._tree))


class NarrowRows(QStyledItemDelegate):
    """Rows that are never wider than their list: what has no room ends in dots."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(1, super().sizeHint(option, index).height())
