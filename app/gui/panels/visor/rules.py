"""The panel of the rules: every defect of the file that an export would write."""

import enum

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QWidget,
)

from app.gui.widgets.rows import TablePanel, table_of
from app.gui.widgets.words import verbatim_tip
from app.session.visor.validation import Finding, Validation

Index = QModelIndex | QPersistentModelIndex


class Column(enum.IntEnum):
    """What stands in which column."""

    FRAME = 0
    ANNOTATION = 1
    RULE = 2


class RulesModel(QAbstractTableModel):
    """The findings, one a row, defects before notes."""

    def __init__(self, validation: Validation, parent: QWidget) -> None:
        super().__init__(parent)
        self._validation = validation
        self.notes = False  # whether notes are listed, too
        self._rows: tuple[Finding, ...] = ()

    def finding(self, row: int) -> Finding:
        """Return what stands in a row."""
        return self._rows[row]

    def refresh(self) -> None:
        """List what was found last."""
        self.beginResetModel()
        found = self._validation.findings
        self._rows = tuple(each for each in found if self.notes or not each.defect.harmless)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return (self.tr("Frame"), self.tr("Annotation"), self.tr("Rule"))[section]
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        found = self._rows[index.row()]
        defect = found.defect
        if role == Qt.ItemDataRole.ToolTipRole:
            mend = self.tr("\nThere is a mend for it.") if self._validation.can_mend(found) else ""
            return verbatim_tip(f"{defect}{mend}")
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        match Column(index.column()):
            case Column.FRAME:
                number = "" if found.frame is None else str(found.frame)
                return number or defect.frame or self.tr("file")
            case Column.ANNOTATION:
                return _name_in(defect.annotation)
            case _:
                note = self.tr("note: ") if defect.harmless else ""
                return f"{note}{defect.rule}: {defect.text}"


class RulesPanel(TablePanel):
    """The list of defects; a click on one goes there."""

    def __init__(self, validation: Validation, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._validation = validation
        self._model = RulesModel(validation, self)
        name = self.tr("Defects by VISOR's rules")
        self._tree = table_of(
            self._model, name, stretched=Column.RULE, fixed=(Column.ANNOTATION,), height=24
        )
        self._tree.header().resizeSection(Column.ANNOTATION, 84)
        self._notes = QCheckBox(self.tr("list notes, too"))
        self._notes.setMinimumHeight(24)
        self._lay_out((self._count, self._notes))
        self._tree.clicked.connect(self._on_chosen)
        self._tree.activated.connect(self._on_chosen)
        self._notes.toggled.connect(self._on_notes)
        validation.changed.connect(self.refresh)
        self.refresh()

    def chosen(self) -> Finding | None:
        """Return what is current in the list."""
        index = self._tree.currentIndex()
        return self._model.finding(index.row()) if index.isValid() else None

    @Slot()
    def refresh(self) -> None:
        """List what was found last."""
        self._model.refresh()
        found = self._validation.findings
        notes = sum(each.defect.harmless for each in found)
        self._count.setText(self._words(len(found) - notes, notes))

    def _words(self, defects: int, notes: int) -> str:
        if self._validation.is_checking:
            return self.tr("Checking…")
        counted = self.tr("{0} defects, {1} notes").format(defects, notes)
        if self._validation.is_current:
            return counted
        if self._validation.was_checked:
            return counted + self.tr(". Masks have changed since: check again (F4).")
        return self.tr("Check (F4) what an export to VISOR would write.")

    @Slot(bool)
    def _on_notes(self, on: bool) -> None:  # noqa: FBT001
        self._model.notes = on
        self.refresh()

    @Slot(QModelIndex)
    def _on_chosen(self, index: QModelIndex) -> None:
        self._validation.go_to(self._model.finding(index.row()))


def _name_in(annotation: str) -> str:
    """Return the name of an annotation that is told as `id (name)`."""
    _, _, name = annotation.partition(" (")
    return name.removesuffix(")") if name else annotation
