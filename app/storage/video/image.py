"""The reader of a single image: its size is looked at before, its end after it is decoded."""

import os
import zlib
from pathlib import Path

import cv2
import numpy as np

from app.errors import FrameReadError
from app.storage.video.image_header import (
    JPEG_END,
    JPEG_FRAMES,
    JPEG_SCAN,
    jpeg_segments,
    png_chunks,
    read_header,
    riff_chunks,
)
from models.api import Image

SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
LIMIT_VARIABLE = "MASKWRIGHT_MAX_MEGAPIXELS"
_MOST_MEGAPIXELS = 256.0  # eight times 8K
_JPEG_END = b"\xff\xd9"
_NOISE = bytes(range(1, 250)) * 2
_PNG_END = b"\x00\x00\x00\x00IEND\xae\x42\x60\x82"
_WEBP_PARTS = frozenset(
    {b"ALPH", b"ANIM", b"ANMF", b"EXIF", b"ICCP", b"VP8 ", b"VP8L", b"VP8X", b"XMP "}
)


def read_image(path: Path) -> Image:
    """Return the image at `path`, upright (H, W, 3).

    Raises FrameReadError: missing, cut off, no image, too large, several pages.
    """
    try:
        # Not cv2.imread, which cannot open every path on Windows.
        content = path.read_bytes()
    except OSError as error:
        raise FrameReadError(f"{path.name}: {error.strerror}.") from error
    if not content:
        raise FrameReadError(f"{path.name} is empty: copy it again from its source.")
    _check_header(path.name, content)
    pixels = _decoded(content)
    if pixels is None or not _has_end(content):
        # Decoders fill up what is missing without a word, or refuse what lacks its end mark only.
        mended = _mended(content)
        if mended is None and not _has_end(content):
            raise FrameReadError(f"{path.name} is cut off: copy it again from its source.")
        pixels = None if mended is None else _decoded(mended)
    if pixels is None:
        raise FrameReadError(f"{path.name} is damaged or no image: copy it again from its source.")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def check_pixels(name: str, width: int, height: int) -> None:
    """Raise FrameReadError where a picture is so large that decoding it could fill the memory."""
    limit = float(os.environ.get(LIMIT_VARIABLE, _MOST_MEGAPIXELS))
    if width * height > limit * 1e6:
        raise FrameReadError(
            f"{name} has {width}x{height} pixels, more than {limit:g} million: make it smaller, "
            f"or set the environment variable {LIMIT_VARIABLE} to a larger number."
        )


def _check_header(name: str, content: bytes) -> None:
    header = read_header(content)
    if header is None:
        return
    check_pixels(name, header.width, header.height)
    if header.pictures > 1:
        raise FrameReadError(
            f"{name} holds {header.pictures} pictures, and a frame is one: "
            "split it into single images."
        )


def _decoded(content: bytes) -> Image | None:
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        return None
    return None if pixels is None else np.asarray(pixels, np.uint8)


def _has_end(content: bytes) -> bool:
    """Whether an image says that it ends, where it is, or leaves that to its decoder."""
    if content.startswith(b"\xff\xd8"):
        return _jpeg_has_end(content)
    if content.startswith(b"\x89PNG"):
        return any(kind == b"IEND" for kind, _, _ in png_chunks(content))
    if content.startswith(b"RIFF"):
        return _webp_bytes(content) <= len(content)
    if content.startswith(b"BM"):
        return _bitmap_bytes(content) <= len(content)
    return True


def _mended(content: bytes) -> bytes | None:
    """Return an image whose pixels are all there with the end that it should have, else None."""
    if content.startswith(b"\xff\xd8") and not _jpeg_has_end(content):
        return _mended_jpeg(content)
    if content.startswith(b"\x89PNG"):
        return _mended_png(content)
    if content.startswith(b"RIFF") and _webp_bytes(content) <= len(content):
        size = _webp_bytes(content)
        return content[:4] + (size - 8).to_bytes(4, "little") + content[8:size]
    return None


def _mended_jpeg(content: bytes) -> bytes | None:
    """Noise behind pixels that are all there changes none; it would fill up missing ones."""
    if not _has_all_scans(content):
        return None
    whole = content.rstrip(b"\xff") + _JPEG_END
    first, second = _decoded(whole), _decoded(whole[:-2] + _NOISE + _JPEG_END)
    same = first is not None and second is not None and np.array_equal(first, second)
    return whole if same else None


def _has_all_scans(content: bytes) -> bool:
    """Whether the scans of a JPEG, several where it is progressive, tell all of each component."""
    missing: dict[int, set[int]] = {}
    for marker, at in jpeg_segments(content):
        head = content[at + 4 : at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")]
        if marker in JPEG_FRAMES:
            missing = {component: set(range(64)) for component in head[6::3]}
        elif marker == JPEG_SCAN and len(head) > 4 and head[-1] & 15 == 0:  # up to the last bit
            for component in head[1:-3:2]:
                missing.get(component, set()).difference_update(range(head[-3], head[-2] + 1))
    return bool(missing) and not any(missing.values())


def _jpeg_has_end(content: bytes) -> bool:
    return any(marker == JPEG_END for marker, _ in jpeg_segments(content))


def _mended_png(content: bytes) -> bytes | None:
    pixels, end = zlib.decompressobj(), 8
    for kind, start, chunk_end in png_chunks(content):
        if kind == b"IEND":
            return None
        if kind == b"IDAT":
            try:
                pixels.decompress(content[start + 8 : chunk_end - 4])
            except zlib.error:
                return None
        end = chunk_end
    return content[:end] + _PNG_END if pixels.eof else None


def _webp_bytes(content: bytes) -> int:
    """Return how long a WebP is by its parts, whatever its head says."""
    end = 12
    for kind, at, size in riff_chunks(content):
        if kind not in _WEBP_PARTS:
            break
        end = at + 8 + size + size % 2
    return end


def _bitmap_bytes(content: bytes) -> int:
    """Return how long a bitmap must be for its pixels; 0 where they are packed."""
    start = int.from_bytes(content[10:14], "little")
    width, height = (int.from_bytes(content[a : a + 4], "little", signed=True) for a in (18, 22))
    bits, packing = content[28:30], content[30:34]
    if int.from_bytes(content[14:18], "little") < 40 or packing not in {b"\0\0\0\0", b"\3\0\0\0"}:
        return 0
    row = (width * int.from_bytes(bits, "little") + 31) // 32 * 4
    return start + row * abs(height)
