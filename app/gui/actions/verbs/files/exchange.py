"""The verbs that read masks from other programs and write them for others."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QDialog, QWidget

from app.errors import FirstNumberError, MaskwrightError
from app.gui.dialogs.ask import Ask
from app.gui.dialogs.export import FORMATS, ExportDialog, Format, target_for
from app.gui.widgets.messages import Level
from app.session.comparison import Comparison
from app.session.files.exchange import Exchange
from app.session.state.video import CurrentVideo
from models.api import ModelError

Tell = Callable[[Level, str], None]


class ExchangeVerbs:
    """Import, export, and the ground truth. Errors are told, never raised."""

    def __init__(
        self,
        video: CurrentVideo,
        exchange: Exchange,
        compare: Comparison,
        ask: Ask,
        tell: Tell,
        dialog: Callable[[QWidget], ExportDialog],
    ) -> None:
        """`dialog` makes the one that asks for a format."""
        self._video, self._exchange, self._compare = video, exchange, compare
        self._ask, self._tell, self._dialog = ask, tell, dialog

    def import_masks(self) -> None:
        """Ask for a folder of mask PNGs and take them over as anchors."""
        if folder := self._ask.folder(_tr("Folder of mask PNGs, named like the frames")):
            self.import_from(folder)

    def import_from(self, folder: Path) -> None:
        """Take the masks of a folder over as anchors."""
        self._read(self._exchange.import_masks, folder)

    def read_truth(self) -> None:
        """Ask for a ground truth and show the difference to it."""
        if folder := self._ask.folder(_tr("Ground truth: folder of mask PNGs")):
            self._read(self._compare.read_truth, folder)

    def _read(self, read: Callable[[Path, int | None], None], folder: Path) -> None:
        """Read masks; where they are numbered and it is not clear from where, ask."""

        def asking() -> None:
            try:
                read(folder, None)
            except FirstNumberError as error:
                if (number := self._ask.first_number(error.question)) is not None:
                    read(folder, number)

        tried(self._tell, asking)

    def export(self) -> None:
        """Ask for format and place, and export in the background."""
        dialog = self._dialog(self._ask.parent)
        accepted, form = dialog.exec() == QDialog.DialogCode.Accepted, dialog.format
        dialog.deleteLater()  # or it would follow the session as long as the window is there
        if accepted:
            self._export(form)

    def export_as(self, name: str) -> None:
        """Ask for the place, and export in a format in the background."""
        self._export(next(form for form in FORMATS if form.name == name))

    def _export(self, form: Format) -> None:
        target = target_for(form, self._video.title, self._ask)
        if target is not None:
            tried(self._tell, lambda: self._exchange.export(form.name, target))


def tried(tell: Tell, call: Callable[[], None]) -> bool:
    """Call; tell what goes wrong. Return whether all went well."""
    try:
        call()
    except (MaskwrightError, ModelError, OSError) as error:
        tell(Level.ERROR, str(error))
        return False
    return True


def _tr(text: str) -> str:
    return QCoreApplication.translate("FileVerbs", text)
