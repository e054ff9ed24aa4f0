"""The files of a session: what is opened, saved elsewhere and closed."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from app.core.runs import Run
from app.errors import StorageError, UnsavedError, VideoMissingError
from app.session.files.autosave import Autosave
from app.session.files.exchange import Exchange
from app.session.files.interaction_log import InteractionLog
from app.session.files.opening import Opened, open_project, open_source, reopened_as
from app.session.state.context import SessionContext
from app.session.state.open_video import OpenVideo
from app.session.state.preferences import cache_bytes
from app.session.state.status import SessionState
from app.storage.formats.importing import Imported
from app.storage.project.schema import check_header
from app.storage.video.frames import FrameCache


class Files(QObject):
    """Opens one video at a time, with its project.

    `starts` are called when a video has been opened, each in turn. Before it is closed `settle` is
    called, which puts what is under way into the document, and, once all is saved, the `stops`.
    `runs` tells those that the open project keeps.
    """

    def __init__(
        self,
        context: SessionContext,
        autosave: Autosave,
        exchange: Exchange,
        log: InteractionLog,
        parent: QObject,
        *,
        runs: Callable[[], Mapping[int, Run]],
        starts: Sequence[Callable[[], None]],
        settle: Callable[[], None],
        stops: Sequence[Callable[[], None]],
    ) -> None:
        super().__init__(parent)
        self._video, self._masks = context.video, context.masks
        self.autosave, self.exchange = autosave, exchange
        self._preferences, self._status, self.log = context.preferences, context.status, log
        self._runs = runs
        self._starts, self._settle, self._stops = starts, settle, stops
        self._without_video: Path | None = None  # a project whose video was not found

    @property
    def project_path(self) -> Path | None:
        """The file that everything is saved in."""
        return self._video.now.project_path if self._video.now else None

    def open(self, source: Path) -> None:
        """Open a video, a folder of images, a project file or a VISOR JSON.

        On an error (MaskwrightError) what is open stays open. VideoMissingError says that the
        project is sound but its video is not where it was: ask for it, call `relocate_video`;
        UnsavedError that what is open cannot be saved, see `close`.
        """
        folder = self._preferences.settings.autosave_folder
        same = reopened_as(source, folder)
        if self._is_current(same):
            self.autosave.flush()
            return
        try:
            opened = open_source(source, folder)
        except VideoMissingError:
            self._without_video = same
            raise
        self._replace(opened)

    def relocate_video(self, source: Path) -> None:
        """Say where the video of the project is that could not be opened, or of the open one.

        Raises MaskwrightError; what is open stays open then.
        """
        path = self._without_video or self.project_path
        if path is None:
            return
        if path != self.project_path:
            self._replace(open_project(path, source))
            return
        self.close()
        try:
            opened = open_project(path, source)
        except BaseException:
            self._replace(open_project(path))
            raise
        self._replace(opened)

    def save(self) -> None:
        """Write at once what changed last. Raises StorageError."""
        self.autosave.flush()

    def save_as(self, path: Path) -> None:
        """Copy the project file to `path` and go on with the copy. Raises StorageError.

        Where that is the project's own file already, it is only made sure that all is in it. What
        cannot be saved where it is can be saved elsewhere.
        """
        opened = self._video.now
        if opened is None:
            return
        if self._is_current(path) and self.autosave.is_in_place():
            self.autosave.flush()
            return
        if path.is_file() and path != self.project_path:
            check_header(path)  # nothing but a project may be replaced by one
        whole = Imported(self._masks.document.snapshot(), opened.video, opened.attachment, ())
        if self.autosave.copy_to(path, whole, self._runs()):
            opened.project_path = path

    def close(self, *, discard: bool = False) -> None:
        """Stop the job and keep its results, write everything, close the video.

        Raises UnsavedError where that cannot be written: all stays open then, for a person to
        decide. With `discard` it is thrown away.
        """
        opened = self._video.now
        if opened is None:
            return
        self._settle()
        self.autosave.drop_drafts()
        if not discard:
            self._flush()
        for stop in self._stops:
            stop()
        self.autosave.stop()
        opened.close()
        self._video.now = None
        self._status.enter(SessionState.IDLE)
        self._video.opened.emit()

    def _flush(self) -> None:
        try:
            self.autosave.flush()
        except StorageError as error:
            raise UnsavedError(str(error)) from error

    def _is_current(self, path: Path) -> bool:
        """Whether `path` is the open project's file, by this name or another."""
        current = self.project_path
        if current is None or path == current:
            return path == current
        return path.exists() and current.exists() and path.samefile(current)

    def _replace(self, opened: Opened) -> None:
        """Close what is open and show what was opened in its place."""
        try:
            self.close()
        except UnsavedError:
            opened.project.close()
            opened.video.close()
            raise
        self._without_video = None
        settings = self._preferences.settings
        self._video.now = OpenVideo(
            opened.video,
            FrameCache(opened.video, cache_bytes(settings)),
            opened.document,
            opened.path,
            opened.attachment,
            seen=opened.seen,
            undo_limit=settings.undo_limit,
        )
        self.autosave.start(opened.project)
        for start in self._starts:
            start()
        self._status.enter(SessionState.IDLE)
        self._video.opened.emit()
        self._masks.objects_changed.emit()
        for note in opened.notes:
            self._status.report("warning", note)
