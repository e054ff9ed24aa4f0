"""The images of a folder as a video."""

import re
import stat
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

from app.errors import FrameReadError, VideoOpenError
from app.storage.video.image import SUFFIXES, read_image
from models.api import Image

FOLDER_FPS = 24.0  # images carry no time
# EPIC-KITCHENS counts frames from 1, 60 a second in videos of two digits, 50 in those of three.
_EPIC_FRAME = re.compile(r"P\d\d_\d\d(?P<third>\d?)_frame_(?P<number>\d{10})")
_DIGITS = re.compile(r"(\d+)")
_TIME = re.compile(r"(?P<date>(?:\d[\d_: t-]*[_: t-])?)(?P<seconds>-?\d+\.\d+)(?:\.[a-z]\w*)?")


class FolderVideo:
    """The images of a folder, or a single one, in natural order of their names.

    Safe to use from several threads.
    """

    def __init__(self, source: Path) -> None:
        """Open `source`. Raises VideoOpenError."""
        self.source = source
        self._files = _images_in(source) if source.is_dir() else [source]
        self.damaged: str | None = None
        self._size = self._first_size()

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels, of the first image that can be read and so of all."""
        return self._size

    @property
    def fps(self) -> float:
        """Frames per second to play at; images carry no time of their own."""
        return FOLDER_FPS

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel by its height; images have square ones."""
        return Fraction(1)

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
        """Return the seconds to frame `index`, from frame 0 or as its name tells."""
        told = _EPIC_FRAME.fullmatch(self.stem(index))
        if told is None:
            return index / FOLDER_FPS
        return (int(told["number"]) - 1) / (50.0 if told["third"] else 60.0)

    def close(self) -> None:
        """Nothing is held open; here so that every video can be closed."""

    def _first_size(self) -> tuple[int, int]:
        reasons = []
        for index, path in enumerate(self._files):
            try:
                image = read_image(path)
            except FrameReadError as error:
                self._unreadable(index, str(error))
                reasons.append(error)
            else:
                return (image.shape[0], image.shape[1])
        raise VideoOpenError(f"{self.source} cannot be opened: {reasons[0]}") from reasons[0]

    def _unreadable(self, index: int, reason: str) -> FrameReadError:
        text = f"Frame {index} cannot be read: {reason}"
        self.damaged = self.damaged or text
        return FrameReadError(text)


def natural_order(name: str) -> tuple[tuple[int, Decimal, str], ...]:
    """Return a sort key by which frame_2 comes before frame_10, whatever the letters' case.

    A name that is a time (`12.5`, `2026-11-29_12-30-05.25`) ends in a decimal number; in others
    points part whole ones, as in `shot1.9` and `shot1.10`.
    """
    folded = unicodedata.normalize("NFC", name).casefold()
    time = _TIME.fullmatch(folded)
    if time is None:
        return _words(folded)
    date = _words(time["date"]) if time["date"] else ()
    return (*date, (0, Decimal(time["seconds"]), folded))


def _words(text: str) -> tuple[tuple[int, Decimal, str], ...]:
    words = _DIGITS.split(text)
    nothing = Decimal(0)
    return tuple(
        (0, Decimal(word), word) if word.isdecimal() else (1, nothing, word)
        for word in words
        if word or len(words) == 1
    )


def same_frame(files: Iterable[Path]) -> tuple[Path, Path] | None:
    """Return two files of one folder that differ in their suffix only, None where no two do.

    Neither the case of the suffix nor how accents are written makes a difference.
    """
    stems: dict[str, Path] = {}
    for path in files:
        twin = stems.setdefault(unicodedata.normalize("NFC", path.stem), path)
        if twin is not path:
            return twin, path
    return None


def check_path(path: Path) -> None:
    """Raise VideoOpenError where a name is not text: no list, project or export could hold it."""
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        shown = str(path).encode(errors="backslashreplace").decode()
        raise VideoOpenError(f"{shown} has a name that is not UTF-8 text: rename it.") from error


def _images_in(source: Path) -> list[Path]:
    try:
        found = [path for path in source.iterdir() if path.suffix.lower() in SUFFIXES]
    except OSError as error:
        raise VideoOpenError(f"{source} cannot be listed: {error.strerror}.") from error
    files = [path for path in found if not path.name.startswith(".") and _stands_for_one(path)]
    if not files:
        raise VideoOpenError(
            f"{source} holds no images. Open a folder of PNG, JPEG, WebP, BMP or TIFF frames."
        )
    if twins := same_frame(files):
        raise VideoOpenError(
            f"{twins[0].name} and {twins[1].name} in {source} are the same frame twice: "
            "keep one kind of image in the folder."
        )
    for path in files:
        check_path(path)
    return sorted(files, key=lambda path: natural_order(path.name))


def _stands_for_one(path: Path) -> bool:
    """Whether a path is a frame, be it one that cannot be read: the frames after it stay put."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError:  # a link to nothing, or nothing that one may look at
        return True
