"""The list of runs: predictions with their models, and the ground truth."""

import enum
from dataclasses import replace

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    QPoint,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QAction, QColor, QFont, QPixmap
from PySide6.QtWidgets import (
    QLabel,
    QMenu,
    QToolBar,
    QToolButton,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from app.core.runs import RunInfo, RunKind
from app.gui.inspect.palette import TRUTH, run_color
from app.gui.widgets.rows import table_of
from app.gui.widgets.words import verbatim_tip
from app.session.runs.runs import Runs

Index = QModelIndex | QPersistentModelIndex


class Column(enum.IntEnum):
    """What stands in which column."""

    NAME = 0
    SCORE = 1
    KIND = 2


class RunsModel(QAbstractTableModel):
    """The runs, one a row, the oldest first. A run's name can be edited."""

    def __init__(self, runs: Runs, parent: QWidget) -> None:
        super().__init__(parent)
        self._runs = runs
        self._rows = list(runs.infos.items())
        runs.changed.connect(self._on_changed)
        runs.measured.connect(self._on_changed)

    def number(self, row: int) -> int | None:
        """Return the number of the run in a row."""
        return self._rows[row][0] if 0 <= row < len(self._rows) else None

    def row_of(self, number: int | None) -> int:
        """Return the row of a run, -1 where there is none."""
        return next((row for row, each in enumerate(self._rows) if each[0] == number), -1)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Run"), self.tr("J&F"), self.tr("Kind"))[section]
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        return flags | Qt.ItemFlag.ItemIsEditable if index.column() == Column.NAME else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        number, info = self._rows[index.row()]
        column = Column(index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            return verbatim_tip(_about(info))
        if role == Qt.ItemDataRole.FontRole:
            font = QFont()
            font.setBold(number in {self._runs.shown, self._runs.truth})
            return font
        if role == Qt.ItemDataRole.DecorationRole and column is Column.NAME:
            return self._swatch(number, info)
        if role == Qt.ItemDataRole.EditRole:
            return info.name
        return self._text(number, info, column) if role == Qt.ItemDataRole.DisplayRole else None

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        name = str(value).strip()
        if role != Qt.ItemDataRole.EditRole or not name:
            return False
        number, info = self._rows[index.row()]
        self._runs.describe(number, replace(info, name=name))
        return True

    def _text(self, number: int, info: RunInfo, column: Column) -> str:
        if column is Column.NAME:
            return info.name
        if column is Column.KIND:
            return self.tr("truth") if info.kind is RunKind.GROUND_TRUTH else self.tr("prediction")
        result = self._runs.results.get(number)
        return f"{result.jf.mean():.3f}" if result else ""

    def _swatch(self, number: int, info: RunInfo) -> QPixmap:
        predictions = [n for n, each in self._rows if each.kind is RunKind.PREDICTION]
        is_truth = info.kind is RunKind.GROUND_TRUTH
        pixmap = QPixmap(10, 10)
        pixmap.fill(QColor(*(TRUTH if is_truth else run_color(number, predictions))))
        return pixmap

    @Slot()
    def _on_changed(self) -> None:
        rows = list(self._runs.infos.items())
        if [number for number, _ in rows] != [number for number, _ in self._rows]:
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
        elif rows:
            self._rows = rows
            end = self.index(len(rows) - 1, len(Column) - 1)
            self.dataChanged.emit(self.index(0, 0), end)


class RunsPanel(QWidget):
    """The list; the run that is clicked is looked at, a ground truth measured against."""

    drop_asked = Signal(int)  # the number of the run to delete

    def __init__(self, runs: Runs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs = runs
        self._model = RunsModel(runs, self)
        self._tree = table_of(self._model, self.tr("Runs"), stretched=Column.NAME)
        self._tree.setEditTriggers(QTreeView.EditTrigger.EditKeyPressed)
        self._tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self._hint = QLabel(
            self.tr(
                "No runs yet. Import predictions and a ground truth, or keep the present masks."
            )
        )
        self._hint.setObjectName("dim")
        self._hint.setWordWrap(True)
        self._buttons = QToolBar()
        self._begin = QVBoxLayout()  # buttons with words, as long as there is no run
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 0, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self._hint)
        layout.addLayout(self._begin)
        layout.addWidget(self._tree, 1)
        layout.addStretch(0)
        layout.addWidget(self._buttons)
        self._tree.clicked.connect(self._on_chosen)
        self._tree.activated.connect(self._on_chosen)
        self._tree.customContextMenuRequested.connect(self._open_menu)
        runs.changed.connect(self._on_changed)
        self._on_changed()

    @property
    def view(self) -> QTreeView:
        """The list itself."""
        return self._tree

    def set_actions(self, buttons: list[QAction]) -> None:
        """Offer actions below the list; with words as long as it is empty."""
        self._buttons.addActions(buttons)
        for action in buttons[:3]:
            button = QToolButton()
            button.setObjectName("flat")
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setDefaultAction(action)
            self._begin.addWidget(button)
        self._on_changed()

    def current(self) -> int | None:
        """Return the number of the run that is chosen in the list."""
        return self._model.number(self._tree.currentIndex().row())

    @Slot(QModelIndex)
    def _on_chosen(self, index: QModelIndex) -> None:
        number = self._model.number(index.row())
        if number is not None:
            self._runs.show(number)

    @Slot(QPoint)
    def _open_menu(self, at: QPoint) -> None:
        number = self._model.number(self._tree.indexAt(at).row())
        if number is None:
            return
        menu = self.menu(number)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self._tree.viewport().mapToGlobal(at))

    def menu(self, number: int) -> QMenu:
        """Return the menu of a run."""
        info = self._runs.infos[number]
        is_truth = info.kind is RunKind.GROUND_TRUTH
        menu = QMenu(self)
        menu.addAction(self.tr("Rename")).triggered.connect(
            lambda: self._tree.edit(self._model.index(self._model.row_of(number), Column.NAME))
        )
        other = RunKind.PREDICTION if is_truth else RunKind.GROUND_TRUTH
        text = self.tr("It is a prediction") if is_truth else self.tr("It is the ground truth")
        menu.addAction(text).triggered.connect(
            lambda: self._runs.describe(number, replace(info, kind=other))
        )
        menu.addSeparator()
        menu.addAction(self.tr("Delete run")).triggered.connect(
            lambda: self.drop_asked.emit(number)
        )
        return menu

    def _words(self) -> list[QWidget]:
        items = [self._begin.itemAt(place) for place in range(self._begin.count())]
        return [widget for item in items if item and (widget := item.widget())]

    @Slot()
    def _on_changed(self) -> None:
        is_empty = self._model.rowCount() == 0
        for part in (self._hint, *self._words()):
            part.setVisible(is_empty)
        for part in (self._tree, self._buttons):
            part.setVisible(not is_empty)
        if self.current() is None:
            row = self._model.row_of(self._runs.shown)
            if row >= 0:
                self._tree.setCurrentIndex(self._model.index(row, 0))


def _about(info: RunInfo) -> str:
    """Return what is known of a run, a line each; what is not known is left out."""
    lines = [f"{info.name} ({info.kind.value})"]
    for name, value in (
        ("model", info.model),
        ("weights, SHA-256", info.weights[:16] + "…" if info.weights else ""),
        ("parameters", ", ".join(f"{key} {value}" for key, value in info.parameters.items())),
        ("source", info.source),
    ):
        if value:
            lines.append(f"{name}: {value}")
    return "\n".join(lines)
