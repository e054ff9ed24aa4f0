"""The subsequences of a VISOR video: where one is, the way to the next, the bounds of work."""

from bisect import bisect_right

from PySide6.QtCore import QObject, Signal

from app.session.state.context import SessionContext
from app.session.state.imported import Subsequence


class Subsequences(QObject):
    """The named parts of the open video, none where it comes from no VISOR file."""

    bounding_changed = Signal()

    def __init__(self, context: SessionContext, parent: QObject) -> None:
        super().__init__(parent)
        self._video, self._view, self._status = context.video, context.view, context.status
        self._bounds = True

    @property
    def all(self) -> tuple[Subsequence, ...]:
        """The subsequences, in the order of time."""
        return self._video.now.imported.subsequences if self._video.now else ()

    @property
    def bounds(self) -> bool:
        """Whether propagation keeps to the subsequence that it begins in."""
        return self._bounds

    def set_bounds(self, *, bounds: bool) -> None:
        """Let propagation keep to its subsequence, or go on beyond it."""
        self._bounds = bounds
        self.bounding_changed.emit()

    def at(self, frame: int) -> Subsequence | None:
        """Return the subsequence that a frame lies in, first to last annotated frame, or None."""
        place = bisect_right(self.all, frame, key=lambda each: each.first) - 1
        found = self.all[place] if place >= 0 else None
        return found if found is not None and frame <= found.last else None

    def limits(self) -> tuple[int | None, int | None]:
        """Return the first and the last frame to propagate on: in and out points come first."""
        first, last = self._view.in_point, self._view.out_point
        here = self.at(self._view.frame) if self._bounds else None
        if first is not None or last is not None or here is None:
            return first, last
        return here.first, here.last

    def step(self, count: int) -> None:
        """Go to the first annotated frame of a subsequence so many further."""
        frame = self._view.frame
        if not self.all:
            self._status.report("info", "The video has no subsequences: its masks are not VISOR's.")
            return
        place = bisect_right(self.all, frame, key=lambda each: each.first) - 1
        wanted = max(0, min(place + count, len(self.all) - 1))
        if count < 0 and frame > self.all[place].last:
            wanted = place  # between two of them, the one before is the last that was passed
        self._view.go_to(self.all[wanted].first)
