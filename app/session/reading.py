"""What can be read of a session at any time."""

from pathlib import Path

from app.core.document import Document, Entry, Key, Objects, State
from app.session.signals import SessionSignals, SessionState
from app.session.workspace import Workspace
from app.storage.settings import Settings
from app.storage.video.opening import Video


class SessionReading(SessionSignals):
    """The state of a session, for views. Nothing here changes anything."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._workspace = Workspace(self, settings)

    @property
    def is_open(self) -> bool:
        """Whether a video is open."""
        return self._workspace.video is not None

    @property
    def video(self) -> Video | None:
        """The open video."""
        return self._workspace.video

    @property
    def project_path(self) -> Path | None:
        """The file that everything is saved in."""
        return self._workspace.project_path

    @property
    def title(self) -> str:
        """The name of the video, empty where none is open."""
        return self.video.source.name if self.video else ""

    @property
    def frame_count(self) -> int:
        """The number of frames, 0 where none is open."""
        return self._workspace.frame_count

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frames, (0, 0) where none is open."""
        return self.video.size if self.video else (0, 0)

    @property
    def fps(self) -> float:
        """Frames per second of the video, 0 where none is open."""
        return self.video.fps if self.video else 0.0

    @property
    def frame(self) -> int:
        """The current frame."""
        return self._workspace.frame

    @property
    def in_point(self) -> int | None:
        """The first frame of the range to work in, where one is set."""
        return self._workspace.in_point

    @property
    def out_point(self) -> int | None:
        """The last frame of the range to work in, where one is set."""
        return self._workspace.out_point

    @property
    def document(self) -> Document:
        """The masks; to be read only."""
        return self._workspace.document

    @property
    def objects(self) -> Objects:
        """The objects, in drawing order."""
        return self._workspace.document.objects

    @property
    def selected(self) -> int | None:
        """The selected object's id."""
        return self._workspace.selected

    @property
    def activity(self) -> SessionState:
        """What the session is busy with."""
        return self._workspace.activity

    @property
    def settings(self) -> Settings:
        """What the person has chosen."""
        return self._workspace.settings

    @property
    def cache_bytes(self) -> int:
        """How much memory decoded frames take now."""
        cache = self._workspace.cache
        return cache.used_bytes if cache else 0

    def shown(self, frame: int) -> dict[int, Entry]:
        """Return object id -> entry on `frame`, what is pending over what is in the document."""
        return self._workspace.shown(frame)

    def shown_document(self) -> Document:
        """Return a copy of the document that has in it what is pending."""
        return self._workspace.shown_document()

    def state(self, key: Key) -> State:
        """Return what the timeline shows at `key`."""
        return self._workspace.state(key)
