"""The needs of the actions: what must hold for one to be used, and the words where it does not."""

import enum
from dataclasses import dataclass

from PySide6.QtCore import QT_TRANSLATE_NOOP, QCoreApplication

from app.core.document import Entry


class Need(enum.Enum):
    """What must hold for an action to do anything; the value says what is missing."""

    NOTHING = ""
    VIDEO = QT_TRANSLATE_NOOP("Need", "Open a video first.")
    SAMPLE = QT_TRANSLATE_NOOP("Need", "The sample clip is not part of this installation.")
    OBJECTS = QT_TRANSLATE_NOOP("Need", "There is no object yet: press M, or click one.")
    OBJECT = QT_TRANSLATE_NOOP("Need", "Select an object first (keys 1 to 9, or the list).")
    EDITABLE = QT_TRANSLATE_NOOP("Need", "Select an object that is not locked first.")
    ENTRY = QT_TRANSLATE_NOOP("Need", "The selected object has no mask on this frame.")
    MASK = QT_TRANSLATE_NOOP("Need", "The selected object is not to be seen on this frame.")
    COPIED = QT_TRANSLATE_NOOP("Need", "Copy a mask first (Ctrl+C).")
    ANCHOR = QT_TRANSLATE_NOOP("Need", "The selected object has no anchor on this frame.")
    MASKS = QT_TRANSLATE_NOOP("Need", "There is no mask yet: click an object first.")
    START = QT_TRANSLATE_NOOP("Need", "There is no mask to start from: click an object first.")
    CANDIDATES = QT_TRANSLATE_NOOP("Need", "The last click has only one possible mask.")
    RANGE = QT_TRANSLATE_NOOP("Need", "Set an in point (I) or an out point (O) first.")
    OBJECT_RANGE = QT_TRANSLATE_NOOP("Need", "Set an in or an out point (I, O) first.")
    BLOCK = QT_TRANSLATE_NOOP("Need", "Drag over the timeline, or select an object first.")
    JOB = QT_TRANSLATE_NOOP("Need", "Nothing is running.")
    SUSPECTS = QT_TRANSLATE_NOOP("Need", "No suspects are left to review.")
    CHANGES = QT_TRANSLATE_NOOP("Need", "Nothing has been propagated since the video was opened.")
    REFERENCE = QT_TRANSLATE_NOOP("Need", "Propagate, or choose a ground truth (F7) first.")
    RUN = QT_TRANSLATE_NOOP("Need", "Import or keep a prediction as a run first.")
    MEASURED = QT_TRANSLATE_NOOP("Need", "Import a prediction and a ground truth as runs first.")
    VOTES = QT_TRANSLATE_NOOP("Need", "Ctrl+click a pixel in a view: it says what is remembered.")
    EPISODE = QT_TRANSLATE_NOOP("Need", "No failure was measured: choose a run and a truth first.")
    SEQUENCES = QT_TRANSLATE_NOOP("Need", "Open a VISOR JSON: only those have subsequences.")
    UNDO = QT_TRANSLATE_NOOP("Need", "There is nothing to undo.")
    REDO = QT_TRANSLATE_NOOP("Need", "There is nothing to redo.")

    @property
    def explanation(self) -> str:
        """What is missing, in the person's language; empty for NOTHING."""
        return QCoreApplication.translate("Need", self.value) if self.value else ""


@dataclass(frozen=True, slots=True)
class Situation:
    """What of the session decides which actions can be used."""

    is_open: bool = False
    has_sample: bool = False
    object_count: int = 0
    selected: bool = False
    locked: bool = False
    entry: Entry | None = None
    mask_count: int = 0
    asked: bool = False
    candidates: int = 0
    has_range: bool = False
    has_block: bool = False
    busy: bool = False
    suspects: int = 0
    has_changes: bool = False
    can_compare: bool = False
    has_copied: bool = False
    overlap: bool = False
    has_run: bool = False
    measured: int = 0
    has_episode: bool = False
    has_votes: bool = False
    sequences: int = 0
    keeps_to_sequence: bool = False
    can_undo: bool = False
    can_redo: bool = False
    undo_text: str = ""
    redo_text: str = ""

    def lacking(self, need: Need) -> Need | None:
        """Return what is missing for `need`, most basic first, or None where nothing is."""
        if need in {Need.NOTHING, Need.SAMPLE}:
            return None if need is Need.NOTHING or self.has_sample else need
        if not self.is_open:
            return Need.VIDEO
        if need in _OF_AN_OBJECT and not self.selected:
            return Need.OBJECTS if self.object_count == 0 else Need.OBJECT
        return None if self._holds(need) else need

    def _holds(self, need: Need) -> bool:
        entry = self.entry
        return {
            Need.VIDEO: self.is_open,
            Need.OBJECTS: self.object_count > 0,
            Need.OBJECT: self.selected,
            Need.EDITABLE: not self.locked,
            Need.ENTRY: entry is not None,
            Need.MASK: entry is not None and entry.mask is not None,
            Need.ANCHOR: entry is not None and entry.is_anchor,
            Need.MASKS: self.mask_count > 0,
            Need.START: self.mask_count > 0 or self.asked,
            Need.CANDIDATES: self.candidates > 1,
            Need.RANGE: self.has_range,
            Need.OBJECT_RANGE: self.has_range,
            Need.BLOCK: self.has_block or self.selected,
            Need.JOB: self.busy,
            Need.SUSPECTS: self.suspects > 0,
            Need.CHANGES: self.has_changes,
            Need.REFERENCE: self.can_compare,
            Need.COPIED: self.has_copied,
            Need.RUN: self.has_run,
            Need.MEASURED: self.measured > 0,
            Need.EPISODE: self.has_episode,
            Need.VOTES: self.has_votes,
            Need.SEQUENCES: self.sequences > 0,
            Need.UNDO: self.can_undo,
            Need.REDO: self.can_redo,
        }[need]


_OF_AN_OBJECT = {Need.OBJECT, Need.EDITABLE, Need.ENTRY, Need.MASK, Need.ANCHOR, Need.OBJECT_RANGE}
