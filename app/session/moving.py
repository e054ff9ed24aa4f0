"""Masks taken to another frame or given to another object."""

from collections.abc import Iterable
from dataclasses import replace

from app.core.document import Entry, Key, Origin
from app.core.mask import Mask
from app.core.plan import anchor_frames
from app.session.editing import Editing
from app.session.objects import ObjectEdits
from app.session.workspace import Workspace


class Moving:
    """Copies a mask from frame to frame, and exchanges the masks of two objects."""

    def __init__(self, workspace: Workspace, objects: ObjectEdits, editing: Editing) -> None:
        self._workspace, self._objects, self._editing = workspace, objects, editing
        self.copied: Mask | None = None
        workspace.signals.opened.connect(self._on_opened)

    def copy(self) -> None:
        """Remember the selected object's mask on the current frame."""
        workspace = self._workspace
        entry = workspace.entry(Key(workspace.frame, workspace.selected or 0))
        if entry is None or entry.mask is None:
            workspace.report("warning", "There is no mask to copy on this frame.")
            return
        self.copied = entry.mask
        workspace.report("info", "Copied. Paste it on another frame or to another object.")
        workspace.signals.copied_changed.emit()

    def paste(self) -> None:
        """Give the copied mask to the selected object, or a new one, on the current frame."""
        workspace = self._workspace
        if self.copied is None:
            workspace.report("warning", "Copy a mask first.")
        elif (number := workspace.selected or self._objects.add()) is not None:
            text = f"Paste {workspace.name_of(number)}, frame {workspace.frame}"
            entry = Entry(self.copied, Origin.DRAWN)
            self._editing.make({Key(workspace.frame, number): entry}, text)

    def exchange(self, one: int, other: int, frames: range | None = None) -> None:
        """Give each of two objects the masks of the other on `frames`.

        By default from the current frame to the next anchor of either. The masks at both ends
        become anchors, so that no propagation from outside brings the wrong ones back; and what
        lies outside stays as it is: it was right.
        """
        workspace = self._workspace
        if any(workspace.refuses(number) for number in (one, other)):
            return
        span = self._to_the_next_anchor((one, other)) if frames is None else frames
        changes: dict[Key, Entry | None] = {}
        for frame in span:
            mine, theirs = (workspace.entry(Key(frame, number)) for number in (one, other))
            if mine is not None or theirs is not None:
                changes |= {Key(frame, one): theirs, Key(frame, other): mine}
        if not changes:
            workspace.report("warning", "Neither has a mask on these frames.")
            return
        ends = {min(changes).frame, max(changes).frame}
        for key, entry in changes.items():
            if entry is not None and key.frame in ends:
                changes[key] = replace(entry, verified=True, stale=False, conflict=False)
        names = f"{workspace.name_of(one)} and {workspace.name_of(other)}"
        where = f"frames {min(ends)}-{max(ends)}"
        self._editing.make(changes, f"Exchange {names}, {where}", marks=False)

    def _to_the_next_anchor(self, objects: Iterable[int]) -> range:
        workspace = self._workspace
        found = (anchor_frames(workspace.document, number) for number in objects)
        later = (frame for frames in found for frame in frames if frame > workspace.frame)
        return range(workspace.frame, min(later, default=workspace.frame_count))

    def _on_opened(self) -> None:
        self.copied = None
