"""The list of models."""

from collections.abc import Iterable, Mapping

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QHeaderView, QTreeWidget, QTreeWidgetItem, QWidget

from app.gui.dialogs.shelf import wording
from app.session.shelf.entries import ShelfEntry
from app.session.shelf.work import Work

_STATE = 5
_HEIGHT = 20
_WIDTHS = (150, 220, 80, 110, 140)


class ShelfList(QTreeWidget):
    """One row a model; those that can be used are at the top."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows: dict[str, QTreeWidgetItem] = {}
        self._entries: dict[str, ShelfEntry] = {}
        self.setAccessibleName(self.tr("Models"))
        self.setRootIsDecorated(False)
        self.setAlternatingRowColors(True)
        self.setUniformRowHeights(True)
        self.setHeaderLabels(
            [
                self.tr("Model"),
                self.tr("For"),
                self.tr("Size"),
                self.tr("Licence"),
                self.tr("This machine"),
                self.tr("State"),
            ]
        )
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)
        self.header().setSectionResizeMode(_STATE, QHeaderView.ResizeMode.Stretch)
        self.currentItemChanged.connect(self._on_current_changed)

    @property
    def current(self) -> str:
        """The name of the chosen model; empty = none."""
        item = self.currentItem()
        return item.text(0) if item is not None else ""

    def select(self, name: str) -> None:
        """Choose a model, if it is listed."""
        if row := self._rows.get(name):
            self.setCurrentItem(row)

    def show_entries(self, entries: Iterable[ShelfEntry], work: Mapping[str, Work]) -> None:
        """List these models; the choice stays."""
        current = self.current
        self.blockSignals(True)
        self.clear()
        self._entries = {each.name: each for each in entries}
        self._rows = {name: self._row(each) for name, each in self._entries.items()}
        self.addTopLevelItems(list(self._rows.values()))
        self.show_work(work)
        self.blockSignals(False)
        self.select(current if current in self._rows else next(iter(self._rows), ""))

    def show_work(self, work: Mapping[str, Work]) -> None:
        """Say how far the work on each model is."""
        for name, row in self._rows.items():
            text = wording.state(self._entries[name], work.get(name))
            if row.text(_STATE) != text:
                row.setText(_STATE, text)

    def _row(self, entry: ShelfEntry) -> QTreeWidgetItem:
        texts = [
            entry.name,
            wording.purpose(entry),
            wording.size(entry),
            entry.licence or "—",
            wording.machine(entry) if entry.memory else "—",
            "",
        ]
        row = QTreeWidgetItem(texts)
        row.setTextAlignment(2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.setToolTip(0, entry.about)
        row.setToolTip(1, texts[1])
        row.setSizeHint(0, QSize(0, _HEIGHT))
        font = row.font(0)
        font.setBold(entry.can_be_used)
        row.setFont(0, font)
        return row

    @Slot()
    def _on_current_changed(self) -> None:
        self.chosen.emit(self.current)
