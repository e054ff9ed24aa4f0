"""The question of what one's own weights are: which file, of which model, under which name."""

from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.session.shelf.entries import families
from app.session.shelf.shelf import Shelf


class OwnWeightsDialog(QDialog):
    """Asks for a file, the model that it fits and a name, and puts it on the shelf."""

    added = Signal(str)  # the name; whether the file fits is found out after this

    def __init__(self, shelf: Shelf, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shelf = shelf
        self.setWindowTitle(self.tr("Add weights of your own"))
        self.setMinimumWidth(520)
        self.file = QLineEdit()
        self.file.setAccessibleName(self.tr("File"))
        self.family = QComboBox()
        self.family.addItems(list(families()))
        self.family.setAccessibleName(self.tr("Model that the file fits"))
        self.name = QLineEdit()
        self.name.setPlaceholderText(self.tr("such as kitchen-2"))
        self.name.setAccessibleName(self.tr("Name"))
        browse = QPushButton(self.tr("Browse…"))
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        said = QLabel(
            self.tr("The file is loaded once as that model, and has to fit exactly. It is copied.")
        )
        said.setObjectName("dim")
        said.setWordWrap(True)
        standard = QDialogButtonBox.StandardButton
        self._buttons = QDialogButtonBox(standard.Ok | standard.Cancel)
        self._buttons.button(standard.Ok).setText(self.tr("Add"))
        self._buttons.accepted.connect(self.accept)
        self._buttons.rejected.connect(self.reject)
        row = QHBoxLayout()
        row.addWidget(self.file, 1)
        row.addWidget(browse)
        form = QFormLayout()
        form.addRow(self.tr("File"), row)
        form.addRow(self.tr("Fits the model"), self.family)
        form.addRow(self.tr("Name"), self.name)
        layout = QVBoxLayout(self)
        layout.addLayout(form)
        layout.addWidget(said)
        layout.addWidget(self._buttons)
        for field in (self.file, self.name):
            field.textChanged.connect(self._check)
        self._check()

    def accept(self) -> None:
        """Have the file checked and taken in, in the background."""
        file, name = Path(self.file.text()).expanduser(), self.name.text().strip()
        self._shelf.add(file, self.family.currentText(), name)
        self.added.emit(name)
        super().accept()

    @Slot()
    def _check(self) -> None:
        ready = bool(self.file.text().strip() and self.name.text().strip())
        self._buttons.button(QDialogButtonBox.StandardButton.Ok).setEnabled(ready)

    @Slot()
    def _browse(self) -> None:
        if file := weights_file(self):
            self.file.setText(file)
            if not self.name.text():
                self.name.setText(Path(file).stem)


def weights_file(parent: QWidget) -> str:
    """Ask for a weights file; empty where the person changed their mind."""
    title = parent.tr("Weights file")
    chosen, _ = QFileDialog.getOpenFileName(
        parent, title, "", parent.tr("Weights (*.safetensors *.pt *.pth)")
    )
    return chosen
