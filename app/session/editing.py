"""Edits to the masks: each is one undo step."""

from collections.abc import Iterable
from dataclasses import replace

from app.core.document import Changes, Document, Entry, Key, Origin
from app.core.heal import stale_marks
from app.core.mask import Mask
from app.session.jobs import Jobs
from app.session.workspace import Workspace
from models.api import BoolMask


class Editing:
    """What a person does to masks: strokes, approvals, absences.

    An edit marks what was propagated from the masks around it as stale, within the same step.
    Locked objects are left alone, which is said.
    """

    def __init__(self, workspace: Workspace, jobs: Jobs) -> None:
        self._workspace, self._jobs = workspace, jobs
        self.new_anchors: set[Key] = set()  # anchors made since the last heal
        self._hidden: dict[Key, Entry] = {}  # what stood where an object was marked as not visible
        workspace.signals.opened.connect(self._hidden.clear)

    def draw_mask(self, frame: int, object_id: int, pixels: BoolMask, text: str) -> None:
        """Set a mask as drawn: brush, eraser, polygon, fill. All False = absent."""
        self.make({Key(frame, object_id): Entry(Mask.encode(pixels), Origin.DRAWN)}, text)

    def clear(self, keys: Iterable[Key]) -> None:
        """Remove the entries."""
        present = [key for key in keys if self._workspace.entry(key)]
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
            if (entry := self._workspace.entry(key)) is not None and not entry.verified
        }
        self.make(changes, self._text("Approve", changes))

    def unanchor(self, keys: Iterable[Key]) -> None:
        """Let models overwrite the masks again."""
        changes = {
            key: replace(entry, origin=Origin.PROPAGATED, verified=False, clicks=(), stale=True)
            for key in keys
            if (entry := self._workspace.entry(key)) is not None and entry.is_anchor
        }
        self.make(changes, self._text("Unanchor", changes))

    def make(
        self, changes: Changes, text: str, *, series: object = None, marks: bool = True
    ) -> bool:
        """Make an edit of a person; return whether anything changed.

        Edits of the same `series` (not None) that follow each other are one undo step. Without
        `marks` nothing is made stale.
        """
        allowed = {key: entry for key, entry in changes.items() if not self._refused(key)}
        there = {info.id for info in self._workspace.document.objects}
        if locked := there & {key.object for key in changes if key not in allowed}:
            names = ", ".join(self._workspace.name_of(number) for number in sorted(locked))
            self._workspace.report("warning", f"{names} is locked. Unlock it to edit its masks.")
        if not allowed:
            return False
        with self._jobs.making_way(allowed):
            whole = {**(self._stale(allowed) if marks else {}), **allowed}
            self._workspace.change(whole, text, series=series)
        self.new_anchors.update(key for key, entry in allowed.items() if entry and entry.is_anchor)
        return True

    def _hiding(self, keys: Iterable[Key]) -> list[Key]:
        """Remember the masks that are about to go, and nothing older; return the keys."""
        given = list(keys)
        for key in given:
            entry = self._workspace.entry(key)
            if entry is not None and entry.mask is not None:
                self._hidden[key] = entry
            elif entry is None:
                self._hidden.pop(key, None)
        return given

    def _refused(self, key: Key) -> bool:
        return self._workspace.is_locked(key.object) or not (
            0 <= key.frame < self._workspace.frame_count
        )

    def _stale(self, changes: Changes) -> dict[Key, Entry]:
        """Return the marks of what the edits make stale: only where an anchor changes."""
        document = self._workspace.document
        changed = [key for key, entry in changes.items() if _changes_anchor(document, key, entry)]
        return stale_marks(document, changed)

    def _text(self, verb: str, keys: Iterable[Key]) -> str:
        given = list(keys)
        objects = {key.object for key in given}
        name = self._workspace.name_of(next(iter(objects))) if len(objects) == 1 else "objects"
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
