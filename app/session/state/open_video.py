"""The open video: made on open, dropped on close."""

from pathlib import Path

from PySide6.QtGui import QUndoCommand, QUndoStack

from app.core.densify import annotated_frames
from app.core.document import Document, Entry, Key, Objects
from app.session.state.imported import ImportedFile
from app.storage.formats.visor.exporting import is_reordered_among
from app.storage.video.frames import FrameCache
from app.storage.video.opening import Video
from models.api import Seen


class OpenVideo:
    """A video that is open, its frame cache, its masks, their undo stack and its project's path.

    `pending` holds what the running job has found so far. `attachment` is what an imported VISOR
    file held besides masks, `seen` what models have seen of frames, which the tracker puts there.
    The rest is owned by the GUI thread.
    """

    def __init__(
        self,
        video: Video,
        cache: FrameCache,
        document: Document,
        project_path: Path,
        attachment: bytes | None,
        *,
        seen: Seen,
        undo_limit: int,
    ) -> None:
        self.video, self.cache, self.document = video, cache, document
        self.project_path, self.attachment = project_path, attachment
        self.seen = seen
        self.imported = ImportedFile(attachment, video)
        self.undo_stack = QUndoStack()
        self.undo_stack.setUndoLimit(undo_limit)
        self._begun: list[str] = []  # steps of several changes, none of which has come yet
        self.pending: dict[Key, Entry] = {}
        self._pending_on: dict[int, dict[int, Entry]] = {}

    def shown(self, frame: int) -> dict[int, Entry]:
        """Return object id -> entry on `frame`, what is pending over what is in the document."""
        return {**self.document.on_frame(frame), **self._pending_on.get(frame, {})}

    def of_object(self, object_id: int) -> dict[int, Entry]:
        """Return frame -> entry of one object, rising, what is pending over the document's."""
        entries = self.document.of_object(object_id)
        pending = {key.frame: each for key, each in self.pending.items() if key.object == object_id}
        return dict(sorted({**entries, **pending}.items())) if pending else entries

    def ordered(self, frame: int) -> Objects:
        """Return the objects as they are drawn on `frame`, the lowest first."""
        objects = self.document.objects
        order = self.document.attributes.orders.get(frame)
        if order is None and self.imported.is_there:
            is_own = is_reordered_among(objects, self.imported.objects)
            order = None if is_own else self.imported.orders.get(frame)
        if order is None:
            return objects
        infos = {info.id: info for info in objects}
        return tuple(infos[each] for each in dict.fromkeys((*order, *infos)) if each in infos)

    @property
    def annotated(self) -> tuple[int, ...]:
        """The frames that masks are made between: those of an imported sparse file, rising.

        Without a file, those that a person has annotated; none of a dense file.
        """
        original = self.imported.original
        if original is None:
            return annotated_frames(self.document)
        return () if original.file.is_dense else tuple(self.imported.records)

    def entry(self, key: Key) -> Entry | None:
        """Return what is shown at `key`."""
        return self.pending.get(key) or self.document.get(key)

    def add_pending(self, entries: dict[Key, Entry]) -> None:
        """Show results of the running job."""
        self.pending.update(entries)
        for key, entry in entries.items():
            self._pending_on.setdefault(key.frame, {})[key.object] = entry

    def take_pending(self) -> dict[Key, Entry]:
        """Return the pending results and show them no longer."""
        taken, self.pending, self._pending_on = self.pending, {}, {}
        return taken

    def push(self, command: QUndoCommand) -> None:
        """Make an undo step, or a part of the one that has begun."""
        for text in self._begun:
            self.undo_stack.beginMacro(text)
        self._begun.clear()
        self.undo_stack.push(command)

    def begin_step(self, text: str) -> None:
        """Begin an undo step of several changes; it is made with the first of them."""
        self._begun.append(text)

    def end_step(self) -> None:
        """End the undo step that began last."""
        if self._begun:
            self._begun.pop()
        else:
            self.undo_stack.endMacro()

    def close(self) -> None:
        """Let go of the files; call it once nothing reads frames any more."""
        self.undo_stack.clear()  # its commands would keep the document alive
        self.cache.close()
        self.video.close()
