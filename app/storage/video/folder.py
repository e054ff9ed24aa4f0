"""A folder of images as a video."""

import re
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from app.errors import FrameReadError, VideoOpenError
from models.api import Image

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
FOLDER_FPS = 24.0  # images carry no time
_DIGITS = re.compile(r"(\d+)")
# In a JPEG's pixels FF is followed by 00 (stuffing), D0 to D7 (restart) or FF (filling) only.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_END_OF_IMAGE, _START_OF_SCAN, _FILLING = 0xD9, 0xDA, 0xFF


class FolderVideo:
    """Images in natural order of their names. Safe to use from several threads."""

    def __init__(self, source: Path) -> None:
        """Open `source`. Raises VideoOpenError."""
        self.source = source
        self._files = _images_in(source)
        self.damaged: str | None = None
        self._size = self._first_size()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels, of the first image and so of all."""
        return self._size

    @property
    def fps(self) -> float:
        """Frames per second to play at; images carry no time of their own."""
        return FOLDER_FPS

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> Image:
        """Return frame `index`. Raises FrameReadError, which names it; IndexError outside."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        try:
            image = read_image(self._files[index])
        except FrameReadError as error:
            raise self._unreadable(index, str(error)) from error
        if image.shape[:2] != self._size:
            sizes = f"{image.shape[1]}x{image.shape[0]}, the first {self._size[1]}x{self._size[0]}"
            raise self._unreadable(
                index, f"{self._files[index].name} is {sizes}: make all images one size."
            )
        return image

    def stem(self, index: int) -> str:
        """Return the name that files made from frame `index` carry."""
        return self._files[index].stem

    def time(self, index: int) -> float:
        """Return the seconds from frame 0 to frame `index`."""
        return index / FOLDER_FPS

    def close(self) -> None:
        """Nothing is held open; here so that every video can be closed."""

    def _first_size(self) -> tuple[int, int]:
        try:
            image = read_image(self._files[0])
        except FrameReadError as error:
            raise VideoOpenError(f"{self.source} cannot be opened: {error}") from error
        return (image.shape[0], image.shape[1])

    def _unreadable(self, index: int, reason: str) -> FrameReadError:
        text = f"Frame {index} cannot be read: {reason}"
        self.damaged = self.damaged or text
        return FrameReadError(text)


def read_image(path: Path) -> Image:
    """Return the image at `path`, upright. Raises FrameReadError: missing, cut off, no image."""
    try:
        # Not cv2.imread, which cannot open every path on Windows.
        content = path.read_bytes()
    except OSError as error:
        raise FrameReadError(f"{path.name}: {error.strerror}.") from error
    if not _is_whole(content):
        raise FrameReadError(f"{path.name} is cut off: copy it again from its source.")
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        pixels = None
    if pixels is None:
        raise FrameReadError(f"{path.name} is damaged or no image: copy it again from its source.")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def natural_order(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key by which frame_2 comes before frame_10, whatever the letters' case."""
    words = _DIGITS.split(name.casefold())
    return tuple((0, int(word), word) if word.isdecimal() else (1, 0, word) for word in words)


def same_frame(files: Iterable[Path]) -> tuple[Path, Path] | None:
    """Return two files of one folder that differ in their suffix only, None where no two do."""
    stems: dict[str, Path] = {}
    for path in files:
        twin = stems.setdefault(path.stem, path)
        if twin is not path:
            return twin, path
    return None


def _images_in(source: Path) -> list[Path]:
    try:
        found = [path for path in source.iterdir() if path.suffix.lower() in SUFFIXES]
    except OSError as error:
        raise VideoOpenError(f"{source} cannot be listed: {error.strerror}.") from error
    files = [path for path in found if not path.name.startswith(".") and path.is_file()]
    if not files:
        raise VideoOpenError(
            f"{source} holds no images. Open a folder of PNG, JPEG, WebP, BMP or TIFF frames."
        )
    if twins := same_frame(files):
        raise VideoOpenError(
            f"{twins[0].name} and {twins[1].name} in {source} are the same frame twice: "
            "keep one kind of image in the folder."
        )
    return sorted(files, key=lambda path: natural_order(path.name))


def _is_whole(content: bytes) -> bool:
    """Whether the end is there: decoders fill up what is missing without a word."""
    if content.startswith(b"\xff\xd8"):
        return _jpeg_has_end(content)
    if content.startswith(b"\x89PNG"):
        return b"IEND" in content[-4096:]
    if content.startswith(b"RIFF"):
        return len(content) >= int.from_bytes(content[4:8], "little") + 8
    if content.startswith(b"BM"):
        return len(content) >= int.from_bytes(content[2:6], "little")
    return True


def _jpeg_has_end(content: bytes) -> bool:
    at = 2
    while at + 4 <= len(content) and content[at] == _FILLING:
        marker = content[at + 1]
        if marker == _FILLING:
            at += 1
            continue
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == _START_OF_SCAN:
            found = _JPEG_MARKER.search(content, at)
            if found is None:
                return False
            at = found.start()
            if content[at + 1] == _END_OF_IMAGE:
                return True
    return False
