"""The autosave: everything that changes is in the project file within a second."""

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from app.core.attributes import Attributes
from app.core.document import Entry, Key, Objects, Origin
from app.core.mask import Mask
from app.core.runs import Run
from app.errors import ProjectError, StorageError
from app.session.state.masks import Masks
from app.session.state.status import Status
from app.storage.formats.importing import Imported
from app.storage.project.exchange import create_project
from app.storage.project.project import Project
from app.storage.project.seen import keep_seen
from models.api import BoolMask, Seen

log = logging.getLogger(__name__)

_T = TypeVar("_T")

_SOON_MS = 300  # changes within this time are written together
_RETRY_MS = 5000
_WATCH_MS = 2000


@dataclass(frozen=True)
class _Batch:
    """What one write holds; `objects` and `attributes` None where they have not changed."""

    entries: Mapping[Key, Entry | None]
    objects: Objects | None
    next_id: int = 1  # no object had this id or a later one
    attributes: Attributes | None = None


class Autosave(QObject):
    """Writes what changes, pending results too, in a thread of its own.

    Only one write is under way at a time. What could not be written is kept and tried again; the
    person is told once when it begins to fail and once when it is good again. The file is looked
    after while nothing changes, too: it may be moved or replaced.
    """

    saved = Signal(object)  # datetime of the last write
    failing_changed = Signal(bool)  # whether what is open cannot be saved
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
        self._logged = ""  # the failure that is in the log already
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._write)
        self._watch = QTimer(self, interval=_WATCH_MS)
        self._watch.timeout.connect(self._look)
        self._written.connect(self._on_written)
        masks.entries_changed.connect(self._on_entries_changed)
        masks.objects_changed.connect(self._on_objects_changed)
        masks.attributes_changed.connect(self._on_objects_changed)

    def start(self, project: Project) -> None:
        """Begin to write to `project`, which belongs to the writer thread from now on."""
        self._project = project
        self._writer = ThreadPoolExecutor(1, "writer")
        self._forget()
        self._watch.start()

    def stop(self) -> None:
        """Close the project; what `flush` has not written is thrown away."""
        writer, project = self._writer, self._project
        if writer is None or project is None:
            return
        self._writer = self._project = None
        self._timer.stop()
        self._watch.stop()
        writer.submit(project.close).result()
        writer.shutdown()
        self._forget()

    def flush(self) -> None:
        """Write what is left and wait for it. Raises StorageError where that fails."""
        if self._writer is None or self._project is None:
            return
        batch = self._take_rest()
        try:
            self._writer.submit(_append, self._project, batch).result()
        except StorageError:
            self._soon(_RETRY_MS)
            self._set_failing(failing=True)
            raise
        self._dirty.clear()
        self._objects_dirty = False
        self._set_failing(failing=False)
        self.saved.emit(datetime.now(UTC).astimezone())

    def _take_rest(self) -> _Batch:
        """Return all that may not be written; the notice of the write before says no more."""
        if self._busy is not None and self._busy.exception() is not None:
            self._dirty |= set(self._batch.entries)
            self._objects_dirty |= self._batch.objects is not None
        entries = {key: self._entry(key) for key in self._dirty}
        self._batch, self._busy = self._new_batch(entries), None
        self._stored = {}  # the write before may have put other entries there
        return self._batch

    def _new_batch(self, entries: Mapping[Key, Entry | None], *, whole: bool = True) -> _Batch:
        document = self._masks.document
        if not whole:
            return _Batch(entries, None, document.next_id)
        return _Batch(entries, document.objects, document.next_id, document.attributes)

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

    def drop_drafts(self) -> None:
        """Let what is still being drawn be in the file no more: it ends with its video."""
        self._dirty |= self._drafts.keys()
        self._drafts = {}

    def keep_seen(self, seen: Seen) -> None:
        """Write what models have seen of frames, of the objects that are there.

        Nothing is lost where that fails: it only spares work.
        """
        there = {info.id for info in self._masks.objects}
        kept = {number: parts for number, parts in seen.items() if number in there}
        with suppress(StorageError):
            self.on_project(partial(keep_seen, seen=kept)).result()

    def copy_to(self, path: Path, whole: Imported, runs: Mapping[int, Run]) -> bool:
        """Copy the project to `path` and go on with the copy; return whether one was open.

        `whole` and `runs` are what is open, written anew where the project's own file cannot be
        read or is not in its place any more. Raises StorageError; what was open is open still.
        """
        project = self._project
        if project is None or self._writer is None:
            return False
        with suppress(StorageError):  # what cannot be written here goes into the copy alone
            self.flush()
        batch = self._take_rest()
        self._project = self._writer.submit(_moved, project, path, batch, whole, runs).result()
        self._dirty.clear()
        self._objects_dirty = False
        self._set_failing(failing=False)
        self.saved.emit(datetime.now(UTC).astimezone())
        return True

    @property
    def unsaved(self) -> int:
        """How many masks have changed since the last write that succeeded."""
        written = self._batch.entries if self._busy is not None else ()
        return len(self._dirty.union(written))

    def is_in_place(self) -> bool:
        """Whether the project's file is where it was opened, and still the same."""
        try:
            if self._project is not None:
                self._project.check_place()
        except StorageError:
            return False
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
        self._logged = ""

    @Slot(object)
    def _on_entries_changed(self, keys: frozenset[Key]) -> None:
        if self._writer is not None:
            self._dirty |= keys
            self._soon(_RETRY_MS if self._failing else _SOON_MS)

    @Slot()
    def _on_objects_changed(self) -> None:
        if self._writer is not None:
            self._objects_dirty = True
            there = {info.id for info in self._masks.objects}
            for key in [key for key in self._drafts if key.object not in there]:
                del self._drafts[key]
                self._dirty.add(key)  # it may be in the file
            self._soon(_SOON_MS)

    def _entry(self, key: Key) -> Entry | None:
        """Return what is to be in the file at `key`: nothing of an object that is gone."""
        if key.object not in {info.id for info in self._masks.objects}:
            return None
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
        self._batch = batch = self._new_batch(entries, whole=self._objects_dirty)
        self._dirty, self._objects_dirty = set(), False
        self._busy = self._writer.submit(_append, self._project, batch)
        self._busy.add_done_callback(lambda done: self._written.emit(batch, done.exception()))

    @Slot(object, object)
    def _on_written(self, batch: _Batch, error: BaseException | None) -> None:
        if batch is not self._batch:
            return
        self._busy = None
        if error is None:
            # Only what is pending comes again, with the document.
            document, stored = self._masks.document, {**self._stored, **batch.entries}
            self._stored = {key: e for key, e in stored.items() if document.get(key) is not e}
            if self._failing:
                self._status.report("info", "The project is being saved again.")
            self._set_failing(failing=False)
            if batch.entries or batch.objects is not None:
                self.saved.emit(datetime.now(UTC).astimezone())
            return
        self._log(error)
        self._dirty |= set(batch.entries)
        self._objects_dirty |= batch.objects is not None
        if not self._failing:
            self._set_failing(failing=True)
            self._status.report(
                "warning",
                f"The project could not be saved: {error} It is tried again every "
                f"{_RETRY_MS // 1000} seconds while this window is open.",
            )
        self._soon(_RETRY_MS)

    def _log(self, error: BaseException) -> None:
        """Log a failure once, however often it comes again, until there is another one."""
        if (what := f"{type(error).__name__}: {error}") != self._logged:
            log.error("The project could not be written", exc_info=error)
        self._logged = what

    def _set_failing(self, *, failing: bool) -> None:
        if not failing:
            self._logged = ""
        if failing is not self._failing:
            self._failing = failing
            self.failing_changed.emit(failing)

    @Slot()
    def _look(self) -> None:
        """See whether the file is there still, where nothing is written anyway."""
        if self._busy is None and not self._timer.isActive():
            self._write()


def _moved(
    project: Project, path: Path, batch: _Batch, whole: Imported, runs: Mapping[int, Run]
) -> Project:
    """Return the project's copy at `path`, open; the one before is closed. In the writer thread."""
    try:
        project.check_place()
        project.copy_to(path)
    except ProjectError:
        if path == project.path:
            project.close()  # its log would be taken for that of the new file
        create_project(path, whole, runs)
    copy = Project.open(path)
    try:
        _append(copy, batch)
    except BaseException:
        copy.close()
        raise
    project.close()
    return copy


def _append(project: Project, batch: _Batch) -> None:
    """Write a batch, all or none, in the writer thread. Raises StorageError."""
    project.check_place()
    if not batch.entries and batch.objects is None:
        return
    with project.together():
        if batch.objects is not None:
            project.save_objects(batch.objects, next_id=batch.next_id)
        if batch.attributes is not None:
            project.save_attributes(batch.attributes)
        if batch.entries:
            project.append(batch.entries)
