"""The names of VISOR's images: which frame of a video one means, and the name of each frame."""

import json
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from app.errors import FormatError
from app.storage.formats.visor.geometry import Size
from app.storage.formats.visor.records import FRAME_NAME, Record

_NO_LIST = FormatError(
    "What the project keeps of the names of its frames is damaged. Import the masks into a new "
    "project."
)
_BARE_NUMBER = re.compile(r"(?:frame_)?(\d{10})")
_VIDEO_SUFFIXES = {".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm"}
# Videos with two digits are of EPIC-KITCHENS-55 (60 frames a second), three of its extension (50).
_VISOR_VIDEO = re.compile(r"P\d\d_\d\d(\d?)")


class NamedFrames(Protocol):
    """What is asked of a video here; `app.storage.video.opening.Video` has it."""

    @property
    def source(self) -> Path:
        """The folder or file."""

    @property
    def size(self) -> Size:
        """(height, width) in pixels."""

    @property
    def fps(self) -> float:
        """Frames a second, 0 where unknown."""

    def __len__(self) -> int: ...

    def stem(self, index: int, /) -> str:
        """The frame's name without suffix."""


@dataclass(frozen=True, slots=True)
class FrameList:
    """The names of a video's frames, where the video itself is not at hand."""

    source: Path
    stems: tuple[str, ...]
    size: Size
    fps: float = 0.0

    def __len__(self) -> int:
        return len(self.stems)

    def stem(self, index: int, /) -> str:
        """The frame's name without suffix."""
        return self.stems[index]

    def dumps(self) -> bytes:
        """Return what a project without a video keeps."""
        return json.dumps([str(self.source), self.stems, self.size]).encode()

    @classmethod
    def loads(cls, content: bytes) -> "FrameList":
        """Undo `dumps`. Raises FormatError where that is not what it is."""
        try:
            source, stems, (height, width) = json.loads(content)
            found = cls(Path(source), tuple(stems), (height, width))
        except (ValueError, TypeError, RecursionError) as error:
            raise _NO_LIST from error
        is_size = all(isinstance(side, int) and side > 0 for side in found.size)
        if not is_size or not all(isinstance(stem, str) for stem in found.stems):
            raise _NO_LIST
        return found


def video_name(frames: NamedFrames) -> str:
    """Return the video's id: of the frames' names where they are VISOR's, else of the source."""
    match = FRAME_NAME.fullmatch(frames.stem(0)) if len(frames) else None
    if match:
        return match["video"]
    source = frames.source
    return source.stem if source.suffix.lower() in _VIDEO_SUFFIXES else source.name


def visor_stems(frames: NamedFrames, video: str) -> tuple[str, ...]:
    """Return every frame's `<video>_frame_<10 digits>`, numbers from 1, or its own such name."""
    stems = [frames.stem(index) for index in range(len(frames))]
    numbers = _numbers(stems, _rate(frames, video))
    return tuple(
        stem if FRAME_NAME.fullmatch(stem) else f"{video}_frame_{number:010d}"
        for stem, number in zip(stems, numbers, strict=True)
    )


def places(records: Sequence[Record], frames: NamedFrames) -> list[int | None]:
    """Return each record's frame in the video, None where it has none.

    By name; where the names differ but the file is of one video, by number.
    """
    videos = {record.video for record in records}
    own = {normal(frames.stem(index)): index for index in range(len(frames))}
    if len(videos) != 1:
        return [own.get(normal(record.stem)) for record in records]
    stems = visor_stems(frames, next(iter(videos)))
    by_number: dict[int | None, int] = {int(stem[-10:]): n for n, stem in enumerate(stems)}
    return [own.get(normal(record.stem), by_number.get(record.number)) for record in records]


def normal(name: str) -> str:
    """Return a name in one form, whichever way its accents are written."""
    return unicodedata.normalize("NFC", name)


def _numbers(stems: list[str], rate: float) -> list[int]:
    """VISOR counts from 1; a file of another rate than the nominal one is counted by its time."""
    bare = [_BARE_NUMBER.fullmatch(stem) for stem in stems]
    named = [FRAME_NAME.fullmatch(stem) for stem in stems]
    counted = [round(index * rate) + 1 for index in range(len(stems))]
    if len(set(counted)) != len(counted):
        counted = list(range(1, len(stems) + 1))
    return [
        int(match["number"]) if match else int(plain[1]) if plain else number
        for match, plain, number in zip(named, bare, counted, strict=True)
    ]


def _rate(frames: NamedFrames, video: str) -> float:
    """Return VISOR frames for each frame of a video file; folders are one image a frame."""
    match = _VISOR_VIDEO.fullmatch(video)
    if not match or not frames.fps or not frames.source.is_file():
        return 1.0
    return (50.0 if match[1] else 60.0) / frames.fps
