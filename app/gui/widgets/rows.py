"""The table of rows as every panel has it."""

from PySide6.QtCore import QAbstractItemModel
from PySide6.QtWidgets import QHeaderView, QTreeView


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
