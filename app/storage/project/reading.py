"""The values of a project file, checked one by one: it may come from anywhere."""

import json
import math
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.core.attributes import Attributes
from app.core.document import MOST_ID, Entry, Key, ObjectInfo, Objects, Origin
from app.core.mask import Mask
from app.errors import ProjectError
from app.storage.project import schema
from models.api import Click

Size = tuple[int, int]  # (height, width)

_MOST = (1 << 31) - 1  # of what is counted
_LONGEST_SIDE = 1 << 16
_LONGEST_TEXT = 1 << 16
_MOST_CLICKS = 10_000
_FARTHEST = 1e6  # a click may lie outside the picture, but not anywhere
_SCORES = (-1, 2)  # some models overshoot 0 to 1
_ORIGINS = {origin.value: origin for origin in Origin}
_RESTORE = (
    "Restore the file from a backup, or copy it again from where it came from. It was not changed."
)


class VideoRow(NamedTuple):
    """What a project file says of its video, and the id that no object has had so far."""

    relative: str | None
    absolute: str
    frame_count: int
    size: Size
    next_id: int


def damaged(what: object) -> ProjectError:
    """Return the error for a file of which `what` is wrong."""
    return ProjectError(f"damaged: {what}. {_RESTORE}")


def attributes_of(content: bytes | None) -> Attributes:
    """Return what was said of masks. Raises ProjectError where it is damaged."""
    try:
        return Attributes.loads(content) if content is not None else Attributes()
    except ValueError as error:
        raise damaged(error) from error


def check_tables(database: sqlite3.Connection) -> None:
    """Raise ProjectError where the tables are not those of a project, or anything is beside them.

    A trigger would do on each save whatever its author liked.
    """
    others = database.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('trigger', 'view')"
    ).fetchall()
    if others:
        raise damaged(f"it holds {_shown(others[0][0])}, which is no part of a project")
    expected = schema.columns_of_version()
    for table, columns in expected.items():
        if schema.columns(database, table) != columns:
            raise damaged(f"the table {table} is not as it should be")


def video_of(rows: Sequence[Sequence[object]]) -> VideoRow:
    """Return the video from the rows of its table. Raises ProjectError."""
    try:
        ((relative, absolute, count, height, width, next_id),) = rows
        return VideoRow(
            None if relative is None else _text(relative, "the video's place"),
            _text(absolute, "the video's place"),
            _whole(count, 1, _MOST, "the number of frames"),
            (
                _whole(height, 1, _LONGEST_SIDE, "the frames' height"),
                _whole(width, 1, _LONGEST_SIDE, "the frames' width"),
            ),
            _whole(next_id, 1, MOST_ID + 1, "the next object's id"),
        )
    except ValueError as error:
        raise damaged(error if len(rows) == 1 else "it does not name one video") from error


def objects_of(rows: Iterable[Sequence[object]]) -> Objects:
    """Return the objects from their rows, without positions. Raises ProjectError."""
    try:
        objects = tuple(map(_object_of, rows))
    except ValueError as error:
        raise damaged(error) from error
    if len({info.id for info in objects}) < len(objects):
        raise damaged("two objects have one id")
    return objects


def _object_of(row: Sequence[object]) -> ObjectInfo:
    number, name, red, green, blue, class_id, visible, locked = row
    object_id = _whole(number, 1, MOST_ID, "the id of an object")
    of = f"of object {object_id}"
    return ObjectInfo(
        id=object_id,
        name=_text(name, f"the name {of}"),
        color=(
            _whole(red, 0, 255, f"the colour {of}"),
            _whole(green, 0, 255, f"the colour {of}"),
            _whole(blue, 0, 255, f"the colour {of}"),
        ),
        class_id=None if class_id is None else _whole(class_id, -_MOST, _MOST, f"the class {of}"),
        visible=bool(_whole(visible, 0, 1, f"the visibility {of}")),
        locked=bool(_whole(locked, 0, 1, f"the lock {of}")),
    )


def entry_of(row: Sequence[object], video: VideoRow) -> tuple[Key, Entry]:
    """Return one entry from its columns. Raises ProjectError where any of them is wrong."""
    frame, object_id, origin, flags, score, clicks, *box, bits, checksum = row
    try:
        key = Key(
            _whole(frame, 0, video.frame_count - 1, "the frame of a mask"),
            _whole(object_id, 1, MOST_ID, "the object of a mask"),
        )
        known = _whole(flags, 0, schema.FLAGS, "what is marked")
        entry = Entry(
            mask=None if bits is None else mask_of(box, bits, checksum, video.size),
            origin=_origin_of(origin),
            verified=bool(known & schema.VERIFIED),
            score=_score_of(score),
            clicks=_clicks_of(clicks),
            occluded=bool(known & schema.OCCLUDED),
            stale=bool(known & schema.STALE),
            conflict=bool(known & schema.CONFLICT),
        )
    except ValueError as error:
        where = f"the mask of object {_shown(object_id)} on frame {_shown(frame)}"
        raise damaged(f"{where}: {error}") from error
    return key, entry


def mask_of(box: Sequence[object], bits: object, checksum: object, size: Size) -> Mask:
    """Return a mask from its columns. Raises ValueError where it is damaged."""
    y0, y1, x0, x1 = (_whole(edge, 0, _LONGEST_SIDE, "an edge") for edge in box)
    if not (y0 < y1 <= size[0] and x0 < x1 <= size[1]):
        raise ValueError("it does not lie in the picture")
    if not isinstance(bits, bytes) or zlib.crc32(bits) != checksum:
        raise ValueError("its checksum is wrong")
    if not _is_mask(bits, (y1 - y0) * (x1 - x0)):
        raise ValueError("its pixels cannot be read")
    return Mask(size, (y0, y1, x0, x1), bits)


def _is_mask(bits: bytes, count: int) -> bool:
    """Whether `bits` unpack to `count` pixels, one of them set; never to more than that."""
    length, unused = -(-count // 8), -count % 8
    try:
        unpacked = zlib.decompressobj().decompress(bits, length + 1)
    except zlib.error:
        return False
    if len(unpacked) != length:
        return False
    return unpacked[-1] >> unused != 0 or bool(unpacked[:-1].lstrip(b"\0"))


def _origin_of(value: object) -> Origin:
    origin = _ORIGINS.get(value) if isinstance(value, str) else None
    if origin is None:
        raise ValueError(f"it was made in a way that is not known, {_shown(value)}")
    return origin


def _score_of(value: object) -> float | None:
    low, high = _SCORES
    if value is None or (isinstance(value, int | float) and low <= value <= high):
        return value
    raise ValueError(f"its confidence is {_shown(value)}")


def _clicks_of(text: object) -> tuple[Click, ...]:
    if text is None or text == "":
        return ()
    try:
        given = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, list) or len(given) > _MOST_CLICKS:
        raise ValueError("its clicks cannot be read")
    return tuple(map(_click_of, given))


def _click_of(given: object) -> Click:
    if isinstance(given, list) and len(given) == 3:
        x, y, positive = given
        if _is_place(x) and _is_place(y) and isinstance(positive, int) and positive in {0, 1}:
            return Click(x, y, bool(positive))
    raise ValueError("one of its clicks is none")


def _is_place(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and abs(value) <= _FARTHEST  # type: ignore[arg-type]


def _whole(value: object, low: int, high: int, what: str) -> int:
    if isinstance(value, int) and low <= value <= high:
        return value
    raise ValueError(f"{what} is {_shown(value)}")


def _text(value: object, what: str) -> str:
    if isinstance(value, str) and "\0" not in value and len(value) <= _LONGEST_TEXT:
        return value
    raise ValueError(f"{what} is {_shown(value)}")


def _shown(value: object) -> str:
    """Return a value for a sentence, however long it is."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."
