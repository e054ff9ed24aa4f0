"""The current video: what is open, or nothing, and its frames."""

import time

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.core.document import Objects
from app.session.state.open_video import OpenVideo
from app.session.state.status import Status
from models.api import Image

_AGAIN_S = 2.0  # after which a frame that could not be read is tried again, where it is looked at


class CurrentVideo(QObject):
    """The video that is open, if one is; its frames are read in the background.

    A frame that could not be read is tried again: the drive may be back.
    """

    opened = Signal()  # a video is open, or none is any more
    objects_restored = Signal()  # an undo or redo has changed them, which was told before
    image_ready = Signal(int)  # the image of this frame is in the cache now
    _read = Signal(int)  # from the reader threads into this one

    def __init__(self, status: Status, parent: QObject) -> None:
        super().__init__(parent)
        self._status = status
        self.now: OpenVideo | None = None
        self._unreadable: dict[int, float] = {}  # frames that were reported, when to try them again
        self._asked: set[int] = set()  # of them, those that a view has looked for since
        self._again = QTimer(self, singleShot=True, interval=round(_AGAIN_S * 1100))
        self._again.timeout.connect(self._try_again)
        self._read.connect(self.image_ready)
        self.opened.connect(self._forget)

    @property
    def is_open(self) -> bool:
        """Whether a video is open."""
        return self.now is not None

    @property
    def title(self) -> str:
        """The name of the video, empty where none is open."""
        return self.now.video.source.name if self.now else ""

    @property
    def frame_count(self) -> int:
        """The number of frames, 0 where none is open."""
        return len(self.now.video) if self.now else 0

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the frames, (0, 0) where none is open."""
        return self.now.video.size if self.now else (0, 0)

    @property
    def fps(self) -> float:
        """Frames per second of the video, 0 where none is open."""
        return self.now.video.fps if self.now else 0.0

    @property
    def cache_bytes(self) -> int:
        """How much memory decoded frames take now."""
        return self.now.cache.used_bytes if self.now else 0

    def time_of(self, frame: int) -> float:
        """Return the time of `frame` in seconds."""
        return self.now.video.time(frame) if self.now and 0 <= frame < self.frame_count else 0.0

    def name_of(self, frame: int) -> str:
        """Return what `frame` is called: as its imported record, else as its file."""
        if self.now is None or not 0 <= frame < self.frame_count:
            return ""
        record = self.now.imported.records.get(frame)
        return record.name if record is not None else self.now.video.stem(frame)

    def ordered(self, frame: int) -> Objects:
        """Return the objects as they are drawn on `frame`, the lowest first."""
        return self.now.ordered(frame) if self.now else ()

    def image(self, frame: int) -> Image | None:
        """Return the image where it is in the cache; otherwise ask for it (`image_ready`)."""
        if self.now is None or not 0 <= frame < self.frame_count:
            return None
        cache = self.now.cache
        found = cache.peek(frame)
        if found is not None:
            self._unreadable.pop(frame, None)
        elif (failure := cache.failure(frame)) is None or self._is_due(frame, failure):
            cache.request(frame, self._read.emit)
        return found

    def _is_due(self, frame: int, failure: Exception) -> bool:
        """Whether a frame that could not be read is to be tried again now.

        Asking again each time a view is told to look would never end.
        """
        now = time.monotonic()
        if frame not in self._unreadable:
            self._status.report("error", str(failure))
        elif now >= self._unreadable[frame]:
            self._unreadable[frame] = now + _AGAIN_S
            return True
        self._unreadable.setdefault(frame, now + _AGAIN_S)
        self._asked.add(frame)
        if not self._again.isActive():
            self._again.start()
        return False

    @Slot()
    def _try_again(self) -> None:
        """Let those who still look at a frame ask for it once more."""
        asked, self._asked = self._asked, set()
        for frame in asked:
            self.image_ready.emit(frame)

    @Slot()
    def _forget(self) -> None:
        self._unreadable, self._asked = {}, set()
        self._again.stop()

    def nearest_image(self, frame: int) -> tuple[int, Image] | None:
        """Return the frame nearest to `frame` that is in the cache, and its image."""
        return self.now.cache.nearest(frame) if self.now else None
