"""The autosave: everything that changes is in the project file within a second."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.core.document import Entry, Key, Objects, Origin
from app.core.mask import Mask
from app.session.state.masks import Masks
from app.session.state.status import Status
from app.storage.project.project import Project
from models.api import BoolMask

log = logging.getLogger(__name__)

_T = TypeVar("_T")

_SOON_MS = 300  # changes within this time are written together
_RETRY_MS = 5000


@dataclass(frozen=True)
class _Batch:
    """What one write holds; `objects` None where they have not changed."""

    entries: Mapping[Key, Entry | None]
    objects: Objects | None


class Autosave(QObject):
    """Writes what changes, pending results too, in a thread of its own.

    Only one write is under way at a time. What could not be written is kept and tried again; the
    person is told once when it begins to fail and once when it is good again.
    """

    saved = Signal(object)  # datetime of the last write
    _written = Signal(object, object)  # _Batch, exception or None; from the writer thread

    def __init__(self, masks: Masks, status: Status, parent: QObject) -> None:
        super().__init__(parent)
        self._masks, self._status = masks, status
        self._writer: ThreadPoolExecutor | None = None
        self._project: Project | None = None
        self._dirty: set[Key] = set()
        self._objects_dirty = False
        self._drafts: dict[Key, Entry] = {}  # strokes that are still being made
        self._stored: dict[Key, Entry | None] = {}  # what was written, so as not to repeat it
        self._batch = _Batch({}, None)  # of the last write
        self._busy: Future[None] | None = None
        self._failing = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._write)
        self._written.connect(self._on_written)
        masks.entries_changed.connect(self._on_entries_changed)
        masks.objects_changed.connect(self._on_objects_changed)

    def start(self, project: Project) -> None:
        """Begin to write to `project`, which belongs to the writer thread from now on."""
        self._project = project
        self._writer = ThreadPoolExecutor(1, "writer")
        self._forget()

    def stop(self) -> None:
        """Write what is left, wait for it and close the project."""
        writer, project = self._writer, self._project
        if writer is None or project is None:
            return
        try:
            self.flush()
        finally:
            self._writer = self._project = None
            self._timer.stop()
            writer.submit(project.close).result()
            writer.shutdown()
            self._forget()

    def flush(self) -> None:
        """Write what is left and wait for it. Raises StorageError where that fails."""
        if self._writer is None or self._project is None:
            return
        if self._busy is not None and self._busy.exception() is not None:
            self._dirty |= set(self._batch.entries)
        # From here on the notice of the write before has nothing more to say.
        self._batch = _Batch(
            {key: self._entry(key) for key in self._dirty},
            self._masks.objects,
        )
        self._busy = None
        self._writer.submit(_append, self._project, self._batch).result()
        self._dirty.clear()
        self._objects_dirty = False
        self.saved.emit(datetime.now(UTC).astimezone())

    def keep_draft(self, frame: int, object_id: int, pixels: BoolMask | None) -> None:
        """Write a mask (H, W) that is still being drawn, as if it were done; None = no more.

        It is in the file only: should the process end now, what is drawn so far is found there.
        """
        key = Key(frame, object_id)
        if pixels is not None:
            self._drafts[key] = Entry(Mask.encode(pixels), Origin.DRAWN)
        elif self._drafts.pop(key, None) is None:
            return
        self._on_entries_changed(frozenset({key}))

    def copy_to(self, path: Path) -> bool:
        """Copy the project to `path` and go on with the copy; return whether one was open.

        Raises StorageError; the project that was open is open still then.
        """
        project = self._project
        if project is None or self._writer is None:
            return False
        self.flush()
        self._project = self._writer.submit(_moved, project, path).result()
        return True

    def on_project(self, call: Callable[[Project], _T]) -> Future[_T]:
        """Have the writer's thread call this with the open project, after what it has to do."""
        writer, project = self._writer, self._project
        assert writer is not None, "no project is open"
        assert project is not None, "no project is open"
        return writer.submit(call, project)

    def _forget(self) -> None:
        self._dirty, self._drafts, self._stored = set(), {}, {}
        self._batch, self._busy = _Batch({}, None), None
        self._objects_dirty = self._failing = False

    @Slot(object)
    def _on_entries_changed(self, keys: frozenset[Key]) -> None:
        if self._writer is not None:
            self._dirty |= keys
            self._soon(_RETRY_MS if self._failing else _SOON_MS)

    @Slot()
    def _on_objects_changed(self) -> None:
        if self._writer is not None:
            self._objects_dirty = True
            self._soon(_SOON_MS)

    def _entry(self, key: Key) -> Entry | None:
        return self._drafts.get(key) or self._masks.entry(key)

    def _soon(self, milliseconds: int) -> None:
        if not self._timer.isActive():
            self._timer.start(milliseconds)

    @Slot()
    def _write(self) -> None:
        if self._writer is None or self._project is None:
            return
        if self._busy is not None:
            self._soon(_SOON_MS)
            return
        entries = {
            key: entry
            for key in self._dirty
            if (entry := self._entry(key)) is None or entry is not self._stored.get(key)
        }
        objects = self._masks.objects if self._objects_dirty else None
        self._dirty, self._objects_dirty = set(), False
        self._batch = batch = _Batch(entries, objects)
        self._busy = self._writer.submit(_append, self._project, batch)
        self._busy.add_done_callback(lambda done: self._written.emit(batch, done.exception()))

    @Slot(object, object)
    def _on_written(self, batch: _Batch, error: BaseException | None) -> None:
        if batch is not self._batch:
            return
        self._busy = None
        if error is None:
            self._stored = {**self._stored, **batch.entries} if self._masks.has_pending else {}
            if self._failing:
                self._status.report("info", "The project is being saved again.")
            self._failing = False
            self.saved.emit(datetime.now(UTC).astimezone())
            return
        log.error("The project could not be written", exc_info=error)
        self._dirty |= set(batch.entries)
        self._objects_dirty |= batch.objects is not None
        if not self._failing:
            self._failing = True
            self._status.report(
                "warning",
                f"The project could not be saved: {error} It is tried again every "
                f"{_RETRY_MS // 1000} seconds while this window is open.",
            )
        self._soon(_RETRY_MS)


def _moved(project: Project, path: Path) -> Project:
    """Return the project's copy at `path`, open; the one before is closed. In the writer thread."""
    project.copy_to(path)
    copy = Project.open(path)
    project.close()
    return copy


def _append(project: Project, batch: _Batch) -> None:
    """Write a batch, in the writer thread. Raises StorageError."""
    if batch.objects is not None:
        project.save_objects(batch.objects)
    if batch.entries:
        project.append(batch.entries)
