"""What image files say of themselves, in bytes that are built by their formats."""

import struct
import zlib
from collections.abc import Sequence
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage.video.image_header import (
    JPEG_END,
    JPEG_SCAN,
    Header,
    jpeg_segments,
    png_chunks,
    read_header,
    riff_chunks,
)

SIDES = st.integers(1, (1 << 14) - 1)
PAYLOADS = st.lists(st.binary(max_size=20), max_size=5)
Order = Literal["little", "big"]


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a part of a PNG."""
    checksum = zlib.crc32(kind + content).to_bytes(4, "big")
    return len(content).to_bytes(4, "big") + kind + content + checksum


def png(width: int, height: int, *more: bytes) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more)


def segment(marker: int, content: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return bytes([0xFF, marker]) + (2 + len(content)).to_bytes(2, "big") + content


def jpeg_frame(width: int, height: int, marker: int = 0xC0) -> bytes:
    return segment(marker, struct.pack(">BHHB", 8, height, width, 3) + bytes(9))


def riff(kind: bytes, content: bytes) -> bytes:
    """Return a part of a WebP, which is of even length."""
    return kind + len(content).to_bytes(4, "little") + content + b"\0" * (len(content) % 2)


def webp(*parts: bytes) -> bytes:
    content = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(content).to_bytes(4, "little") + content


def lossy(width: int, height: int, scale: int = 0) -> bytes:
    sides = struct.pack("<HH", width | scale << 14, height | scale << 14)
    return riff(b"VP8 ", b"\x10\x20\x30\x9d\x01\x2a" + sides)


def lossless(width: int, height: int, more: int = 0) -> bytes:
    bits = (width - 1) | (height - 1) << 14 | more << 28
    return riff(b"VP8L", b"\x2f" + bits.to_bytes(4, "little") + b"\x55")


def extended(width: int, height: int) -> bytes:
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff(b"VP8X", b"\x02\0\0\0" + sides)


@given(SIDES, SIDES, st.integers(1, 99), PAYLOADS)
def test_a_png_tells_its_size_and_how_many_pictures_it_shows(
    width: int, height: int, pictures: int, others: list[bytes]
) -> None:
    texts = [chunk(b"tEXt", each) for each in others]
    data, end = chunk(b"IDAT", b"pixels"), chunk(b"IEND", b"")
    animated = chunk(b"acTL", struct.pack(">II", pictures, 0))
    assert read_header(png(width, height, *texts, data, end)) == (width, height, 1)
    assert read_header(png(width, height, *texts, animated, *texts, data, end)) == (
        width, height, pictures,
    )  # fmt: skip
    assert read_header(png(width, height, *texts, data, animated, end)) == (width, height, 1)


def test_the_first_count_of_a_png_s_pictures_is_what_counts() -> None:
    counts = [chunk(b"acTL", struct.pack(">II", count, 0)) for count in (3, 7)]
    assert read_header(png(5, 4, *counts, chunk(b"IDAT", b""))) == (5, 4, 3)


@given(PAYLOADS, st.integers(0, 40))
def test_the_parts_of_a_png_are_those_that_are_all_there(payloads: list[bytes], lost: int) -> None:
    content, wanted = png(5, 4), [(b"IHDR", 8, 33)]
    for number, each in enumerate(payloads):
        part = chunk(b"ab%02d" % number, each)
        wanted.append((b"ab%02d" % number, len(content), len(content) + len(part)))
        content += part
    assert list(png_chunks(content)) == wanted
    left = content[: len(content) - lost]
    assert list(png_chunks(left)) == [part for part in wanted if part[2] <= len(left)]


@given(SIDES, SIDES, PAYLOADS, st.sampled_from([0xC0, 0xC1, 0xC2, 0xC3, 0xC9, 0xCF]))
def test_a_jpeg_tells_its_size_behind_any_other_segments(
    width: int, height: int, others: list[bytes], marker: int
) -> None:
    before = b"".join(segment(each, content) for content, each in
                      zip(others, (0xE0, 0xC4, 0xC8, 0xCC, 0xFE), strict=False))  # fmt: skip
    frame = jpeg_frame(width, height, marker)
    preview = jpeg_frame(7, 7)
    assert read_header(b"\xff\xd8" + before + frame + preview) == (width, height, 1)
    assert read_header(b"\xff\xd8" + b"\xff" + before + b"\xff\xff" + frame) == (width, height, 1)
    assert read_header(b"\xff\xd8" + before) is None
    assert read_header(b"\xff\xd8" + before + b"\xff\xd9" + frame) is None
    assert read_header(b"\xff\xd8" + before + b"no segment" + frame) is None


def test_the_pixels_of_a_jpeg_are_passed_over_up_to_the_next_marker() -> None:
    head, frame = b"\xff\xd8" + segment(0xE0, b"JFIF"), jpeg_frame(8, 8, 0xC2)
    scan = segment(JPEG_SCAN, b"\x01\x01\x00\x00\x3f\x00")
    pixels = b"\x12\xff\x00\xff\xd0\x34\xff\xd7\xff\xff\x00"
    first = len(head) + len(frame)
    content = head + frame + scan + pixels
    second = len(content)
    whole = content + scan + pixels + b"\xff\xd9" + b"\xff\xe0behind"
    assert list(jpeg_segments(whole)) == [
        (0xE0, 2), (0xC2, len(head)), (JPEG_SCAN, first), (JPEG_SCAN, second),
        (JPEG_END, second + len(scan + pixels)),
    ]  # fmt: skip
    assert list(jpeg_segments(content)) == [(0xE0, 2), (0xC2, len(head)), (JPEG_SCAN, first)]
    assert list(jpeg_segments(head + b"\xff")) == [(0xE0, 2)]
    assert list(jpeg_segments(head + b"\xff\xd9")) == [(0xE0, 2), (JPEG_END, len(head))]


@given(SIDES, SIDES, st.integers(0, 3), st.integers(0, 15))
def test_a_webp_tells_its_size_in_each_of_its_forms(
    width: int, height: int, scale: int, more: int
) -> None:
    other = riff(b"ICCP", b"odd")
    for part in (lossy(width, height, scale), lossless(width, height, more),
                 extended(width, height)):  # fmt: skip
        assert read_header(webp(part)) == (width, height, 1)
        assert read_header(webp(other, part, lossless(3, 3))) == (width, height, 1)
        assert read_header(webp(part, lossy(3, 3), extended(5, 5))) == (width, height, 1)
    assert read_header(webp(extended(1 << 24, 20_000))) == (1 << 24, 20_000, 1)
    assert read_header(webp(other)) is None


@pytest.mark.parametrize("pictures", [1, 2, 5])
def test_a_moving_webp_tells_how_many_pictures_it_shows(pictures: int) -> None:
    moving = [riff(b"ANMF", bytes(16) + b"x" * number) for number in range(pictures)]
    assert read_header(webp(extended(9, 8), riff(b"ANIM", bytes(6)), *moving)) == (9, 8, pictures)


@given(PAYLOADS, st.integers(0, 12))
def test_the_parts_of_a_webp_are_told_even_where_the_last_is_cut_off(
    payloads: list[bytes], lost: int
) -> None:
    content, wanted = webp(), list[tuple[bytes, int, int]]()
    for number, each in enumerate(payloads):
        wanted.append((b"ab%02d" % number, len(content), len(each)))
        content += riff(b"ab%02d" % number, each)
    left = content[: len(content) - lost]
    assert list(riff_chunks(left)) == [part for part in wanted if part[1] + 8 <= len(left)]


@given(SIDES, SIDES, st.sampled_from([1, -1]))
def test_a_bitmap_may_stand_on_its_head(width: int, height: int, way: int) -> None:
    content = b"BM" + bytes(16) + struct.pack("<ii", width, way * height) + bytes(20)
    assert read_header(content) == (width, height, 1)


def tiff(pages: Sequence[dict[int, tuple[int, int]]], order: Order, *, big: bool) -> bytes:
    """Return a TIFF of pages; each tag has the kind of its number, and the number."""
    wide, head = (8, 8) if big else (4, 2)
    lengths = {1: 1, 3: 2, 4: 4, 16: 8}

    def number(value: int, length: int) -> bytes:
        return value.to_bytes(length, order)

    content = (b"II" if order == "little" else b"MM") + number(43 if big else 42, 2)
    content += number(8, 2) + number(0, 2) if big else b""
    for page in pages:
        content += number(len(content) + wide, wide) + number(len(page), head)
        for tag, (kind, value) in page.items():
            held = number(value, lengths.get(kind, 4)).ljust(wide, b"\0")
            content += number(tag, 2) + number(kind, 2) + number(1, wide) + held
    return content + number(0, wide)


FORMS: list[tuple[Order, bool]] = [("little", False), ("big", False), ("little", True),
                                   ("big", True)]  # fmt: skip


@pytest.mark.parametrize(("order", "big"), FORMS)
@given(
    pages=st.lists(st.tuples(SIDES, SIDES, st.booleans()), max_size=4),
    kind=st.sampled_from([3, 4, 16]),
)
def test_a_tiff_has_as_many_pictures_as_pages_that_are_no_smaller_copies(
    order: Order, pages: list[tuple[int, int, bool]], kind: int, *, big: bool
) -> None:
    if kind == 16 and not big:
        kind = 4
    made = [
        {254: (4, int(small)), 256: (kind, width), 257: (kind, height), 258: (3, 8), 1: (1, 7)}
        for width, height, small in pages
    ]
    whole = [(width, height) for width, height, small in pages if not small]
    wanted = Header(*max(whole), len(whole)) if whole else None
    assert read_header(tiff(made, order, big=big)) == wanted
    assert read_header(tiff(made, order, big=big) + b"behind") == wanted


@pytest.mark.parametrize(("order", "big"), FORMS)
def test_other_bits_of_a_tiff_s_page_make_no_copy_of_it(order: Order, *, big: bool) -> None:
    pages = [{254: (4, 2), 256: (3, 9), 257: (3, 8)}, {256: (3, 5), 257: (3, 4)}, {254: (4, 3)}]
    assert read_header(tiff(pages, order, big=big)) == (9, 8, 2)


def test_a_tiff_that_leads_to_itself_or_nowhere_ends() -> None:
    page = {256: (3, 9), 257: (3, 8)}
    content = tiff([page], "little", big=False)
    assert read_header(content[:-4] + (8).to_bytes(4, "little")) == (9, 8, 1)
    assert read_header(content[:-4] + (9999).to_bytes(4, "little")) == (9, 8, 1)
    assert read_header(content[:-4]) == (9, 8, 1)
    assert read_header(content[:8] + b"\xff\xff" + content[10:]) == (9, 8, 1)
    assert read_header(b"II*\0" + bytes(4)) is None


def test_what_is_no_image_has_no_header() -> None:
    for content in (b"", b"text", b"PNG", b"\xff\xd9", b"II\0*", b"GIF89a"):
        assert read_header(content) is None
