"""The edits of masks: each is one undo step."""

from collections.abc import Iterable
from dataclasses import replace

from PySide6.QtCore import QObject

from app.core.document import Changes, Document, Entry, Key, Origin, why_not_editable
from app.core.heal import stale_marks
from app.core.mask import Mask
from app.core.plan import anchor_frames
from app.session.jobs.runner import JobRunner
from app.session.state.context import SessionContext
from models.api import BoolMask


class MaskEdits(QObject):
    """What a person does to masks: strokes, verifications, absences, exchanges.

    An edit marks what was propagated from the masks around it as stale, within the same step.
    Locked objects are left alone, which is said.
    """

    def __init__(self, context: SessionContext, jobs: JobRunner, parent: QObject) -> None:
        super().__init__(parent)
        self._video, self._masks, self._view = context.video, context.masks, context.view
        self._jobs, self._status = jobs, context.status
        self._new_anchors: set[Key] = set()  # made since the last heal
        self._hidden: dict[Key, Entry] = {}  # what stood where an object was marked as not visible
        context.video.opened.connect(self._hidden.clear)

    def editable(self) -> int | None:
        """Return the selected object; None where none is, or after saying why it is refused."""
        selected = self._view.selected
        chosen = next((info for info in self._masks.objects if info.id == selected), None)
        obstacle = why_not_editable(chosen) if chosen else None
        if obstacle is None:
            return selected
        self._status.report("warning", obstacle)
        return None

    def draw_mask(self, frame: int, object_id: int, pixels: BoolMask, text: str) -> None:
        """Set a mask as drawn: brush, eraser, polygon, fill. All False = absent."""
        self.make({Key(frame, object_id): Entry(Mask.encode(pixels), Origin.DRAWN)}, text)

    def clear(self, keys: Iterable[Key]) -> None:
        """Remove the entries; a job that runs or waits does not bring them back."""
        given = list(keys)
        present = [key for key in given if self._masks.entry(key)]
        if (left_out := self._jobs.leave_out(given)) and not present:
            self._status.report("info", f"{left_out:,} frames are left out of what is under way.")
        self.make(dict.fromkeys(present), self._text("Clear", present))

    def mark_absent(self, keys: Iterable[Key]) -> None:
        """Say that the object is not in the picture."""
        given = self._hiding(keys)
        self.make(dict.fromkeys(given, Entry(None, Origin.DRAWN)), self._text("Absent", given))

    def mark_occluded(self, keys: Iterable[Key]) -> None:
        """Say that the object is behind something."""
        given = self._hiding(keys)
        entry = Entry(None, Origin.DRAWN, occluded=True)
        self.make(dict.fromkeys(given, entry), self._text("Occluded", given))

    def show_again(self, keys: Iterable[Key]) -> None:
        """Take back that the object is not visible: what stood there before stands there again."""
        given = list(keys)
        self.make({key: self._hidden.get(key) for key in given}, self._text("Show", given))

    def verify(self, keys: Iterable[Key]) -> None:
        """Make the masks anchors as they are."""
        changes = {
            key: replace(entry, verified=True, stale=False, conflict=False)
            for key in keys
            if (entry := self._masks.entry(key)) is not None and not entry.verified
        }
        self.make(changes, self._text("Approve", changes))

    def unanchor(self, keys: Iterable[Key]) -> None:
        """Let models overwrite the masks again."""
        changes = {
            key: replace(entry, origin=Origin.PROPAGATED, verified=False, clicks=(), stale=True)
            for key in keys
            if (entry := self._masks.entry(key)) is not None and entry.is_anchor
        }
        self.make(changes, self._text("Unanchor", changes))

    def exchange(self, one: int, other: int, frames: range | None = None) -> None:
        """Give each of two objects the masks of the other on `frames`.

        By default from the current frame to the next anchor of either. The masks at both ends
        become anchors, so that no propagation from outside brings the wrong ones back; and what
        lies outside stays as it is: it was right.
        """
        masks = self._masks
        if any(self.refuses(number) for number in (one, other)):
            return
        span = self._to_the_next_anchor((one, other)) if frames is None else frames
        changes: dict[Key, Entry | None] = {}
        for frame in span:
            mine, theirs = (masks.entry(Key(frame, number)) for number in (one, other))
            if mine is not None or theirs is not None:
                changes |= {Key(frame, one): theirs, Key(frame, other): mine}
        if not changes:
            self._status.report("warning", "Neither has a mask on these frames.")
            return
        ends = {min(changes).frame, max(changes).frame}
        for key, entry in changes.items():
            if entry is not None and key.frame in ends:
                changes[key] = replace(entry, verified=True, stale=False, conflict=False)
        names = f"{masks.name_of(one)} and {masks.name_of(other)}"
        where = f"frames {min(ends)}-{max(ends)}"
        self.make(changes, f"Exchange {names}, {where}", marks=False)

    def refuses(self, object_id: int) -> bool:
        """Whether an object must not be touched, which is said."""
        if self._masks.is_locked(object_id):
            name = self._masks.name_of(object_id)
            self._status.report("warning", f"{name} is locked. Unlock it first.")
            return True
        return False

    def make(
        self, changes: Changes, text: str, *, series: object = None, marks: bool = True
    ) -> bool:
        """Make an edit of a person; return whether anything changed.

        Edits of the same `series` (not None) that follow each other are one undo step. Without
        `marks` nothing is made stale.
        """
        allowed = {key: entry for key, entry in changes.items() if not self._refused(key)}
        there = {info.id for info in self._masks.objects}
        if locked := there & {key.object for key in changes if key not in allowed}:
            names = ", ".join(self._masks.name_of(number) for number in sorted(locked))
            self._status.report("warning", f"{names} is locked. Unlock it to edit its masks.")
        if not allowed:
            return False
        with self._jobs.making_way(allowed):
            whole = {**(self._stale(allowed) if marks else {}), **allowed}
            self._masks.change(whole, text, series=series)
        self._new_anchors.update(key for key, entry in allowed.items() if entry and entry.is_anchor)
        return True

    def forget_new_anchors(self) -> None:
        """Let the next heal begin at none of the anchors made so far."""
        self._new_anchors.clear()

    def note_anchor(self, key: Key) -> None:
        """Let the next heal begin at this anchor, too."""
        self._new_anchors.add(key)

    def take_new_anchors(self) -> set[Key]:
        """Return the anchors made since this was called last: where a heal begins."""
        taken, self._new_anchors = self._new_anchors, set()
        return taken

    def _to_the_next_anchor(self, objects: Iterable[int]) -> range:
        found = (anchor_frames(self._masks.document, number) for number in objects)
        later = (frame for frames in found for frame in frames if frame > self._view.frame)
        return range(self._view.frame, min(later, default=self._video.frame_count))

    def _hiding(self, keys: Iterable[Key]) -> list[Key]:
        """Remember the masks that are about to go, and nothing older; return the keys."""
        given = list(keys)
        for key in given:
            entry = self._masks.entry(key)
            if entry is not None and entry.mask is not None:
                self._hidden[key] = entry
            elif entry is None:
                self._hidden.pop(key, None)
        return given

    def _refused(self, key: Key) -> bool:
        return self._masks.is_locked(key.object) or not (0 <= key.frame < self._video.frame_count)

    def _stale(self, changes: Changes) -> dict[Key, Entry]:
        """Return the marks of what the edits make stale: only where an anchor changes."""
        document = self._masks.document
        changed = [key for key, entry in changes.items() if _changes_anchor(document, key, entry)]
        return stale_marks(document, changed)

    def _text(self, verb: str, keys: Iterable[Key]) -> str:
        given = list(keys)
        objects = {key.object for key in given}
        name = self._masks.name_of(next(iter(objects))) if len(objects) == 1 else "objects"
        frames = sorted({key.frame for key in given})
        where = f"frame {frames[0]}" if len(frames) == 1 else f"{len(frames):,} frames"
        return f"{verb} {name}, {where}"


def _changes_anchor(document: Document, key: Key, entry: Entry | None) -> bool:
    """Whether what a model may build on is another mask after the edit.

    A propagated mask that is verified as it is agrees with its neighbours as before.
    """
    before = document.get(key)
    if entry is not None and entry.is_anchor:
        return before is None or before.mask != entry.mask
    return before is not None and before.is_anchor
