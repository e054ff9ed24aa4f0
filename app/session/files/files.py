"""The files of a session: what is opened, saved elsewhere and closed."""

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject

from app.errors import StorageError, VideoMissingError
from app.session.files.autosave import Autosave
from app.session.files.opening import Opened, open_project, open_source, reopened_as
from app.session.state.context import SessionContext
from app.session.state.open_video import OpenVideo
from app.session.state.preferences import cache_bytes
from app.session.state.status import SessionState
from app.storage.video.frames import FrameCache


class Files(QObject):
    """Opens one video at a time, with its project.

    `starts` are called when a video has been opened, `stops` before it is closed, each in turn.
    """

    def __init__(
        self,
        context: SessionContext,
        autosave: Autosave,
        parent: QObject,
        *,
        starts: Sequence[Callable[[], None]],
        stops: Sequence[Callable[[], None]],
    ) -> None:
        super().__init__(parent)
        self._video, self._masks, self._autosave = context.video, context.masks, autosave
        self._preferences, self._status = context.preferences, context.status
        self._starts, self._stops = starts, stops
        self._without_video: Path | None = None  # a project whose video was not found

    @property
    def project_path(self) -> Path | None:
        """The file that everything is saved in."""
        return self._video.now.project_path if self._video.now else None

    def open(self, source: Path) -> None:
        """Open a video, a folder of images, a project file or a VISOR JSON.

        On an error (MaskwrightError) what is open stays open. VideoMissingError says that the
        project is sound but its video is not where it was: ask for it, call `relocate_video`.
        """
        folder = self._preferences.settings.autosave_folder
        same = reopened_as(source, folder)
        if self._is_current(same):
            self._autosave.flush()
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

    def save_as(self, path: Path) -> None:
        """Copy the project file to `path` and go on with the copy. Raises StorageError.

        Where that is the project's own file already, it is only made sure that all is in it.
        """
        if self._is_current(path):
            self._autosave.flush()
        elif self._autosave.copy_to(path) and self._video.now:
            self._video.now.project_path = path

    def close(self) -> None:
        """Stop the job and keep its results, write everything, close the video."""
        opened = self._video.now
        if opened is None:
            return
        for stop in self._stops:
            stop()
        try:
            self._autosave.stop()
        except StorageError as error:
            self._status.report("error", str(error))
        opened.close()
        self._video.now = None
        self._status.enter(SessionState.IDLE)
        self._video.opened.emit()

    def _is_current(self, path: Path) -> bool:
        """Whether `path` is the open project's file, by this name or another."""
        current = self.project_path
        if current is None or path == current:
            return path == current
        return path.exists() and current.exists() and path.samefile(current)

    def _replace(self, opened: Opened) -> None:
        """Close what is open and show what was opened in its place."""
        self.close()
        self._without_video = None
        settings = self._preferences.settings
        self._video.now = OpenVideo(
            opened.video,
            FrameCache(opened.video, cache_bytes(settings)),
            opened.document,
            opened.path,
            opened.attachment,
            undo_limit=settings.undo_limit,
        )
        self._autosave.start(opened.project)
        for start in self._starts:
            start()
        self._status.enter(SessionState.IDLE)
        self._video.opened.emit()
        self._masks.objects_changed.emit()
        for note in opened.notes:
            self._status.report("warning", note)
