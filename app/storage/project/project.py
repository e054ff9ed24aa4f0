"""The project file: every change is on disk as soon as it is made."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.core.attributes import Attributes
from app.core.document import Changes, Document, Objects
from app.errors import ProjectError, UnusableProjectError
from app.storage.files.lock import FileLock, LockedError
from app.storage.files.writing import atomic_file
from app.storage.formats.visor.naming import NamedFrames
from app.storage.project import reading, schema
from app.storage.project.file_state import FileState
from app.storage.project.identity import identity_of, unlike
from app.storage.project.runs import RunStore
from app.storage.video.opening import Video, open_video

SUFFIX = ".maskwright"
_IDENTITY = "identity"  # the attachment by which the video is known again
_ATTRIBUTES = "attributes"  # the attachment of what a person has said of masks


class Project:
    """The masks of one video in an SQLite file that one process at a time holds.

    Each `append` is one transaction: when it returns, no kill of the process loses it. A failure
    (ProjectError) leaves the file as it was before the call. For one thread at a time, any thread.
    What is only read stays as it is, byte for byte, also where it is of an older version.
    """

    def __init__(
        self,
        path: Path,
        database: sqlite3.Connection,
        lock: FileLock,
        older: sqlite3.Connection | None = None,
    ) -> None:
        """For `create` and `open` only.

        `older` is the file itself where `database` is a copy in memory, in this program's version.
        """
        self.path = path
        self._database, self._older = database, older
        self._lock = lock
        self._is_untouched = True
        self._identity: bytes | None = None  # to be kept with the next change
        reading.check_tables(database)
        self._video = video = reading.video_of(
            database.execute(
                "SELECT relative, absolute, frame_count, height, width, next_object FROM video "
                "LIMIT 2"
            ).fetchall()
        )
        self._relative, self._absolute = video.relative, video.absolute
        self.frame_count, self.size = video.frame_count, video.size
        self.runs = RunStore(self.together, self._looking, self.size)
        self._file = FileState(path)

    @classmethod
    def create(
        cls, path: Path, video_source: Path, frame_count: int, size: tuple[int, int]
    ) -> "Project":
        """Make a new project file at `path`, where there must be none; `size` = (height, width)."""
        with _explained(path):
            if path.exists():
                raise UnusableProjectError(
                    f"{path} exists already: open it, or choose another name."
                )
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = _locked(path)
            try:
                return cls._made(path, video_source, (frame_count, *size), lock)
            except BaseException:
                path.unlink(missing_ok=True)
                lock.release()
                raise

    @classmethod
    def open(cls, path: Path) -> "Project":
        """Open the project file at `path`; the first change brings an older one up to date.

        Raises UnusableProjectError: in use, damaged, newer, no project, not writable. The video
        may be missing: see `source`.
        """
        with _explained(path, UnusableProjectError):
            if not path.is_file():
                raise UnusableProjectError(f"There is no project file {path}: check the path.")
            schema.check_header(path)
            lock = _locked(path)
            database = _connect(path)
            try:
                _begin_use(database)
                if schema.is_current(database):
                    return cls(path, database, lock)
                return cls(path, _as_of_now(database), lock, database)
            except BaseException:
                database.close()
                lock.release()
                raise

    @classmethod
    def _made(
        cls, path: Path, source: Path, facts: tuple[int, int, int], lock: FileLock
    ) -> "Project":
        database = _connect(path)
        try:
            database.execute(f"PRAGMA application_id = {schema.APPLICATION_ID}")
            _begin_use(database)
            _begin_changes(database)
            places = _places(path, source)
            with database:
                database.execute("INSERT INTO video VALUES (?, ?, ?, ?, ?, 1)", (*places, *facts))
            return cls(path, database, lock)
        except BaseException:
            database.close()
            raise

    @property
    def source(self) -> Path:
        """Where the video is: beside the project as it was when saved, else where it was then.

        The path may not exist: ask for the video, call `relocate`.
        """
        return self.source_seen_from(self.path.parent)

    def source_seen_from(self, folder: Path) -> Path:
        """Return where the video of a project in `folder` is, of which this file is a copy."""
        if self._relative is not None:
            beside = Path(os.path.normpath(folder.absolute() / self._relative))
            if is_there(beside):
                return beside
        return Path(self._absolute)

    def load(self) -> Document:
        """Read everything. Raises UnusableProjectError where the file is damaged."""
        with _explained(self.path, UnusableProjectError):
            (verdict,) = self._database.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise sqlite3.DatabaseError(verdict)
            objects = self._database.execute(
                "SELECT id, name, red, green, blue, class_id, visible, locked "
                "FROM object ORDER BY position"
            ).fetchall()
            # All at once: a cursor that an error leaves open would keep the file from being closed.
            entries = self._database.execute(schema.SELECT_ENTRIES).fetchall()
            known = dict(reading.entry_of(row, self._video) for row in entries)
            beyond = 1 + max((key.object for key in known), default=0)
            ((given,),) = self._database.execute("SELECT next_object FROM video").fetchall()
            next_id = max(self._video.next_id, given, beyond)
            return Document(
                reading.objects_of(objects),
                known,
                next_id=next_id,
                attributes=reading.attributes_of(self.get_attachment(_ATTRIBUTES)),
            )

    def append(self, changes: Changes) -> None:
        """Write a document's changes, all or none. Raises ProjectError, ValueError on sizes."""
        gone = [key for key, entry in changes.items() if entry is None]
        there = [(key, entry) for key, entry in changes.items() if entry is not None]
        if any(entry.mask is not None and entry.mask.size != self.size for _, entry in there):
            raise ValueError(f"a mask is not of the project's size {self.size}")
        with self.together() as database:
            database.executemany("DELETE FROM entry WHERE frame = ? AND object = ?", gone)
            database.executemany(
                schema.REPLACE_ENTRY, [schema.row_of(key, entry) for key, entry in there]
            )

    def save_objects(self, objects: Objects, *, next_id: int = 1) -> None:
        """Write all objects, in their order.

        `next_id` is the document's: no object gets an id below it later on.
        """
        beyond = max((next_id, *(info.id + 1 for info in objects)))
        with self.together() as database:
            database.execute("DELETE FROM object")
            database.executemany(
                "INSERT INTO object VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [schema.object_row(*item) for item in enumerate(objects)],
            )
            database.execute("UPDATE video SET next_object = MAX(next_object, ?)", (beyond,))

    def save_attributes(self, attributes: Attributes) -> None:
        """Write all that a person has said of masks."""
        self.set_attachment(_ATTRIBUTES, attributes.dumps())

    def get_attachment(self, name: str) -> bytes | None:
        """Return the bytes kept under `name`, such as what an imported file held besides masks."""
        with _explained(self.path):
            row = self._database.execute(
                "SELECT content FROM attachment WHERE name = ?", (name,)
            ).fetchone()
        if row is not None and not isinstance(row[0], bytes):
            raise UnusableProjectError(
                f"{self.path}: {reading.damaged(f'what it keeps of {name}')}"
            )
        return None if row is None else row[0]

    def set_attachment(self, name: str, content: bytes) -> None:
        """Keep `content` under `name`, in place of what was there."""
        with self.together() as database:
            database.execute(schema.REPLACE_ATTACHMENT, (name, content))

    def check_place(self) -> None:
        """Raise ProjectError where the file was moved, deleted, replaced or written to by others.

        What is written then would be found by nobody, or among what is not its own.
        """
        try:
            is_same = self._file.is_here()
            is_own = is_same and self._file.is_as_noted()
        except OSError as error:
            raise ProjectError(
                f"{self.path} is not there any more ({error.strerror}): put it back, or save the "
                "project elsewhere. What is open stays in memory."
            ) from error
        if not is_same:
            raise ProjectError(
                f"{self.path} was replaced by another file while it was open: save the project "
                "elsewhere. What is open stays in memory."
            )
        if not is_own:
            raise ProjectError(
                f"{self.path} was changed by another program while it was open: save the project "
                "elsewhere. What is open stays in memory."
            )

    def check_size(self, frames: NamedFrames) -> None:
        """Raise UnusableProjectError where the masks cannot be of so many frames of that size."""
        if len(frames) != self.frame_count or frames.size != self.size:
            height, width = self.size
            raise UnusableProjectError(
                f"{frames.source} has {len(frames)} frames of {frames.size[1]}x{frames.size[0]}; "
                f"the project's video has {self.frame_count} of {width}x{height}. "
                "Choose the video that the masks were made on."
            )

    def check(self, video: Video) -> None:
        """Raise UnusableProjectError where the masks cannot have been made on `video`.

        The first video that is asked for is taken for the project's own; later ones must have its
        frames.
        """
        self.check_size(video)
        kept = self._identity or self.get_attachment(_IDENTITY)
        if kept is None and self._older is not None:
            self._identity = identity_of(video)
        elif kept is None:
            # What cannot be kept now is kept another time; the masks can be worked on.
            with suppress(ProjectError):
                self.set_attachment(_IDENTITY, identity_of(video))
        elif difference := unlike(kept, video):
            raise UnusableProjectError(
                f"{video.source} is not the project's video: {difference}. "
                "Choose the video that the masks were made on."
            )

    def join(self, video: Video) -> None:
        """Take `video` for the project's own where it is, or may be, having moved.

        Raises UnusableProjectError where it is another video, whether or not that looks alike.
        """
        self.check(video)
        if self.source.resolve() == video.source.resolve():
            return
        if self.source.exists():
            raise UnusableProjectError(
                f"{self.path} is the project of {self.source}, not of {video.source}. "
                "Give that video, or another project file."
            )
        self.relocate(video.source)

    def relocate(self, source: Path) -> None:
        """Say where the video is now. Raises ProjectError where it is another video, and
        VideoOpenError; the project then points where it did before.
        """
        video = open_video(source)
        try:
            self.check(video)
        finally:
            video.close()
        relative, absolute = _places(self.path, source)
        with self.together() as database:
            database.execute("UPDATE video SET relative = ?, absolute = ?", (relative, absolute))
        self._relative, self._absolute = relative, absolute

    def copy_to(self, path: Path) -> None:
        """Write a copy to `path`, whole or not at all, that finds the same video.

        Raises ProjectError where a project at `path` is open, here or in another process.
        """
        relative, absolute = _places(path, self.source)
        with _explained(path), _held(path), atomic_file(path) as beside:
            copy = _connect(beside)
            try:
                self._database.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE")  # one file, no log beside it
                with copy:
                    copy.execute(
                        "UPDATE video SET relative = ?, absolute = ?", (relative, absolute)
                    )
            finally:
                copy.close()

    def close(self) -> None:
        """Let go of the file. A second call does nothing."""
        self._database.close()
        if self._older is not None:
            self._older.close()
        self._file.close()
        self._lock.release()

    @contextmanager
    def together(self) -> Generator[sqlite3.Connection, None, None]:
        """Hold while several calls write: what they write is all in the file, or none of it."""
        with _explained(self.path):
            if self._database.in_transaction:
                yield self._database
                return
            self.check_place()
            try:
                if self._is_untouched:
                    self._begin_changes()
                with self._database:
                    self._database.execute("BEGIN IMMEDIATE")
                    if self._identity is not None:
                        kept = (_IDENTITY, self._identity)
                        self._database.execute(schema.REPLACE_ATTACHMENT, kept)
                    yield self._database
            finally:
                self._file.note()
            self._identity = None

    @contextmanager
    def _looking(self) -> Generator[sqlite3.Connection, None, None]:
        """Hold while something is read."""
        with _explained(self.path):
            yield self._database

    def _begin_changes(self) -> None:
        """Make the file ready for the first change; one of an older version becomes one of now."""
        file = self._older or self._database
        _begin_changes(file)
        if self._older is not None:
            self._database.close()
            self._database, self._older = self._older, None
        self._is_untouched = False


def is_there(place: Path) -> bool:
    """Whether there is a file or a folder; what is no place at all is none."""
    try:
        return place.is_file() or place.is_dir()
    except (OSError, ValueError):
        return False


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=1.0, isolation_level=None, check_same_thread=False)


def _begin_use(database: sqlite3.Connection) -> None:
    # Exclusive: no other program writes meanwhile, and no shared memory is needed, which network
    # folders lack. With NORMAL a killed process loses nothing; a power cut may lose the last edits.
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA locking_mode = EXCLUSIVE")
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA foreign_keys = ON")


def _begin_changes(database: sqlite3.Connection) -> None:
    database.execute("PRAGMA journal_mode = WAL")
    schema.migrate(database)


def _as_of_now(older: sqlite3.Connection) -> sqlite3.Connection:
    """Return a copy in memory of a file of an older version, brought up to date."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    try:
        older.backup(copy)
        copy.execute("PRAGMA trusted_schema = OFF")
        schema.migrate(copy)
    except BaseException:
        copy.close()
        raise
    return copy


def _locked(path: Path) -> FileLock:
    try:
        return FileLock(path)
    except LockedError as error:
        raise ProjectError(
            f"{path} is open in another Maskwright ({error}): close it there, or work on a copy."
        ) from error


@contextmanager
def _held(path: Path) -> Generator[None, None, None]:
    """Hold the lock of a project file that is about to be replaced.

    Whoever had it open would go on writing to a file that no longer has a name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = _locked(path)
    try:
        yield
    finally:
        lock.release()


def _places(project: Path, source: Path) -> tuple[str | None, str]:
    """Return where `source` is as seen from the project (None: on another drive) and at all."""
    absolute = Path(os.path.abspath(source))  # noqa: PTH100 - links stay as they were given
    try:
        relative = os.path.relpath(absolute, project.parent.absolute())
    except ValueError:
        return None, str(absolute)
    return Path(relative).as_posix(), str(absolute)


@contextmanager
def _explained(path: Path, kind: type[ProjectError] = ProjectError) -> Generator[None, None, None]:
    """Turn what SQLite and the system say into what a person can do."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise kind(f"{path}: {_advice(error)}") from error
    except UnicodeError as error:  # SQLite quotes what it cannot read in its messages
        raise kind(f"{path}: {reading.damaged('it holds a text that is none')}") from error
    except OSError as error:
        opens = issubclass(kind, UnusableProjectError)  # what is there already
        advice = "copy it to a folder" if opens else "choose a folder"
        raise kind(
            f"{path} cannot be written ({error.strerror}): {advice} that you may write to"
            f"{', and open the copy' if opens else ''}. Nothing that was there has changed."
        ) from error
    except ProjectError as error:
        told = UnusableProjectError if isinstance(error, UnusableProjectError) else kind
        named = str(path) in str(error)
        raise told(str(error) if named else f"{path}: {error}") from error


def _advice(error: Exception) -> str:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}:
        return (
            f"the last change could not be written ({error}): free some disk space or reconnect "
            "the drive. What was written before is safe, and what is open stays in memory."
        )
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return "another program is using the file: close it there and try again."
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
        return "the file or its folder cannot be written to: copy the project elsewhere."
    return str(reading.damaged(error))
