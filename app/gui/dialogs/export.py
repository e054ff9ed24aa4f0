"""The export dialog: what to export, and where to."""

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication, Slot
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.dialogs.ask import Ask
from app.gui.widgets.words import counted
from app.session.state.masks import Masks
from app.session.state.status import SessionState, Status


@dataclass(frozen=True, slots=True)
class Format:
    """A format to export to. `suffix` empty = a folder."""

    name: str
    title: str
    says: str
    suffix: str


def _(text: str) -> str:
    return str(QT_TRANSLATE_NOOP("Export", text))


FORMATS = (
    Format("visor", _("VISOR JSON"), _("Polygons, read back and compared with the masks"), ".json"),
    Format("davis", _("DAVIS masks"), _("A folder of palette PNGs, one a frame"), ""),
    Format(
        "coco", _("COCO JSON"), _("Run-length masks, one annotation an object and frame"), ".json"
    ),
    Format("submission", _("VISOR submission"), _("The file of the VOS challenge"), ".json"),
    Format(
        "visor-dense",
        _("Dense VISOR JSON"),
        _("The runs between annotated frames; what is in doubt is left out"),
        ".json",
    ),
    Format("video", _("Overlay video"), _("An MP4 with the masks over the picture"), ".mp4"),
)


class ExportDialog(QDialog):
    """Asks for the format."""

    def __init__(self, masks: Masks, status: Status, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Export"))
        self._choice = QButtonGroup(self)
        layout = QVBoxLayout(self)
        self._masks, self._status = masks, status
        self._said = QLabel()
        self._said.setWordWrap(True)
        self._tell()
        status.state_changed.connect(self._tell)
        layout.addWidget(self._said)
        for row, form in enumerate(FORMATS):
            button = QRadioButton(_tr(form.title))
            button.setChecked(row == 0)
            self._choice.addButton(button, row)
            layout.addWidget(button)
            explained = QLabel(_tr(form.says))
            explained.setObjectName("dim")
            explained.setIndent(26)
            layout.addWidget(explained)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        go = QPushButton(self.tr("Choose &where…"))
        go.setObjectName("primary")
        go.setDefault(True)
        buttons.addButton(go, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout.addSpacing(8)
        layout.addWidget(buttons)

    @property
    def format(self) -> Format:
        """The format chosen."""
        return FORMATS[self._choice.checkedId()]

    @property
    def summary(self) -> str:
        """What it says there is to export."""
        return self._said.text()

    @Slot()
    def _tell(self) -> None:
        """Say what there is to export, and where more is under way."""
        document = self._masks.snapshot()
        said = self.tr("{0} of {1} on {2}").format(
            counted(len(document), self.tr("mask"), self.tr("masks")),
            counted(len(document.objects), self.tr("object"), self.tr("objects")),
            counted(len(document.frames()), self.tr("frame"), self.tr("frames")),
        )
        if self._status.state is not SessionState.IDLE:
            said += ". " + self.tr(
                "Masks are still being made: the file gets those that are finished when it is "
                "written. Wait until the work is done to export all."
            )
        self._said.setText(said)


def target_for(form: Format, title: str, ask: Ask) -> Path | None:
    """Ask where to write a format; None where the person changed their mind."""
    translate = QCoreApplication.translate
    heading = translate("Export", "Export {}").format(_tr(form.title))
    if not form.suffix:
        folder = ask.folder(translate("Export", "Folder in which to write {}").format(title))
        return folder / title if folder else None
    stem = f"{title}-{form.name}" if form.suffix == ".json" else title
    filters = [f"{_tr(form.title)} (*{form.suffix})"]
    return ask.new_file_ending(form.suffix, heading, f"{stem}{form.suffix}", filters)


def _tr(text: str) -> str:
    return QCoreApplication.translate("Export", text)
