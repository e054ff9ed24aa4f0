"""The verbs of the File menu that open, save and close."""

from collections.abc import Callable, Iterable
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QUrl
from PySide6.QtGui import QImage, QImageReader

from app.errors import MaskwrightError, UnsavedError, VideoMissingError
from app.gui.actions.verbs.exchange import ExchangeVerbs, Tell, tried
from app.gui.dialogs.ask import Ask, Unsaved
from app.gui.widgets.messages import Level
from app.gui.widgets.recent import RecentSources
from app.session.files.autosave import Autosave
from app.session.files.files import Files
from app.session.state.video import CurrentVideo
from models.api import ModelError

VIDEO_SUFFIXES = ("mp4", "mov", "avi", "mkv", "webm", "m4v", "mpg", "mpeg", "mxf")
PROJECT_SUFFIX = "maskwright"
_PALETTE_FORMATS = {
    QImage.Format.Format_Indexed8,
    QImage.Format.Format_Mono,
    QImage.Format.Format_Grayscale8,
}


class FileVerbs(QObject):
    """What the File menu does. Errors are told, never raised."""

    def __init__(
        self,
        video: CurrentVideo,
        files: Files,
        autosave: Autosave,
        exchange: ExchangeVerbs,
        ask: Ask,
        recent: RecentSources,
        tell: Tell,
        sample: Callable[[], Path] | None,
    ) -> None:
        super().__init__(files)
        self._video, self._files, self._exchange = video, files, exchange
        self._autosave = autosave
        self._ask = ask
        self._recent = recent
        self._tell = tell
        self._sample = sample

    def open_file(self) -> None:
        """Ask for a file and open it."""
        if source := self._ask.file(self.tr("Open"), _open_filters()):
            self.open(source)

    def open_folder(self) -> None:
        """Ask for a folder of frames and open it."""
        if source := self._ask.folder(self.tr("Open a folder of frames")):
            self.open(source)

    def open_sample(self) -> None:
        """Open the clip that comes with the program."""
        sample = self._sample
        if sample is None:
            return
        try:
            self.open(sample())
        except OSError as error:
            self._tell(Level.ERROR, self.tr("The sample cannot be copied: {}").format(error))

    def open(self, source: Path) -> None:
        """Open a video, folder, project or VISOR JSON; ask for a video that has moved."""
        try:
            if not self._leave(lambda: self._files.open(source)):
                return
        except VideoMissingError as error:
            self._locate(str(error))
        except (MaskwrightError, ModelError, OSError) as error:
            self._tell(Level.ERROR, str(error))
            return
        if self._video.is_open:
            self._recent.add(source)

    def save(self) -> None:
        """Make sure that everything is saved, and say where."""
        where = self._files.project_path
        if where is not None and tried(self._tell, self._files.save):
            text = self.tr("All changes are saved as you make them: {}")
            self._tell(Level.INFO, text.format(where))

    def save_as(self) -> None:
        """Ask where, and go on with a copy of the project there."""
        target = self._ask.new_file_ending(
            f".{PROJECT_SUFFIX}",
            self.tr("Save project as"),
            f"{self._video.title}.{PROJECT_SUFFIX}",
            [self.tr("Maskwright project (*.maskwright)")],
        )
        if target is None:
            return
        if tried(self._tell, lambda: self._files.save_as(target)):
            self._recent.add(target)
            self._tell(Level.INFO, self.tr("The project is now {}.").format(target))

    def drop_urls(self, urls: Iterable[QUrl]) -> None:
        """Open the first local file among what was dropped on the window."""
        local = [Path(url.toLocalFile()) for url in urls if url.isLocalFile()]
        if local:
            self.drop(local[0])

    def drop(self, source: Path) -> None:
        """Open what was dropped on the window; a folder of masks joins the open video."""
        if self._video.is_open and source.is_dir() and _holds_masks(source):
            self._exchange.import_from(source)
        else:
            self.open(source)

    def close(self) -> bool:
        """Close the video; return whether it is closed, and not kept open to save it."""
        return self._leave(self._files.close)

    def _leave(self, act: Callable[[], None]) -> bool:
        """Do what closes the video; while it cannot be saved, ask. Return whether it was done."""
        while True:
            try:
                act()
            except UnsavedError as error:
                answer = self._ask.unsaved(self._video.title, self._autosave.unsaved, str(error))
            else:
                return True
            if answer is Unsaved.KEEP:
                return False
            if answer is Unsaved.ELSEWHERE:
                self.save_as()
            elif answer is Unsaved.DISCARD:
                self._files.close(discard=True)

    def _locate(self, fact: str) -> None:
        yes = self._ask.confirm(
            fact, self.tr("Show Maskwright where the video is now?"), self.tr("&Locate…")
        )
        source = self._ask.file(self.tr("Locate the video"), _open_filters()) if yes else None
        if source is not None:
            tried(self._tell, lambda: self._files.relocate_video(source))


def _open_filters() -> list[str]:
    videos = " ".join(f"*.{suffix}" for suffix in VIDEO_SUFFIXES)
    rest = f"*.{PROJECT_SUFFIX} *.json"
    translate = QCoreApplication.translate
    return [
        translate("FileVerbs", "Everything that opens ({})").format(f"{videos} {rest}"),
        translate("FileVerbs", "Video ({})").format(videos),
        translate("FileVerbs", "Maskwright project ({})").format(f"*.{PROJECT_SUFFIX}"),
        translate("FileVerbs", "VISOR JSON ({})").format("*.json"),
        translate("FileVerbs", "All files ({})").format("*"),
    ]


def _holds_masks(folder: Path) -> bool:
    """Whether the first PNG of a folder has a palette, as masks have and frames have not."""
    first = next(iter(sorted(folder.glob("[!.]*.[pP][nN][gG]"))), None)
    if first is None:
        return False
    return QImageReader(str(first)).imageFormat() in _PALETTE_FORMATS
