"""A VISOR JSON as it was read: raw records in their order, unknown keys and all."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np

from app.errors import FormatError
from app.storage.formats.visor.geometry import DENSE_SIZE, SPARSE_SIZE, Corners, Size
from app.storage.formats.visor.source_text import (
    RECORDS,
    SEGMENTS,
    JsonObject,
    SourceText,
    decoded,
)

FRAME_NAME = re.compile(r"(?P<video>.+)_frame_(?P<number>\d{10})")
_FARTHEST = 1e9  # in pixels
_RESOLUTION = re.compile(r"(-?\d{1,9})x(-?\d{1,9})")
_MOST_PIXELS = 1 << 28  # of a picture; its masks are held as pixels while they are made
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One entity on one frame; `raw` is the JSON object itself."""

    raw: JsonObject

    @property
    def id(self) -> str:
        """The mask's id, empty where there is none; dense files may call it `key`."""
        found = self.raw.get("id", self.raw.get("key"))
        return found if isinstance(found, str) else ""

    @property
    def name(self) -> str:
        """The entity's name, which is its identity over the frames."""
        name = self.raw.get("name")
        if not isinstance(name, str):
            raise FormatError(f"an annotation {self.id or self.raw} has no name")
        return name

    @property
    def class_id(self) -> int | None:
        """The row of the noun classes, or None."""
        found = self.raw.get("class_id")
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    @property
    def segments(self) -> object:
        """The segments as JSON values, whatever they are; None where there are none."""
        return decoded(self.raw.get(SEGMENTS))

    @property
    def polygons(self) -> list[Corners]:
        """The segments, as they are. Raises FormatError where they are not lists of points."""
        segments = self.segments
        found = [_corners(each) for each in segments] if isinstance(segments, list) else [None]
        polygons = [each for each in found if each is not None]
        if len(polygons) < len(found):
            raise FormatError(f"the segments of {self.name} ({self.id}) are not lists of points")
        return polygons


@dataclass(frozen=True, slots=True)
class Record:
    """One frame of the file."""

    raw: JsonObject

    @property
    def image(self) -> JsonObject:
        """The raw `image` object."""
        return as_object(self.raw.get("image"), "`image` of a record")

    @property
    def name(self) -> str:
        """The image's file name."""
        name = self.image.get("name")
        return name if isinstance(name, str) else _refuse("a record's image has no name")

    @property
    def stem(self) -> str:
        """The image's name without its suffix: sparse files say .jpg, dense ones .png."""
        return self.name.rpartition(".")[0] or self.name

    @property
    def path(self) -> str:
        """The image's path, by which records are in the order of time."""
        path = self.image.get("image_path")
        return path if isinstance(path, str) else self.name

    @property
    def video(self) -> str:
        """The video's id."""
        video = self.image.get("video")
        if isinstance(video, str):
            return video
        match = FRAME_NAME.fullmatch(self.stem)
        return match["video"] if match else ""

    @property
    def subsequence(self) -> str:
        """The subsequence within which names are identities; the video where there is none."""
        subsequence = self.image.get("subsequence")
        return subsequence if isinstance(subsequence, str) else self.video

    @property
    def number(self) -> int | None:
        """The frame number, from 1, or None where the name has another form."""
        match = FRAME_NAME.fullmatch(self.stem)
        return int(match["number"]) if match else None

    @property
    def annotations(self) -> list[Annotation]:
        """The entities, in drawing order."""
        found = self.raw.get("annotations")
        if not isinstance(found, list):
            raise FormatError(f"the record of {self.name} has no list of annotations")
        return [Annotation(as_object(item, f"an annotation of {self.name}")) for item in found]


@dataclass(frozen=True, slots=True)
class VisorFile:
    """A whole file; `raw` is the JSON object itself."""

    raw: JsonObject
    text: SourceText | None = None

    @classmethod
    def read(cls, path: Path) -> "VisorFile":
        """Read a file. Raises FormatError where it is not JSON or not VISOR's."""
        return cls.parse(read_content(path), str(path))

    @classmethod
    def parse(cls, content: bytes, where: str) -> "VisorFile":
        """Parse a file's content; `where` names it in errors. Raises FormatError."""
        try:
            text = SourceText(content)
        except ValueError:  # what Python's JSON makes of it may still do, or says what is wrong
            return cls.of(parse_json(content, where), where)
        return cls(text.raw, text)

    @classmethod
    def of(cls, raw: object, where: str) -> "VisorFile":
        """Take a parsed JSON; `where` names it in errors."""
        if not isinstance(raw, dict) or not isinstance(raw.get("video_annotations"), list):
            raise FormatError(f"{where} is not a VISOR JSON: it has no `video_annotations`.")
        return cls(raw)

    @property
    def info(self) -> JsonObject:
        """The raw `info` object; empty where there is none."""
        info = self.raw.get("info")
        return info if isinstance(info, dict) else {}

    @property
    def records(self) -> list[Record]:
        """The frames, in the file's order."""
        found = self.raw["video_annotations"]
        assert isinstance(found, list)
        return [Record(as_object(item, "a record")) for item in found]

    @property
    def is_dense(self) -> bool:
        """Whether it holds interpolations rather than what people drew."""
        return any("interpolation" in record.image for record in self.records)

    @property
    def canvas(self) -> Size:
        """The (height, width) that coordinates refer to. Raises FormatError where it is none."""
        stated = self.info.get("Resolution")
        if isinstance(stated, str) and (match := _RESOLUTION.fullmatch(stated)):
            return checked_size(int(match[2]), int(match[1]))
        texts = (text for text in self.info.values() if isinstance(text, str))
        if self.is_dense or any("854x480" in text for text in texts):
            return DENSE_SIZE
        return SPARSE_SIZE

    def dumps(self) -> bytes:
        """Return the file's text; what is as it was read is written as it stood."""
        if self.text is None:
            return json.dumps(self.raw).encode()
        records = self.raw[RECORDS]
        assert isinstance(records, list)
        return self.text.written(records)


def checked_size(height: int, width: int) -> Size:
    """Return a size as (height, width). Raises FormatError where no picture has it."""
    if min(height, width) < 1 or height * width > _MOST_PIXELS:
        _refuse(f"no picture has the size {width}x{height} that `info` states")
    return height, width


def by_path(records: Iterable[Record]) -> list[Record]:
    """Return the records in the order of time, which files do not promise to be in."""
    return sorted(records, key=lambda record: record.path)


def by_subsequence(records: Iterable[Record]) -> Iterator[tuple[str, list[Record]]]:
    """Yield every subsequence with its records, both in the order of time."""
    groups: dict[str, list[Record]] = {}
    for record in by_path(records):
        groups.setdefault(record.subsequence, []).append(record)
    yield from sorted(groups.items())


def read_raw(path: Path) -> object:
    """Parse a JSON file, a VISOR file's segments left as bytes. Raises FormatError."""
    content = read_content(path)
    try:
        return SourceText(content).raw
    except ValueError:
        return parse_json(content, str(path))


def read_json(path: Path) -> object:
    """Parse a JSON file. Raises FormatError, with the place, where it is not whole."""
    return parse_json(read_content(path), str(path))


def read_content(path: Path) -> bytes:
    """Return a JSON file's bytes. Raises FormatError where it cannot be read."""
    if path.is_dir():
        raise FormatError(f"{path} is a folder. Give the JSON file itself.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path} cannot be read ({error.strerror}). Check the name.") from error


def parse_json(content: bytes, path: str) -> object:
    """Parse a JSON file's content. Raises FormatError, with the place, where it is not whole."""
    try:
        return _parsed(content)
    except json.JSONDecodeError as error:
        raise FormatError(
            f"{path} is not whole JSON, line {error.lineno}, column {error.colno} ({error.msg}). "
            "It may be cut short: copy or download it again."
        ) from error
    except UnicodeEncodeError as error:
        raise FormatError(
            f"{path} has a name that is not whole ({error.reason}), which cannot be the name of a "
            "file here. Rename it, or export the file again."
        ) from error
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise FormatError(f"{path} is not JSON text ({error}). Give a VISOR JSON.") from error


def _parsed(content: bytes) -> object:
    value = json.loads(content)
    if _SURROGATE.search(content):  # halves of characters, which no file or project can hold
        json.dumps(value, ensure_ascii=False).encode()
    return value


def is_polygon(value: object) -> bool:
    """Whether `value` is a list of [x, y] number pairs, possibly empty."""
    return isinstance(value, list) and all(
        isinstance(point, list) and len(point) == 2 and all(map(_is_number, point))
        for point in value
    )


def as_object(value: object, what: str) -> JsonObject:
    """Return `value` where it is a JSON object; FormatError otherwise."""
    return value if isinstance(value, dict) else _refuse(f"{what} is not a JSON object")


def _is_number(value: object) -> bool:
    # The bounds also turn away NaN and infinity, which Python's JSON reader lets through.
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _FARTHEST
    )


def _corners(polygon: object) -> Corners | None:
    """Return a polygon's points, (N, 2); None where `is_polygon` says that it is none."""
    if not isinstance(polygon, list):
        return None
    try:
        corners = np.array(polygon or np.zeros((0, 2)))
    except (ValueError, OverflowError):  # points of one, two and three numbers
        return None
    is_fit = corners.dtype.kind in "iuf" and corners.ndim == 2 and corners.shape[1] == 2
    return corners.astype(np.float64) if is_fit and (np.abs(corners) < _FARTHEST).all() else None


def _refuse(what: str) -> NoReturn:
    raise FormatError(f"{what}. `maskwright validate FILE` lists all that is wrong.")
