"""Which frame, object and range the person looks at."""

from PySide6.QtCore import QObject, Signal

from app.session.workspace import Workspace
from models.api import Image


class Viewing(QObject):
    """The current frame, its image, the range and the selection."""

    _read = Signal(int)  # from the reader threads into this one

    def __init__(self, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._unreadable: set[int] = set()  # frames that were reported
        self._read.connect(workspace.signals.image_ready)
        workspace.signals.opened.connect(self._unreadable.clear)

    def go_to(self, frame: int) -> None:
        """Show `frame`, or the nearest there is."""
        frame = max(0, min(frame, self._workspace.frame_count - 1))
        if self._workspace.video and frame != self._workspace.frame:
            self._workspace.frame = frame
            self._workspace.signals.frame_changed.emit(frame)

    def image(self, frame: int) -> Image | None:
        """Return the image where it is in the cache; otherwise ask for it (`image_ready`)."""
        cache = self._workspace.cache
        if cache is None or not 0 <= frame < self._workspace.frame_count:
            return None
        found = cache.peek(frame)
        if found is None and (failure := cache.failure(frame)) is not None:
            # Asking again each time a view is told to look would never end.
            if frame not in self._unreadable:
                self._unreadable.add(frame)
                self._workspace.report("error", str(failure))
        elif found is None:
            cache.request(frame, self._read.emit)
        return found

    def nearest_image(self, frame: int) -> tuple[int, Image] | None:
        """Return the frame nearest to `frame` that is in the cache, and its image."""
        cache = self._workspace.cache
        return cache.nearest(frame) if cache else None

    def time_of(self, frame: int) -> float:
        """Return the time of `frame` in seconds."""
        video = self._workspace.video
        return video.time(frame) if video and 0 <= frame < len(video) else 0.0

    def set_range(self, first: int | None, last: int | None) -> None:
        """Set the in and out points; None is the video's start or end."""
        if first is not None and last is not None and first > last:
            first, last = last, first
        self._workspace.in_point, self._workspace.out_point = first, last
        self._workspace.signals.range_changed.emit()

    def select(self, object_id: int | None) -> None:
        """Select an object, or none."""
        known = {info.id for info in self._workspace.document.objects}
        if object_id is not None and object_id not in known:
            return
        if object_id != self._workspace.selected:
            self._workspace.selected = object_id
            self._workspace.signals.selection_changed.emit(object_id)
