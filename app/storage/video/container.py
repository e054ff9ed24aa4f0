"""The container of a video file: opened safely, its video stream, and whether its end is there."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, cast

import av
import av.stream
from av.container import InputContainer
from av.video.stream import VideoStream

from app.errors import VideoOpenError

# Only a local file may be opened: a playlist must not reach for the network, nor text be "played".
_OPTIONS = {"protocol_whitelist": "file"}
_NOT_VIDEOS = frozenset({"tty", "concat", "hls", "dash", "lavfi"})
_PICTURES = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
# Whatever else stands at the end of a file has been put behind it, and promises nothing.
_MP4_BLOCKS = frozenset(
    {
        b"emsg", b"free", b"ftyp", b"mdat", b"meta", b"mfra", b"moof", b"moov", b"pdin", b"pnot",
        b"prft", b"sidx", b"skip", b"ssix", b"styp", b"udta", b"uuid", b"wide",
    }
)  # fmt: skip
_UNKNOWN_BYTES = 0  # in the size of an EBML element: as long as the file is


def open_container(source: Path) -> tuple[InputContainer, VideoStream]:
    """Open a video file. Raises VideoOpenError where it is none."""
    try:
        container = av.open(f"file:{source}", options=_OPTIONS)
    except PermissionError as error:
        raise VideoOpenError(
            f"{source} may not be read: give yourself permission to read it."
        ) from error
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise VideoOpenError(
            f"{source} cannot be read as a video ({reason}). If a recording was cut off before it "
            "was finished, repair it first; otherwise convert it to MP4."
        ) from error
    stream = video_stream(container)
    if stream is None or container.format.name in _NOT_VIDEOS:
        container.close()
        raise VideoOpenError(f"{source} holds no video: open a video file or a folder of images.")
    return container, stream


def video_stream(container: InputContainer) -> VideoStream | None:
    """Return the stream to show: no cover of a record, no thumbnails; None where there is none."""
    best = container.streams.best("video")
    streams = [best, *container.streams.video] if best is not None else []
    shown = (stream for stream in streams if not stream.disposition & _PICTURES)
    return cast("VideoStream | None", next(shown, None))


def missing_bytes(source: Path) -> int:
    """Return how many bytes are not there of those that the file's own structure promises.

    Durations promise nothing: a sound track may be longer than the picture, a last picture may
    stand for long, and frames may have been left out on purpose.
    """
    length = source.stat().st_size
    with source.open("rb") as file:
        end = _end_of(file, length)
    # Blocks of RIFF are of even length, which not every writer minds at the end.
    return end - length if end > length + 1 else 0


def _end_of(file: BinaryIO, length: int) -> int:
    head = file.read(12)
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _end_of_matroska(file)
    if head[:4] == b"RIFF":
        return _end_of_blocks(file, length, _riff_block)
    if head[4:8] in _MP4_BLOCKS:
        return _end_of_blocks(file, length, _mp4_block)
    return 0


def _end_of_blocks(file: BinaryIO, length: int, size_of: Callable[[BinaryIO], int]) -> int:
    at = 0
    while at < length:
        file.seek(at)
        size = size_of(file)
        if size < 8:  # up to the end of the file, or no block any more
            return 0
        at += size
    return at


def _riff_block(file: BinaryIO) -> int:
    head = file.read(8)
    size = int.from_bytes(head[4:8], "little")
    return size + size % 2 + 8 if head[:4] == b"RIFF" and size else 0


def _mp4_block(file: BinaryIO) -> int:
    head = file.read(16)
    size = int.from_bytes(head[:4], "big")
    if head[4:8] not in _MP4_BLOCKS:
        return 0
    return int.from_bytes(head[8:16], "big") if size == 1 else size


def _end_of_matroska(file: BinaryIO) -> int:
    file.seek(4)
    header = _element_bytes(file)
    file.seek(file.tell() + header + 4)
    segment = _element_bytes(file)
    return file.tell() + segment if segment != _UNKNOWN_BYTES else 0


def _element_bytes(file: BinaryIO) -> int:
    """Read the size of an EBML element; 0 where it is not known."""
    first = file.read(1)
    if not first or not first[0]:
        return _UNKNOWN_BYTES
    length = 9 - first[0].bit_length()
    rest = file.read(length - 1)
    value = int.from_bytes(bytes([first[0] & (1 << (8 - length)) - 1]) + rest, "big")
    return _UNKNOWN_BYTES if value == (1 << 7 * length) - 1 else value
