"""The questions to the person that need an answer before work can go on."""

import enum
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QSettings, Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

_FOLDER_KEY = "folders/last"


class Unsaved(enum.Enum):
    """What is to become of masks that cannot be saved."""

    AGAIN = enum.auto()
    ELSEWHERE = enum.auto()
    DISCARD = enum.auto()
    KEEP = enum.auto()  # open, and go on working


class Ask:
    """The modal questions: which file, are you sure. Remembers the folder used last."""

    def __init__(self, parent: QWidget, store: QSettings) -> None:
        self._parent = parent
        self._store = store

    @property
    def parent(self) -> QWidget:
        """The widget over which questions are asked."""
        return self._parent

    def file(self, title: str, filters: Sequence[str]) -> Path | None:
        """Return an existing file, or None where the person changed their mind."""
        chosen, _ = QFileDialog.getOpenFileName(
            self._parent, title, self._folder(), ";;".join(filters)
        )
        return self._remember(chosen)

    def folder(self, title: str) -> Path | None:
        """Return an existing folder, or None."""
        return self._remember(QFileDialog.getExistingDirectory(self._parent, title, self._folder()))

    def new_file(self, title: str, proposal: str, filters: Sequence[str]) -> Path | None:
        """Return where to write a file; the system has asked about overwriting."""
        start = str(Path(self._folder()) / proposal)
        chosen, _ = QFileDialog.getSaveFileName(self._parent, title, start, ";;".join(filters))
        return self._remember(chosen)

    def new_file_ending(
        self, suffix: str, title: str, proposal: str, filters: Sequence[str]
    ) -> Path | None:
        """Return where to write a file of this suffix, which a name that lacks it is given."""
        chosen = self.new_file(title, proposal, filters)
        if chosen is None or chosen.suffix == suffix:
            return chosen
        whole = chosen.with_name(chosen.name + suffix)
        # The system has asked about the name without the suffix only.
        return whole if not whole.exists() or self._may_replace(whole) else None

    def _may_replace(self, path: Path) -> bool:
        translate = QCoreApplication.translate
        return self.confirm(
            translate("Ask", "{} exists already.").format(path),
            translate("Ask", "Replace it? What is in it now is lost."),
            translate("Ask", "&Replace"),
        )

    def confirm(self, question: str, what_follows: str, yes: str) -> bool:
        """Ask a yes or no question whose safe answer is no."""
        box = QMessageBox(self._parent)
        box.setIcon(QMessageBox.Icon.Question)
        box.setTextFormat(Qt.TextFormat.PlainText)  # the name of a file may look like HTML
        box.setText(question)
        box.setInformativeText(what_follows)
        agree = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        return box.clickedButton() is agree

    def first_number(self, question: str) -> int | None:
        """Ask which number a video's first frame has where masks are numbered; None = not now."""
        translate = QCoreApplication.translate
        box = QMessageBox(self._parent)
        box.setIcon(QMessageBox.Icon.Question)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setWindowTitle(translate("Ask", "Numbered masks"))
        box.setText(question)
        first = box.addButton(translate("Ask", "&First"), QMessageBox.ButtonRole.AcceptRole)
        second = box.addButton(translate("Ask", "&Second"), QMessageBox.ButtonRole.AcceptRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.exec()
        pressed = box.clickedButton()
        answers = ((first, 1), (second, 0))
        return next((number for button, number in answers if button is pressed), None)

    def unsaved(self, title: str, count: int, why: str) -> Unsaved:
        """Ask what to do where `count` masks of the video `title` cannot be saved, and `why`.

        To leave the question, or to press Enter, keeps everything open.
        """
        translate = QCoreApplication.translate
        box = QMessageBox(self._parent)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setWindowTitle(translate("Ask", "Not saved"))
        said = translate("Ask", "The masks of {} cannot be saved.").format(title)
        if count:
            many = translate("Ask", "{} changed masks of {} cannot be saved.")
            one = translate("Ask", "{} changed mask of {} cannot be saved.")
            said = (one if count == 1 else many).format(f"{count:,}", title)
        box.setText(said)
        box.setInformativeText(why)
        roles = QMessageBox.ButtonRole
        again = box.addButton(translate("Ask", "&Try again"), roles.AcceptRole)
        elsewhere = box.addButton(translate("Ask", "&Save elsewhere…"), roles.AcceptRole)
        discard = box.addButton(translate("Ask", "T&hrow away"), roles.DestructiveRole)
        keep = box.addButton(translate("Ask", "&Keep open"), roles.RejectRole)
        box.setDefaultButton(keep)
        box.setEscapeButton(keep)
        box.exec()
        answers = (
            (again, Unsaved.AGAIN),
            (elsewhere, Unsaved.ELSEWHERE),
            (discard, Unsaved.DISCARD),
        )
        pressed = box.clickedButton()
        return next((answer for button, answer in answers if button is pressed), Unsaved.KEEP)

    def _folder(self) -> str:
        return str(self._store.value(_FOLDER_KEY, str(Path.home())))

    def _remember(self, chosen: str) -> Path | None:
        if not chosen:
            return None
        path = Path(chosen)
        self._store.setValue(_FOLDER_KEY, str(path.parent))
        return path
