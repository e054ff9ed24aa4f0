"""How a project file is laid out, how it came to be so, and how masks become rows."""

import json
import sqlite3
import zlib
from collections.abc import Sequence
from pathlib import Path

from app.core.document import Entry, Key, ObjectInfo, Origin
from app.core.mask import Mask
from app.errors import ProjectError
from models.api import Click

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
_VERIFIED, _OCCLUDED, _STALE, _CONFLICT = 1, 2, 4, 8
_ORIGINS = {origin.value: origin for origin in Origin}


def migrate(database: sqlite3.Connection) -> None:
    """Bring an open file to this program's version, all in one transaction or not at all."""
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise newer_version(version)
    if version == VERSION:
        return
    script = "".join(STEPS[version:])
    try:
        # executescript commits what is open before it, so the transaction is written into it.
        database.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {VERSION}; COMMIT")
    except sqlite3.Error:
        if database.in_transaction:
            database.rollback()
        raise


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
        _VERIFIED * entry.verified
        | _OCCLUDED * entry.occluded
        | _STALE * entry.stale
        | _CONFLICT * entry.conflict
    )
    clicks = json.dumps(entry.clicks) if entry.clicks else None
    head = (key.frame, key.object, entry.origin.value, flags, entry.score, clicks)
    if entry.mask is None:
        return (*head, None, None, None, None, None, None)
    return (*head, *entry.mask.box, entry.mask.bits, zlib.crc32(entry.mask.bits))


def entry_of(row: Row, size: tuple[int, int]) -> tuple[Key, Entry]:
    """Return one entry from its columns. Raises ProjectError where its mask is damaged."""
    frame, object_id, origin, flags, score, clicks, *box, bits, checksum = row
    try:
        entry = Entry(
            mask=None if bits is None else mask_of(box, bits, checksum, size),
            origin=_ORIGINS[origin],
            verified=bool(flags & _VERIFIED),
            score=score,
            clicks=_clicks_of(clicks) if clicks else (),
            occluded=bool(flags & _OCCLUDED),
            stale=bool(flags & _STALE),
            conflict=bool(flags & _CONFLICT),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProjectError(
            f"the mask of object {object_id} on frame {frame} is damaged: restore the file from a "
            "backup. It was not changed."
        ) from error
    return Key(frame, object_id), entry


def mask_of(
    box: Sequence[int | None], bits: bytes, checksum: int | None, size: tuple[int, int]
) -> Mask:
    """Return a mask from its columns. Raises ValueError where it is damaged."""
    y0, y1, x0, x1 = (-1 if value is None else value for value in box)
    is_inside = 0 <= y0 < y1 <= size[0] and 0 <= x0 < x1 <= size[1]
    if not is_inside or zlib.crc32(bits) != checksum:
        raise ValueError(box)
    return Mask(size, (y0, y1, x0, x1), bits)


def _clicks_of(text: str) -> tuple[Click, ...]:
    return tuple(Click(x, y, bool(positive)) for x, y, positive in json.loads(text))


def object_row(position: int, item: ObjectInfo) -> tuple[int | str | None, ...]:
    """Return the columns of one object."""
    return (
        position, item.id, item.name, *item.color, item.class_id, item.visible, item.locked,
    )  # fmt: skip


def object_of(row: Sequence[int | str | None]) -> ObjectInfo:
    """Return one object from its columns, without the position."""
    object_id, name, red, green, blue, class_id, visible, locked = row
    return ObjectInfo(
        id=int(object_id or 0),
        name=str(name),
        color=(int(red or 0), int(green or 0), int(blue or 0)),
        class_id=None if class_id is None else int(class_id),
        visible=bool(visible),
        locked=bool(locked),
    )


def _number(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 4], "big")
