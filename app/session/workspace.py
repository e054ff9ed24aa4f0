"""What is open, shared by the parts of a session."""

from pathlib import Path

from PySide6.QtGui import QUndoStack

from app.commands import EditObjects, ReplaceEntries
from app.core.document import Changes, Document, Entry, Key, Listener, Objects, State
from app.session.signals import Report, SessionSignals, SessionState
from app.storage.settings import Settings
from app.storage.video.frames import FrameCache
from app.storage.video.opening import Video


class Workspace:
    """The open video's document, pending results, undo stack and view. Owned by the GUI thread."""

    def __init__(self, signals: SessionSignals, settings: Settings) -> None:
        self.signals = signals
        self.settings = settings
        self.undo_stack = QUndoStack(signals)
        self.video: Video | None = None
        self.cache: FrameCache | None = None
        self.project_path: Path | None = None
        self.attachment: bytes | None = None  # what an imported VISOR file held besides masks
        self.frame = 0
        self.in_point: int | None = None
        self.out_point: int | None = None
        self.selected: int | None = None
        self.activity = SessionState.IDLE
        self.pending: dict[Key, Entry] = {}
        self._pending_on: dict[int, dict[int, Entry]] = {}
        self._listeners: list[Listener] = []
        self.document = Document()
        self.set_document(Document())

    def set_document(self, document: Document) -> None:
        """Start over with another document."""
        self.document = document
        self.undo_stack.clear()
        self.undo_stack.setUndoLimit(self.settings.undo_limit)
        for listener in self._listeners:
            document.on_change(listener)
        document.on_change(self.signals.entries_changed.emit)

    def forget(self) -> None:
        """Hold nothing any more; the video and its files are closed by now."""
        self.video = self.cache = self.project_path = self.attachment = None
        self.frame, self.in_point, self.out_point, self.selected = 0, None, None, None
        self.take_pending()
        self.set_document(Document())
        self.enter(SessionState.IDLE)

    def on_document_change(self, listener: Listener) -> None:
        """Call `listener` with the keys of every later change of this and later documents."""
        self._listeners.append(listener)
        self.document.on_change(listener)

    @property
    def frame_count(self) -> int:
        """The number of frames, 0 where none is open."""
        return len(self.video) if self.video else 0

    @property
    def first(self) -> int:
        """The first frame to work on."""
        return self.in_point or 0

    @property
    def last(self) -> int:
        """The last frame to work on."""
        return self.frame_count - 1 if self.out_point is None else self.out_point

    def shown(self, frame: int) -> dict[int, Entry]:
        """Return object id -> entry on `frame`, what is pending over what is in the document."""
        return {**self.document.on_frame(frame), **self._pending_on.get(frame, {})}

    def shown_document(self) -> Document:
        """Return a copy of the document that has in it what is pending."""
        copy = self.document.snapshot()
        copy.replace(self.pending)
        return copy

    def entry(self, key: Key) -> Entry | None:
        """Return what is shown at `key`."""
        return self.pending.get(key) or self.document.get(key)

    def state(self, key: Key) -> State:
        """Return what the timeline shows at `key`."""
        entry = self.entry(key)
        return entry.state if entry else State.NONE

    def add_pending(self, entries: dict[Key, Entry]) -> None:
        """Show results of the running job."""
        self.pending.update(entries)
        for key, entry in entries.items():
            self._pending_on.setdefault(key.frame, {})[key.object] = entry
        if entries:
            self.signals.entries_changed.emit(frozenset(entries))

    def take_pending(self) -> dict[Key, Entry]:
        """Return the pending results and show them no longer."""
        taken, self.pending, self._pending_on = self.pending, {}, {}
        return taken

    def report(self, level: str, text: str) -> None:
        """Put one sentence on the status line; `level` is "info", "warning" or "error"."""
        self.signals.reported.emit(Report(level, text))

    def change(self, changes: Changes, text: str, *, series: object = None) -> None:
        """Replace entries as one undo step."""
        self.undo_stack.push(ReplaceEntries(self.document, changes, text, series=series))

    def change_objects(self, objects: Objects, text: str) -> None:
        """Replace the objects as one undo step."""
        changed = self.signals.objects_changed.emit
        self.undo_stack.push(EditObjects(self.document, objects, text, changed))

    def enter(self, activity: SessionState) -> None:
        """Say what the session is busy with."""
        if activity is not self.activity:
            self.activity = activity
            self.signals.state_changed.emit(activity)

    def name_of(self, object_id: int) -> str:
        """Return an object's name, for a sentence."""
        return next((info.name for info in self.document.objects if info.id == object_id), "")

    def is_locked(self, object_id: int) -> bool:
        """Whether an object must not be touched (or is not there)."""
        return not any(info.id == object_id and not info.locked for info in self.document.objects)

    def refuses(self, object_id: int) -> bool:
        """Whether an object must not be touched, which is said."""
        if self.is_locked(object_id):
            self.report("warning", f"{self.name_of(object_id)} is locked. Unlock it first.")
            return True
        return False
