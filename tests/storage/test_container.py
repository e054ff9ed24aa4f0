"""What the structure of a video file promises, and how much of it is not there."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage.video.container import missing_bytes

EBML = b"\x1a\x45\xdf\xa3"
SEGMENT = b"\x18\x53\x80\x67"
LENGTHS = st.lists(st.integers(0, 300), min_size=1, max_size=4)


def missing(folder: Path, content: bytes) -> int:
    path = folder / "a"
    path.write_bytes(content)
    return missing_bytes(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("containers")


def box(kind: bytes, length: int, *, large: bool = False) -> bytes:
    """Return a block of an MP4 file; a large one tells its size in 64 bits."""
    if large:
        return b"\x00\x00\x00\x01" + kind + (16 + length).to_bytes(8, "big") + bytes(length)
    return (8 + length).to_bytes(4, "big") + kind + bytes(length)


def riff(length: int, *, padded: bool = True) -> bytes:
    """Return a block of an AVI file, of which each is of even length, or should be."""
    content = b"RIFF" + length.to_bytes(4, "little") + bytes(length)
    return content + b"\x00" * (length % 2 if padded else 0)


def size(value: int, length: int) -> bytes:
    """Return the size of an EBML element in so many bytes."""
    return (value | 1 << 7 * length).to_bytes(length, "big")


def test_what_is_no_container_promises_nothing(folder: Path) -> None:
    for content in (b"", b"RIF", b"\x00" * 12, b"plain text that is long enough", EBML[:3]):
        assert missing(folder, content) == 0


@given(LENGTHS, st.booleans(), st.data())
def test_what_an_mp4_lacks_of_its_last_block_is_told(
    folder: Path,
    lengths: list[int],
    large: bool,
    data: st.DataObject,
) -> None:
    head = box(b"ftyp", 16)
    blocks = [box(b"moov", lengths[0])]
    blocks += [box(b"mdat", length, large=large) for length in lengths[1:]]
    whole = head + b"".join(blocks)
    assert missing(folder, whole) == 0
    header = 16 if large and len(blocks) > 1 else 8
    cut = data.draw(st.integers(0, len(blocks[-1]) - header))
    # A single byte may be one that pads.
    assert missing(folder, whole[: len(whole) - cut]) == (cut if cut > 1 else 0)


def test_behind_the_blocks_of_an_mp4_nothing_is_promised(folder: Path) -> None:
    whole = box(b"ftyp", 16) + box(b"moov", 40)
    assert missing(folder, whole + b"\x00\x00\x00\x00mdat" + bytes(9)) == 0  # up to the end
    assert missing(folder, whole + (900).to_bytes(4, "big") + b"junk" + bytes(30)) == 0
    assert missing(folder, whole + b"abc") == 0
    assert missing(folder, whole + (900).to_bytes(4, "big") + b"free" + bytes(30)) == 900 - 38
    too_small = b"\x00\x00\x00\x01mdat" + (7).to_bytes(8, "big") + bytes(40)
    assert missing(folder, whole + too_small) == 0
    smallest = (8).to_bytes(4, "big") + b"free"
    assert missing(folder, whole + smallest + (100).to_bytes(4, "big") + b"mdat") == 92


@given(LENGTHS, st.data())
def test_what_an_avi_lacks_of_its_last_block_is_told(
    folder: Path, lengths: list[int], data: st.DataObject
) -> None:
    lengths = [length + 4 for length in lengths]
    blocks = [riff(length) for length in lengths]
    whole = b"".join(blocks)
    assert missing(folder, whole) == 0
    cut = data.draw(st.integers(0, lengths[-1]))
    given_up = len(blocks[-1]) - 8 - lengths[-1] + cut
    wanted = given_up if given_up > 1 else 0  # a writer may not mind an even length
    assert missing(folder, whole[: len(whole) - given_up]) == wanted


def test_an_avi_may_end_without_what_makes_it_even_and_with_other_bytes(folder: Path) -> None:
    assert missing(folder, riff(33, padded=False)) == 0
    assert missing(folder, riff(40) + b"JUNK" + bytes(40)) == 0
    assert missing(folder, riff(40) + b"RIFF" + bytes(4)) == 0
    assert missing(folder, b"RIFF" + bytes(4) + bytes(40)) == 0


@pytest.mark.parametrize("head_bytes", [1, 2, 8])
@pytest.mark.parametrize("length_bytes", range(1, 9))
def test_what_a_matroska_lacks_is_told_unless_its_length_is_not_known(
    folder: Path, head_bytes: int, length_bytes: int
) -> None:
    begin = EBML + size(20, head_bytes) + bytes(20) + SEGMENT
    content = bytes(100)
    whole = begin + size(100, length_bytes) + content
    for cut in (0, 1, 2, 50, 100):
        assert missing(folder, whole[: len(whole) - cut]) == (cut if cut > 1 else 0)
    unknown = size((1 << 7 * length_bytes) - 1, length_bytes)
    assert missing(folder, begin + unknown + content[:50]) == 0
    assert missing(folder, begin + b"\x00" + content) == 0
    assert missing(folder, begin) == 0
