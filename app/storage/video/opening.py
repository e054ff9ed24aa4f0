"""The opening of a video, whatever it is kept as."""

from fractions import Fraction
from pathlib import Path
from typing import Protocol

from app.errors import VideoOpenError
from app.storage.video.folder import FolderVideo, check_path
from app.storage.video.image import SUFFIXES
from models.api import Frames


class Video(Frames, Protocol):
    """The frames of one video. Safe to use from several threads."""

    source: Path

    @property
    def fps(self) -> float:
        """Frames per second."""

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel by its height, as the picture stands upright."""

    @property
    def damaged(self) -> str | None:
        """Which frames cannot be read and why, as far as is known; or None."""

    def stem(self, index: int) -> str:
        """Return the name that files made from frame `index` carry."""

    def time(self, index: int) -> float:
        """Return the seconds from frame 0 to frame `index`."""

    def close(self) -> None:
        """Close what is open; reading raises FrameReadError from then on."""


def open_video(source: Path) -> Video:
    """Open a folder of images, a single image or a video file. Raises VideoOpenError."""
    check_path(source)
    if not source.exists():
        raise VideoOpenError(f"{source} does not exist: check the path.")
    if source.is_dir() or source.suffix.lower() in SUFFIXES:
        return FolderVideo(source)
    from app.storage.video.file import FileVideo  # noqa: PLC0415 - loads FFmpeg

    return FileVideo(source)
