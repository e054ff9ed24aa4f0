"""The masks of the open video: its document with the running job's results over it."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from app.commands import EditObjects, ReplaceEntries
from app.core.confidence import calibration_of, confidence
from app.core.document import Changes, Document, Entry, Key, Objects, State
from app.session.state.interactions import Interactions, interaction
from app.session.state.open_video import OpenVideo
from app.session.state.preferences import Preferences
from app.session.state.video import CurrentVideo
from models.api import BoolMask


class Masks(QObject):
    """The masks and objects as they are shown; changed as undo steps by the parts of a session."""

    document_changed = Signal(object)  # frozenset[Key]: in the document; comes before the next
    entries_changed = Signal(object)  # frozenset[Key]: in the document or pending
    objects_changed = Signal()
    attributes_changed = Signal()  # what is said of masks, the drawing order of frames included

    def __init__(
        self,
        video: CurrentVideo,
        preferences: Preferences,
        interactions: Interactions,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._video, self._preferences, self._interactions = video, preferences, interactions
        video.opened.connect(self._on_opened)

    @property
    def document(self) -> Document:
        """The masks without what is pending; to be read only. Empty where no video is open."""
        opened = self._video.now
        return opened.document if opened else Document()

    @property
    def objects(self) -> Objects:
        """The objects, in drawing order."""
        return self.document.objects

    def shown(self, frame: int) -> dict[int, Entry]:
        """Return object id -> entry on `frame`, what is pending over what is in the document."""
        opened = self._video.now
        return opened.shown(frame) if opened else {}

    def of_object(self, object_id: int) -> dict[int, Entry]:
        """Return frame -> entry of one object as shown, frames rising."""
        opened = self._video.now
        return opened.of_object(object_id) if opened else {}

    def snapshot(self) -> Document:
        """Return a copy of the document that has in it what is pending."""
        copy = self.document.snapshot()
        if opened := self._video.now:
            copy.replace(opened.pending)
        return copy

    def entry(self, key: Key) -> Entry | None:
        """Return what is shown at `key`."""
        opened = self._video.now
        return opened.entry(key) if opened else None

    def pixels(self, frame: int, object_id: int) -> BoolMask:
        """Return an object's mask (H, W); all False where it has none."""
        entry = self.entry(Key(frame, object_id))
        if entry is None or entry.mask is None:
            return np.zeros(self._video.size, np.bool_)
        return entry.mask.decode()

    def confidence(self, entry: Entry | None) -> float | None:
        """Return how likely a mask is right, 0 to 1; None = there is none, or nothing is known."""
        if entry is None:
            return None
        tracker = self._preferences.settings.tracker
        return confidence(entry, calibration_of(tracker, len(self.objects)))

    def state(self, key: Key) -> State:
        """Return what the timeline shows at `key`."""
        entry = self.entry(key)
        return entry.state if entry else State.NONE

    def name_of(self, object_id: int) -> str:
        """Return an object's name, for a sentence."""
        return next((info.name for info in self.objects if info.id == object_id), "")

    def is_locked(self, object_id: int) -> bool:
        """Whether an object must not be touched (or is not there)."""
        return not any(info.id == object_id and not info.locked for info in self.objects)

    def add_pending(self, entries: dict[Key, Entry]) -> None:
        """Show results of the running job."""
        self._opened().add_pending(entries)
        if entries:
            self.entries_changed.emit(frozenset(entries))

    def take_pending(self) -> dict[Key, Entry]:
        """Return the pending results and show them no longer."""
        return self._opened().take_pending()

    @interaction("masks")
    def change(
        self, changes: Changes, text: str, *, series: object = None, renews: bool = False
    ) -> None:
        """Replace entries as one undo step, where any differs or it `renews` them."""
        opened = self._opened()
        document = opened.document
        if renews or any(document.get(key) != entry for key, entry in changes.items()):
            opened.push(ReplaceEntries(document, changes, text, series=series))

    @interaction("masks")
    def change_objects(self, objects: Objects, text: str) -> None:
        """Replace the objects as one undo step, where they differ."""
        opened = self._opened()
        changed, restored = self.objects_changed.emit, self._video.objects_restored.emit
        if objects != opened.document.objects:
            opened.push(EditObjects(opened.document, objects, text, changed, restored))

    @contextmanager
    def one_step(self, text: str) -> Iterator[None]:
        """Make one undo step of all changes within; none where there are none."""
        self._group(text)
        try:
            yield
        finally:
            self._group(None)

    @interaction("masks")
    def _group(self, text: str | None) -> None:
        """Begin an undo step of several changes; None ends it."""
        if text is None:
            self._opened().end_step()
        else:
            self._opened().begin_step(text)

    def _opened(self) -> OpenVideo:
        opened = self._video.now
        assert opened is not None, "no video is open"
        return opened

    @Slot()
    def _on_opened(self) -> None:
        if opened := self._video.now:
            opened.document.on_change(self._on_document_change)

    def _on_document_change(self, keys: frozenset[Key]) -> None:
        self.document_changed.emit(keys)
        self.entries_changed.emit(keys)
