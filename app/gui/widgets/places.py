"""The places where videos were left: frame, range and object, taken up when they are opened."""

import hashlib
import re

from PySide6.QtCore import QObject, QSettings, Slot

from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState

_KEPT = 100  # videos
_NUMBER = re.compile("-?[0-9]{1,9}")  # of a frame or an object; no more fits where they go


class Places(QObject):
    """Keeps in `store` where each project was left; the newest hundred."""

    def __init__(
        self, store: QSettings, video: CurrentVideo, view: ViewState, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._store, self._video, self._view = store, video, view
        self._name = ""  # of the open project, in the store
        self._place: list[int] = []
        video.opened.connect(self._on_opened)
        for signal in (view.frame_changed, view.range_changed, view.selection_changed):
            signal.connect(self._note)

    @Slot()
    def _note(self) -> None:
        if self._video.is_open and self._name:
            view = self._view
            given = (view.frame, view.in_point, view.out_point, view.selected)
            self._place = [-1 if each is None else each for each in given]

    @Slot()
    def _on_opened(self) -> None:
        """Keep where the video before was left, and go where this one was."""
        if self._name and self._place:
            self._keep(self._name, self._place)
        self._name, self._place = "", []
        opened = self._video.now
        if opened is None:
            return
        path = str(opened.project_path).encode(errors="surrogateescape")
        self._name = hashlib.sha256(path).hexdigest()[:16]
        place = dict(self._read()).get(self._name)
        if place is not None:
            self._take_up(place)

    def _take_up(self, place: list[int]) -> None:
        frame, first, last, selected = (None if each < 0 else each for each in place)
        count = self._video.frame_count
        if any(each is not None and each >= count for each in (frame, first, last)):
            return  # another video stands there now
        if first is not None or last is not None:
            self._view.set_range(first, last)
        self._view.select(selected)
        self._view.go_to(frame or 0)

    def _keep(self, name: str, place: list[int]) -> None:
        places = [each for each in self._read() if each[0] != name]
        lines = [" ".join([each, *map(str, numbers)]) for each, numbers in places]
        line = " ".join([name, *map(str, place)])
        self._store.setValue("places", [line, *lines][:_KEPT])

    def _read(self) -> list[tuple[str, list[int]]]:
        """Return (name, place) of each project that is known, the newest first."""
        stored = self._store.value("places", [])
        lines = [stored] if isinstance(stored, str) else stored
        found = []
        for line in lines[:_KEPT] if isinstance(lines, list) else []:
            name, *numbers = str(line).split() or [""]
            if len(numbers) == 4 and all(map(_NUMBER.fullmatch, numbers)):
                found.append((name, [int(each) for each in numbers]))
        return found
