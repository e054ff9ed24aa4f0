"""The dialog of the shelf of models."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPushButton, QVBoxLayout, QWidget

from app.gui.dialogs.shelf import wording
from app.gui.dialogs.shelf.details import ModelDetails
from app.gui.dialogs.shelf.listing import ShelfList
from app.gui.dialogs.shelf.own import OwnWeightsDialog, weights_file
from app.session.shelf.entries import room
from app.session.shelf.shelf import Shelf
from models.weights.download import megabytes


class ShelfDialog(QDialog):
    """Every model: what it is for, whether it is here, and how it gets here."""

    def __init__(self, shelf: Shelf, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self.setWindowTitle(self.tr("Models"))
        self.resize(940, 620)
        here = room()
        self.models = ShelfList()
        self.details = ModelDetails(shelf, here, lambda: weights_file(self))
        self.models.chosen.connect(self._show_chosen)
        self.own = QLabel()
        self.own.setWordWrap(True)
        self._added = ""
        standard = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(standard.Close)
        buttons.rejected.connect(self.reject)
        add = QPushButton(self.tr("Add your own…"))
        add.clicked.connect(self._add)
        buttons.addButton(add, QDialogButtonBox.ButtonRole.ActionRole)
        for button in buttons.buttons():
            if isinstance(button, QPushButton):
                button.setAutoDefault(False)
        layout = QVBoxLayout(self)
        layout.addWidget(self._machine(*here))
        layout.addWidget(self.models, 1)
        layout.addWidget(self.details)
        layout.addWidget(self.own)
        layout.addWidget(buttons)
        shelf.changed.connect(self._refresh)
        shelf.progressed.connect(self._show_work)
        self._refresh()

    def _machine(self, memory: int, gpu_memory: int) -> QLabel:
        gpu = (
            self.tr("a GPU with {}").format(megabytes(gpu_memory))
            if gpu_memory
            else self.tr("no GPU that models could use")
        )
        label = QLabel(self.tr("This machine: {} of memory, {}.").format(megabytes(memory), gpu))
        label.setObjectName("dim")
        return label

    @Slot()
    def _refresh(self) -> None:
        self._entries = {each.name: each for each in self._shelf.entries()}
        self.models.show_entries(self._entries.values(), self._shelf.work)
        self._show_chosen(self.models.current)
        self._show_added()

    @Slot()
    def _show_work(self) -> None:
        self.models.show_work(self._shelf.work)
        self.details.show_work()
        self._show_added()

    @Slot(str)
    def _show_chosen(self, name: str) -> None:
        self.details.show_entry(self._entries.get(name))

    @Slot()
    def _add(self) -> None:
        dialog = OwnWeightsDialog(self._shelf, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.added.connect(self._watch)
        dialog.open()

    @Slot(str)
    def _watch(self, name: str) -> None:
        self._added = name
        self._show_added()

    def _show_added(self) -> None:
        """Say how far one's own weights are, which are listed once they have been taken in."""
        work, said = self._shelf.work.get(self._added), self._shelf.said(self._added)
        text = wording.progress(work) if work is not None else said
        self.own.setText(f"{self._added}: {text}" if text else "")
        self.own.setVisible(bool(text))
