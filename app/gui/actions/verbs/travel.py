"""The verbs of travel: through the video, and the range to work in."""

from bisect import bisect_left, bisect_right

from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState


class TravelVerbs:
    """Steps, jumps, and the in and out points."""

    def __init__(self, video: CurrentVideo, view: ViewState, masks: Masks) -> None:
        self._video, self._view, self._masks = video, view, masks

    def step(self, frames: int) -> None:
        """Move by so many frames."""
        self._view.go_to(self._view.frame + frames)

    def second(self, seconds: int) -> None:
        """Move by so many seconds, at least one frame."""
        self.step(seconds * max(1, round(self._video.fps)))

    def anchor(self, step: int) -> None:
        """Go to the next anchor, or the one before: of the selected object, of any if none is."""
        anchors = self._anchors()
        here = self._view.frame
        if step > 0:
            later = anchors[bisect_right(anchors, here) :]
            where = later[0] if later else None
        else:
            earlier = anchors[: bisect_left(anchors, here)]
            where = earlier[-1] if earlier else None
        if where is not None:
            self._view.go_to(where)

    def first(self) -> None:
        """Go to the in point; from there or before it to the first frame."""
        start = self._view.in_point
        self._view.go_to(start if start is not None and self._view.frame > start else 0)

    def last(self) -> None:
        """Go to the out point; from there or after it to the last frame."""
        end = self._view.out_point
        before = end is not None and self._view.frame < end
        self._view.go_to(end if before and end is not None else self._video.frame_count - 1)

    def set_in(self) -> None:
        """Begin the range here; an out point before it goes."""
        here, end = self._view.frame, self._view.out_point
        self._view.set_range(here, end if end is None or end >= here else None)

    def set_out(self) -> None:
        """End the range here; an in point after it goes."""
        here, start = self._view.frame, self._view.in_point
        self._view.set_range(start if start is None or start <= here else None, here)

    def clear_range(self) -> None:
        """Work in the whole video."""
        self._view.set_range(None, None)

    def _anchors(self) -> list[int]:
        document, selected = self._masks.document, self._view.selected
        if selected is not None:
            entries = document.of_object(selected)
            return [frame for frame, entry in entries.items() if entry.is_anchor]
        return [
            frame
            for frame in document.frames()
            if any(entry.is_anchor for entry in document.on_frame(frame).values())
        ]
