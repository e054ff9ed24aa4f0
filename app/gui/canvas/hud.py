"""The line over the canvas that says what is shown."""

from collections.abc import Callable

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel, QWidget

from app.core.document import Key, State
from app.gui.canvas.scene.picture import Picture
from app.gui.widgets.words import clock, entry_name, percent
from app.session.edits.clicks import Clicks
from app.session.edits.correction import Correction
from app.session.state.masks import Masks
from app.session.state.video import CurrentVideo
from app.session.state.view import ViewState

# Its own colours in every theme: it lies on the picture, not on the window.
_LOOK = (
    "QLabel { background: rgba(15, 17, 20, 190); color: #f4f5f7; border-radius: 4px;"
    " padding: 3px 8px; }"
)


_BY_MODEL = {State.PREDICTED, State.STALE, State.CONFLICT}


class Hud(QLabel):
    """Frame, time, object and its state, at the top left of the canvas."""

    def __init__(
        self,
        video: CurrentVideo,
        view: ViewState,
        masks: Masks,
        clicks: Clicks,
        correction: Correction,
        picture: Picture,
        compared: Callable[[], str],
        parent: QWidget,
    ) -> None:
        """`compared` says in words what the masks are compared with; call `refresh` after it."""
        super().__init__(parent)
        self._video, self._view, self._masks, self._clicks = video, view, masks, clicks
        self._correction = correction
        self._picture, self._compared = picture, compared
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setStyleSheet(_LOOK)
        self.setTextFormat(Qt.TextFormat.PlainText)  # a name may look like HTML
        self.move(8, 8)
        picture.frame_shown.connect(self.refresh)
        view.frame_changed.connect(self.refresh)
        view.selection_changed.connect(self.refresh)
        masks.objects_changed.connect(self.refresh)
        masks.entries_changed.connect(self._on_entries_changed)
        clicks.candidates_changed.connect(self.refresh)
        clicks.waiting_changed.connect(self.refresh)
        correction.waiting_changed.connect(self.refresh)
        video.opened.connect(self.refresh)
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Say what is shown now."""
        self.setVisible(self._video.is_open)
        text = " · ".join(self._parts())
        if text != self.text():
            self.setText(text)
            self.adjustSize()

    @Slot(object)
    def _on_entries_changed(self, keys: frozenset[Key]) -> None:
        if Key(self._view.frame, self._view.selected or 0) in keys:
            self.refresh()

    def _parts(self) -> list[str]:
        frame = self._view.frame
        parts = [f"{frame} / {self._video.frame_count - 1}", clock(self._video.time_of(frame))]
        if (opened := self._video.now) and opened.imported.is_there:
            name = self._video.name_of(frame)
            parts.append(name.rpartition(".")[0] or name)
        if self._picture.frame != frame:
            parts.append(self.tr("reading"))
        if compared := self._compared():
            parts.append(compared)
        chosen = next(
            (info for info in self._masks.objects if info.id == self._view.selected), None
        )
        if chosen is not None:
            key = Key(frame, chosen.id)
            state, name = self._masks.state(key), entry_name(self._masks.entry(key))
            parts.append(f"{chosen.id} {chosen.name}")
            parts.append(name.upper() if state in {State.STALE, State.CONFLICT} else name)
            sure = self._masks.confidence(self._masks.entry(key))
            if sure is not None and state in _BY_MODEL:
                parts.append(self.tr("{} sure").format(percent(sure)))
            which, count = self._clicks.candidates
            if self._correction.waits_at(key):
                parts.append(self.tr("looking; Enter follows"))
            elif self._clicks.waits_at(key):
                parts.append(self.tr("looking"))
            elif count > 1:
                parts.append(self.tr("mask {0} of {1} (Tab)").format(which + 1, count))
        return parts
