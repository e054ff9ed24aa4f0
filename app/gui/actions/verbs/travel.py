"""Moving through the video."""

from bisect import bisect_left, bisect_right

from app.session.session import Session


class TravelVerbs:
    """Steps, jumps, and the in and out points."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def step(self, frames: int) -> None:
        """Move by so many frames."""
        self._session.go_to(self._session.frame + frames)

    def second(self, seconds: int) -> None:
        """Move by so many seconds, at least one frame."""
        self.step(seconds * max(1, round(self._session.fps)))

    def anchor(self, step: int) -> None:
        """Go to the next anchor, or the one before: of the selected object, of any if none is."""
        anchors = self._anchors()
        here = self._session.frame
        if step > 0:
            later = anchors[bisect_right(anchors, here) :]
            where = later[0] if later else None
        else:
            earlier = anchors[: bisect_left(anchors, here)]
            where = earlier[-1] if earlier else None
        if where is not None:
            self._session.go_to(where)

    def first(self) -> None:
        """Go to the in point; from there or before it to the first frame."""
        start = self._session.in_point
        self._session.go_to(start if start is not None and self._session.frame > start else 0)

    def last(self) -> None:
        """Go to the out point; from there or after it to the last frame."""
        end = self._session.out_point
        before = end is not None and self._session.frame < end
        self._session.go_to(end if before and end is not None else self._session.frame_count - 1)

    def set_in(self) -> None:
        """Begin the range here; an out point before it goes."""
        here, end = self._session.frame, self._session.out_point
        self._session.set_range(here, end if end is None or end >= here else None)

    def set_out(self) -> None:
        """End the range here; an in point after it goes."""
        here, start = self._session.frame, self._session.in_point
        self._session.set_range(start if start is None or start <= here else None, here)

    def _anchors(self) -> list[int]:
        document, selected = self._session.document, self._session.selected
        if selected is not None:
            entries = document.of_object(selected)
            return [frame for frame, entry in entries.items() if entry.is_anchor]
        return [
            frame
            for frame in document.frames()
            if any(entry.is_anchor for entry in document.on_frame(frame).values())
        ]
