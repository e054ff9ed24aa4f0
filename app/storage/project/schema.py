"""The schema of a project file, its migrations, and the rows that masks become."""

import json
import sqlite3
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

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
_ALL_FLAGS = _VERIFIED | _OCCLUDED | _STALE | _CONFLICT
_MOST_OBJECTS = 254
_MOST_FRAMES = 1 << 31
_LONGEST_SIDE = 1 << 16
_LARGEST = 1 << 63
_FARTHEST = 1e6  # in pixels
_KEPT = "Restore it from a backup. It was not changed."
Kind = TypeVar("Kind")
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


def video_of(row: Sequence[object]) -> tuple[str | None, str, int, tuple[int, int]]:
    """Return where the video is, relative and absolute, its frame count and size.

    Raises ProjectError where a column holds what it cannot.
    """
    try:
        relative, absolute, count, height, width = row
        return (
            None if relative is None else _of_type(str, relative),
            _of_type(str, absolute),
            _whole(count, 1, _MOST_FRAMES),
            (_whole(height, 1, _LONGEST_SIDE), _whole(width, 1, _LONGEST_SIDE)),
        )
    except (TypeError, ValueError) as error:
        raise ProjectError(
            f"the file is damaged: what it says of its video ({error}). {_KEPT}"
        ) from error


def entry_of(row: Row, size: tuple[int, int], frame_count: int) -> tuple[Key, Entry]:
    """Return one entry from its columns. Raises ProjectError where one of them is damaged."""
    frame, object_id, origin, flags, score, clicks, *box, bits, checksum = row
    try:
        key = Key(_whole(frame, 0, frame_count - 1), _whole(object_id, 1, _MOST_OBJECTS))
        flags = _whole(flags, 0, _ALL_FLAGS)
        entry = Entry(
            mask=None if bits is None else _mask_of(box, bits, checksum, size),
            origin=_ORIGINS[origin],
            verified=bool(flags & _VERIFIED),
            score=None if score is None else _score(score),
            clicks=_clicks_of(clicks) if clicks else (),
            occluded=bool(flags & _OCCLUDED),
            stale=bool(flags & _STALE),
            conflict=bool(flags & _CONFLICT),
        )
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError, zlib.error) as error:
        raise ProjectError(
            f"the mask of object {object_id!r:.20} on frame {frame!r:.20} is damaged "
            f"({error!s:.80}): restore the file from a backup. It was not changed."
        ) from error
    return key, entry


def _mask_of(
    box: Sequence[int | None], bits: bytes, checksum: int | None, size: tuple[int, int]
) -> Mask:
    y0, x0 = _whole(box[0], 0, size[0] - 1), _whole(box[2], 0, size[1] - 1)
    y1, x1 = _whole(box[1], y0 + 1, size[0]), _whole(box[3], x0 + 1, size[1])
    if zlib.crc32(bits) != checksum:
        raise ValueError("its checksum")
    length = ((y1 - y0) * (x1 - x0) + 7) // 8
    # Bounded: a few bytes could deflate to all of the memory.
    if len(zlib.decompressobj().decompress(bits, length + 1)) != length:
        raise ValueError("its number of pixels")
    return Mask(size, (y0, y1, x0, x1), bits)


def _clicks_of(text: str) -> tuple[Click, ...]:
    found = json.loads(_of_type(str, text))
    return tuple(
        Click(_coordinate(x), _coordinate(y), bool(_whole(positive, 0, 1)))
        for x, y, positive in _of_type(list, found)
    )


def object_row(position: int, item: ObjectInfo) -> tuple[int | str | None, ...]:
    """Return the columns of one object."""
    return (
        position, item.id, item.name, *item.color, item.class_id, item.visible, item.locked,
    )  # fmt: skip


def object_of(row: Sequence[int | str | None]) -> ObjectInfo:
    """Return one object from its columns, without the position.

    Raises ProjectError where one of them is damaged.
    """
    object_id, name, red, green, blue, class_id, visible, locked = row
    try:
        return ObjectInfo(
            id=_whole(object_id, 1, _MOST_OBJECTS),
            name=_of_type(str, name),
            color=(_whole(red, 0, 255), _whole(green, 0, 255), _whole(blue, 0, 255)),
            class_id=None if class_id is None else _whole(class_id, -_LARGEST, _LARGEST),
            visible=bool(_whole(visible, 0, 1)),
            locked=bool(_whole(locked, 0, 1)),
        )
    except (TypeError, ValueError) as error:
        raise ProjectError(
            f"the file is damaged: object {object_id!r:.20} ({error!s:.80}). {_KEPT}"
        ) from error


def _whole(value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{value!r:.40} is no whole number from {least} to {most}")
    return int(value)


def _score(value: object) -> float:
    # Models predict an overlap, and at times a little more than there can be.
    if not isinstance(value, (int, float)) or not abs(value) < _FARTHEST:
        raise ValueError(f"{value!r:.40} is no score")
    return value


def _coordinate(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < _FARTHEST:
        raise ValueError(f"{value!r:.40} is no coordinate")
    return value


def _of_type(kind: type[Kind], value: object) -> Kind:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r:.40} is no {kind.__name__}")
    return value


def _number(header: bytes, at: int) -> int:
    return int.from_bytes(header[at : at + 4], "big")
