"""The headers of image files: size and number of pictures, read before anything is decoded."""

import re
from collections.abc import Iterator
from typing import NamedTuple

JPEG_END, JPEG_SCAN = 0xD9, 0xDA
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# In a JPEG's pixels FF is followed by 00 (stuffing), D0 to D7 (restart) or FF (filling) only.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_MOST_PAGES = 1 << 16
_SUBFILE, _WIDTH, _HEIGHT = 254, 256, 257  # tags of a TIFF
_REDUCED = 1  # a smaller copy of another page


class Header(NamedTuple):
    """What an image says of itself."""

    width: int
    height: int
    pictures: int = 1


def read_header(content: bytes) -> Header | None:
    """Return the header of a PNG, JPEG, bitmap, WebP or TIFF; None where there is none."""
    if content.startswith(b"\x89PNG"):
        return _png(content)
    if content.startswith(b"\xff\xd8"):
        return _jpeg(content)
    if content.startswith(b"BM"):
        width, height = (_signed(content, place) for place in (18, 22))
        return Header(abs(width), abs(height))
    if content.startswith(b"RIFF"):
        return _webp(content)
    if content[:4] in {b"II*\0", b"II+\0", b"MM\0*", b"MM\0+"}:
        return _tiff(content)
    return None


def jpeg_segments(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield the marker and the place of each segment, pixels passed over, up to the end mark."""
    at = 2
    while at + 2 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # filling
            at += 1
            continue
        yield marker, at
        if marker == JPEG_END:
            return
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == JPEG_SCAN:
            found = _JPEG_MARKER.search(content, at)
            if found is None:
                return
            at = found.start()


def riff_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, place and size of each of a WebP's parts, the last possibly cut off."""
    at = 12
    while at + 8 <= len(content):
        size = int.from_bytes(content[at + 4 : at + 8], "little")
        yield content[at : at + 4], at, size
        at += 8 + size + size % 2


def png_chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield kind, start and end of each of a PNG's parts that is all there."""
    at = 8
    while at + 12 <= len(content):
        end = at + 12 + int.from_bytes(content[at : at + 4], "big")
        if end > len(content):
            return
        yield content[at + 4 : at + 8], at, end
        at = end


def _png(content: bytes) -> Header:
    pictures = 1
    for kind, start, _ in png_chunks(content):
        if kind == b"acTL":
            pictures = int.from_bytes(content[start + 8 : start + 12], "big")
        if kind in {b"acTL", b"IDAT"}:
            break
    width, height = (int.from_bytes(content[a : a + 4], "big") for a in (16, 20))
    return Header(width, height, pictures)


def _jpeg(content: bytes) -> Header | None:
    # Further pictures of a camera's JPEG are previews and depths of the first.
    for marker, at in jpeg_segments(content):
        if marker in JPEG_FRAMES:
            height, width = (int.from_bytes(content[a : a + 2], "big") for a in (at + 5, at + 7))
            return Header(width, height)
    return None


def _webp(content: bytes) -> Header | None:
    size, pictures = None, 0
    for kind, at, _ in riff_chunks(content):
        head = content[at + 8 : at + 18]
        if size is None and kind == b"VP8X":
            size = (_little(head[4:7]) + 1, _little(head[7:10]) + 1)
        elif size is None and kind == b"VP8L":
            bits = _little(head[1:5])
            size = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        elif size is None and kind == b"VP8 ":
            size = (_little(head[6:8]) & 0x3FFF, _little(head[8:10]) & 0x3FFF)
        pictures += kind == b"ANMF"
    return None if size is None else Header(*size, max(pictures, 1))


def _tiff(content: bytes) -> Header | None:
    largest, pictures = (0, 0), 0
    for tags in _tiff_pages(content):
        if not tags.get(_SUBFILE, 0) & _REDUCED:
            pictures += 1
            largest = max(largest, (tags.get(_WIDTH, 0), tags.get(_HEIGHT, 0)))
    return Header(*largest, pictures) if pictures else None


def _tiff_pages(content: bytes) -> Iterator[dict[int, int]]:
    """Yield the numbers that each page states, by their tags."""
    order = "little" if content[:2] == b"II" else "big"
    big = content[2 if order == "little" else 3] == ord("+")
    wide, entry, head = (8, 20, 8) if big else (4, 12, 2)

    def number(place: int, length: int) -> int:
        return int.from_bytes(content[place : place + length], order)  # type: ignore[arg-type]

    at, seen = number(8 if big else 4, wide), set[int]()
    while 0 < at < len(content) and at not in seen and len(seen) < _MOST_PAGES:
        seen.add(at)
        count = min(number(at, head), (len(content) - at) // entry)
        places = range(at + head, at + head + count * entry, entry)
        value = 4 + wide  # behind the tag, its type and how many there are
        lengths = {1: 1, 3: 2, 4: 4, 16: 8}
        yield {
            number(place, 2): number(place + value, lengths.get(number(place + 2, 2), 4))
            for place in places
        }
        at = number(at + head + count * entry, wide)


def _little(content: bytes) -> int:
    return int.from_bytes(content, "little")


def _signed(content: bytes, place: int) -> int:
    return int.from_bytes(content[place : place + 4], "little", signed=True)
