"""What a session tells the window, and the values it tells it with."""

import enum
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal


class SessionState(enum.Enum):
    """What the session is busy with; one place changes it."""

    IDLE = "idle"
    SEGMENTING = "segmenting"
    PROPAGATING = "propagating"
    REFINING = "refining"
    CLOSING = "closing"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the running job is.

    `fps` in frames per second and `seconds_left` are None until they can be told. `first` to
    `last` are the frames that it fills, `at` the one it is at, `objects` what it follows.
    """

    text: str
    done: int
    total: int
    fps: float | None
    seconds_left: float | None
    first: int
    last: int
    at: int
    objects: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """One sentence for the status line. `level` is "info", "warning" or "error"."""

    level: str
    text: str


class SessionSignals(QObject):
    """The notices of a session; every one is emitted in the GUI thread."""

    opened = Signal()  # a video is open, or none is any more
    frame_changed = Signal(int)
    image_ready = Signal(int)  # the image of this frame is in the cache now
    entries_changed = Signal(object)  # frozenset[Key]: in the document or pending
    objects_changed = Signal()
    selection_changed = Signal(object)  # int | None
    range_changed = Signal()  # the in or the out point
    state_changed = Signal(object)  # SessionState
    progress_changed = Signal(object)  # Progress | None
    suspects_changed = Signal()
    candidates_changed = Signal()  # of the last click
    copied_changed = Signal()  # the mask that can be pasted
    preview_changed = Signal(object)  # tuple[int, int, Mask | None]: frame, object; or None
    comparison_changed = Signal()  # what the masks are compared with, or what that holds
    reported = Signal(object)  # Report
    saved = Signal(object)  # datetime of the last write
    settings_changed = Signal()
