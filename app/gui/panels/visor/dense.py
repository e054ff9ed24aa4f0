"""The panel of the densified runs: each is accepted or rejected."""

import enum

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Slot,
)
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QWidget,
)

from app.gui.widgets.rows import TablePanel, table_of
from app.session.state.masks import Masks
from app.session.visor.dense import DenseRun, DenseRuns

Index = QModelIndex | QPersistentModelIndex
_SOON_MS = 200  # changes within this time are shown together


class Column(enum.IntEnum):
    """What stands in which column."""

    FRAMES = 0
    OBJECT = 1
    AGREEMENT = 2
    STATE = 3


class DenseModel(QAbstractTableModel):
    """The runs, one object of one run a row, in the order of time."""

    def __init__(self, masks: Masks, dense: DenseRuns, parent: QWidget) -> None:
        super().__init__(parent)
        self._masks, self._dense = masks, dense
        self.only_open = False  # whether only those in doubt are listed
        self.rows: tuple[DenseRun, ...] = ()

    def refresh(self) -> None:
        """List the runs as they are now."""
        self.beginResetModel()
        found = self._dense.all()
        self.rows = tuple(each for each in found if not (self.only_open and each.is_decided))
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            words = (
                self.tr("Frames"), self.tr("Object"), self.tr("Agree"), self.tr("State"),
            )  # fmt: skip
            return words[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        found = self.rows[index.row()]
        match Column(index.column()):
            case Column.FRAMES:
                return f"{found.run.start}-{found.run.end}"
            case Column.OBJECT:
                return self._masks.name_of(found.object)
            case Column.AGREEMENT:
                return "" if found.agreement is None else f"{found.agreement:.2f}"
            case _:
                return self._state(found)

    def _state(self, found: DenseRun) -> str:
        if found.doubted:
            return self.tr("{0} of {1} in doubt").format(len(found.doubted), found.made)
        if not found.made:
            return self.tr("none")
        if found.made < found.frames:
            return self.tr("{0} of {1} frames").format(found.made, found.frames)
        return self.tr("accepted")


class DensePanel(TablePanel):
    """The list of runs; a click on one goes to where it is most in doubt."""

    def __init__(self, masks: Masks, dense: DenseRuns, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dense = dense
        self._model = DenseModel(masks, dense, self)
        name = self.tr("Runs between annotated frames")
        self._tree = table_of(
            self._model, name, stretched=Column.STATE, fixed=(Column.OBJECT,), height=24
        )
        self._tree.header().resizeSection(Column.OBJECT, 84)
        self._only = QCheckBox(self.tr("only those in doubt"))
        self._only.setMinimumHeight(24)
        self._lay_out((self._count, self._only))
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self.refresh)
        dense.changed.connect(self._refresh_soon)
        self._tree.clicked.connect(self._on_chosen)
        self._tree.activated.connect(self._on_chosen)
        self._only.toggled.connect(self._on_only)

    def chosen(self) -> DenseRun | None:
        """Return the run that is current in the list."""
        index = self._tree.currentIndex()
        return self._model.rows[index.row()] if index.isValid() else None

    def choose_next(self, row: int) -> None:
        """Go to the run in a row, or to the last one."""
        self.refresh()
        if self._model.rows:
            self._tree.setCurrentIndex(
                self._model.index(min(row, len(self._model.rows) - 1), Column.FRAMES)
            )
            self._on_chosen(self._tree.currentIndex())

    @property
    def row(self) -> int:
        """The row that is current, 0 where none is."""
        return max(self._tree.currentIndex().row(), 0)

    @Slot()
    def refresh(self) -> None:
        """List the runs as they are now."""
        self._soon.stop()
        row = self._tree.currentIndex().row()
        self._model.refresh()
        if 0 <= row < len(self._model.rows):
            self._tree.setCurrentIndex(self._model.index(row, Column.FRAMES))
        found = self._dense.all()
        left = sum(not each.is_decided for each in found)
        words = self.tr("{0} runs of objects, {1} in doubt").format(len(found), left)
        empty = self.tr(
            "Runs appear here in a project that maskwright densify has made, and between the "
            "annotated frames of a VISOR file once they are propagated."
        )
        self._count.setText(words if found else empty)

    def showEvent(self, event: QShowEvent) -> None:
        """Read everything anew."""
        super().showEvent(event)
        self.refresh()

    @Slot()
    def _refresh_soon(self) -> None:
        if self.isVisible() and not self._soon.isActive():
            self._soon.start()

    @Slot(bool)
    def _on_only(self, on: bool) -> None:  # noqa: FBT001
        self._model.only_open = on
        self.refresh()

    @Slot(QModelIndex)
    def _on_chosen(self, index: QModelIndex) -> None:
        self._dense.go_to(self._model.rows[index.row()])
