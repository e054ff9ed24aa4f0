"""What is open, shared by the parts of a session."""

from PySide6.QtGui import QUndoStack

from app.core.document import Changes, Document, Entry, Key, State
from app.core.issues import Issue
from app.session.signals import Report, SessionSignals, SessionState


class Workspace:
    """The open video's document, undo stack and view. Owned by the GUI thread."""

    def __init__(self, signals: SessionSignals) -> None:
        self.signals = signals
        self.undo_stack = QUndoStack()
        self.video: object | None = None
        self.title = ""
        self.frame_count = 0
        self.size = (0, 0)
        self.fps = 0.0
        self.document = Document()
        self.pending: dict[int, dict[int, Entry]] = {}
        self.frame = 0
        self.in_point: int | None = None
        self.out_point: int | None = None
        self.selected: int | None = None
        self.activity = SessionState.IDLE
        self.candidates = (0, 0)
        self.issues: tuple[Issue, ...] = ()

    def shown(self, frame: int) -> dict[int, Entry]:
        """Return object id -> entry on `frame`, what is pending over what is in the document."""
        return {**self.document.on_frame(frame), **self.pending.get(frame, {})}

    def entry(self, key: Key) -> Entry | None:
        """Return what is shown at `key`."""
        return self.pending.get(key.frame, {}).get(key.object) or self.document.get(key)

    def state(self, key: Key) -> State:
        """Return what the timeline shows at `key`."""
        entry = self.entry(key)
        return entry.state if entry else State.NONE

    def report(self, level: str, text: str) -> None:
        """Put one sentence on the status line."""
        self.signals.reported.emit(Report(level, text))

    def change(self, changes: Changes, text: str) -> None:
        """Apply an edit as one undo step."""
