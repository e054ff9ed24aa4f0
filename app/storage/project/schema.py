"""The schema of a project file, its migrations, and the rows that masks become."""

import json
import sqlite3
import zlib
from functools import cache
from pathlib import Path

from app.core.document import Entry, Key, ObjectInfo
from app.errors import ProjectError

APPLICATION_ID = 0x4D534B57  # "MSKW", in the file's header
_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100

# Step n takes a file from version n to n + 1. A step that was released is never changed.
STEPS: tuple[str, ...] = (
    """
    CREATE TABLE video (
        relative TEXT, absolute TEXT NOT NULL,
        frame_count INTEGER NOT NULL, height INTEGER NOT NULL, width INTEGER NOT NULL);
    CREATE TABLE object (
        position INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE, name TEXT NOT NULL,
        red INTEGER NOT NULL, green INTEGER NOT NULL, blue INTEGER NOT NULL,
        class_id INTEGER, visible INTEGER NOT NULL, locked INTEGER NOT NULL);
    CREATE TABLE entry (
        frame INTEGER NOT NULL, object INTEGER NOT NULL, origin TEXT NOT NULL,
        flags INTEGER NOT NULL, score REAL, clicks TEXT,
        y0 INTEGER, y1 INTEGER, x0 INTEGER, x1 INTEGER, bits BLOB, checksum INTEGER,
        PRIMARY KEY (frame, object));
    """,
    """
    CREATE TABLE attachment (name TEXT PRIMARY KEY, content BLOB NOT NULL);
    """,
    # No id is used twice, nor is one whose object is gone and whose masks were left behind.
    """
    ALTER TABLE video ADD COLUMN next_object INTEGER NOT NULL DEFAULT 1;
    UPDATE video SET next_object = 1 + MAX(
        (SELECT COALESCE(MAX(id), 0) FROM object), (SELECT COALESCE(MAX(object), 0) FROM entry));
    """,
    """
    CREATE TABLE run (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, model TEXT NOT NULL,
        weights TEXT NOT NULL, parameters TEXT NOT NULL, source TEXT NOT NULL,
        objects TEXT NOT NULL, frames TEXT NOT NULL);
    CREATE TABLE run_mask (
        run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        frame INTEGER NOT NULL, object INTEGER NOT NULL,
        y0 INTEGER NOT NULL, y1 INTEGER NOT NULL, x0 INTEGER NOT NULL, x1 INTEGER NOT NULL,
        bits BLOB NOT NULL, checksum INTEGER NOT NULL,
        PRIMARY KEY (run, frame, object)) WITHOUT ROWID;
    """,
)
VERSION = len(STEPS)

Row = tuple[
    int, int, str, int, float | None, str | None,
    int | None, int | None, int | None, int | None, bytes | None, int | None,
]  # fmt: skip
SELECT_ENTRIES = (
    "SELECT frame, object, origin, flags, score, clicks, y0, y1, x0, x1, bits, checksum FROM entry"
)
REPLACE_ENTRY = "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
REPLACE_ATTACHMENT = "INSERT OR REPLACE INTO attachment VALUES (?, ?)"
VERIFIED, OCCLUDED, STALE, CONFLICT = 1, 2, 4, 8
FLAGS = VERIFIED | OCCLUDED | STALE | CONFLICT


def is_current(database: sqlite3.Connection) -> bool:
    """Whether an open file is of this program's version. Raises ProjectError where it is newer."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise newer_version(version)
    return bool(version == VERSION)


def migrate(database: sqlite3.Connection) -> None:
    """Bring an open file to this program's version, all in one transaction or not at all."""
    if is_current(database):
        return
    (version,) = database.execute("PRAGMA user_version").fetchone()
    script = "".join(STEPS[version:])
    try:
        # executescript commits what is open before it, so the transaction is written into it.
        database.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {VERSION}; COMMIT")
    except sqlite3.Error:
        if database.in_transaction:
            database.rollback()
        raise


@cache
def columns_of_version() -> dict[str, tuple[object, ...]]:
    """Return the columns of every table as this program's version has them; see `columns`."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(database)
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: columns(database, name) for (name,) in tables}
    finally:
        database.close()


def columns(database: sqlite3.Connection, table: str) -> tuple[object, ...]:
    """Return name and place in the primary key of each column of a table."""
    found = database.execute(f"PRAGMA table_xinfo({table})").fetchall()
    return tuple((name, key) for _, name, _, _, _, key, _ in found)


def check_header(path: Path) -> None:
    """Read the first bytes of a file, and nothing else, to tell whether it is a sound project.

    Raises ProjectError (no project, of a newer version, cut off) or OSError.
    """
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    length = path.stat().st_size
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise ProjectError(f"{path} is not a project file. It was not changed.")
    if _number(header, 68) != APPLICATION_ID:
        raise ProjectError(f"{path} is a database of another program. It was not changed.")
    if _number(header, 60) > VERSION:
        raise newer_version(_number(header, 60))
    pages, page_size = _number(header, 28), int.from_bytes(header[16:18], "big")
    promised = pages * (page_size if page_size != 1 else 1 << 16)
    has_log = path.with_name(f"{path.name}-wal").exists()
    if length < promised and not has_log:
        raise ProjectError(
            f"{path} is cut off ({length} of {promised} bytes are there): copy it again from "
            "where it came from, or restore it from a backup. It was not changed."
        )


def newer_version(version: int) -> ProjectError:
    """Return the error for a file of a later program."""
    return ProjectError(
        f"The project was written by a newer Maskwright (format {version}, this one reads up to "
        f"{VERSION}): update Maskwright to open it. It was not changed."
    )


def row_of(key: Key, entry: Entry) -> Row:
    """Return the columns of one entry."""
    flags = (
        VERIFIED * entry.verified
        | OCCLUDED * entry.occluded
        | STALE * entry.stale
        | CONFLICT * entry.conflict
    )
    clicks = json.dumps(entry.clicks) if entry.clicks else None
    head = (key.frame, key.object, entry.origin.value, flags, entry.score, clicks)
    if entry.mask is None:
        return (*head, None, None, None, None, None, None)
    return (*head, *entry.mask.box, entry.mask.bits, zlib.crc32(entry.mask.bits))


def object_row(position: int, item: ObjectInfo) -> tuple[int | str | None, ...]:
    """Return the columns of one object."""
    return (
        position, item.id, item.name, *item.color, item.class_id, item.visible, item.locked,
    )  # fmt: skip


def _number(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 4], "big")
