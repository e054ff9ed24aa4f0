"""One rule for the values of masks: ids, or white on black."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.errors import FormatError
from app.storage.formats.davis import read_davis
from app.storage.formats.labelled import area_counts, split_labels, white_masks
from app.storage.formats.palette import (
    Labels,
    counts_of,
    encode_palette_png,
    is_white_on_black,
    note_of,
    read_labels,
    white_as_one,
)
from tests.cli.frames import SIZE, write_video


def disc(value: int, radius: int = 14) -> Labels:
    labels = np.zeros(SIZE, np.uint8)
    cv2.circle(labels, (40, 30), radius, value, -1)
    return labels


def smoothed(sigma: float, radius: int = 14) -> Labels:
    return np.asarray(cv2.GaussianBlur(disc(255, radius), (0, 0), sigma), np.uint8)


def stray() -> Labels:
    labels = disc(255)
    labels[2, 3] = 7
    labels[50, 3] = 254
    return labels


WHITE = {
    "two values": disc(255),
    "smoothed": smoothed(1.0),
    "smoothed more": smoothed(2.0, 20),
    "stray": stray(),
    "nearly": np.where(disc(1, 2) > 0, np.uint8(254), disc(255)),
}
IDS = {
    "one object": disc(1),
    "with void": np.where(disc(1, 12) > 0, 1, disc(255, 13)).astype(np.uint8),
    "small with void": np.where(disc(1, 4) > 0, 1, disc(255, 6)).astype(np.uint8),
    "many": np.arange(SIZE[0] * SIZE[1], dtype=np.int64).reshape(SIZE).astype(np.uint8) // 5,
    "high ids": disc(200) + disc(54, 3),
    "empty": np.zeros(SIZE, np.uint8),
    "void alone": np.full(SIZE, 255, np.uint8),
}


@pytest.mark.parametrize("name", WHITE)
def test_white_on_black_is_one_object(tmp_path: Path, name: str) -> None:
    cv2.imwrite(str(tmp_path / "00000.png"), WHITE[name])
    video = next(read_davis(tmp_path))
    assert [info.id for info in video.objects] == [1]
    assert np.array_equal(video.frames[0].labels(SIZE) > 0, WHITE[name] >= 128)
    told = "white on black" in " ".join(video.notes)
    assert told is (len(np.unique(WHITE[name])) > 2)


@pytest.mark.parametrize("name", IDS)
def test_ids_stay_ids(name: str) -> None:
    assert not is_white_on_black(counts_of([IDS[name]]))


def test_one_odd_frame_changes_nothing_for_the_others(tmp_path: Path) -> None:
    for number in range(9):
        cv2.imwrite(str(tmp_path / f"{number:05}.png"), stray() if number == 4 else disc(255))
    video = next(read_davis(tmp_path))
    assert [info.id for info in video.objects] == [1]
    assert all(np.array_equal(f.labels(SIZE) > 0, disc(255) > 0) for f in [video.frames[0]])


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_greys_of_few_bits_hold_the_numbers_that_were_written(tmp_path: Path, bits: int) -> None:
    top = (1 << bits) - 1
    values = np.arange(64 * 8).reshape(64, 8) % (top + 1)
    packed = np.packbits(
        ((values[..., None] >> np.arange(bits - 1, -1, -1)) & 1).astype(np.uint8).reshape(64, -1),
        axis=1,
    )
    (tmp_path / "a.png").write_bytes(_grey_png(packed, 8, bits))
    wanted = values * 255 if bits == 1 else values
    assert np.array_equal(read_labels(tmp_path / "a.png"), wanted)


@pytest.mark.parametrize(
    ("values", "wanted"),
    [((0, 1, 254, 255), (0, 1, 254, 255)), ((0, 65535), (0, 255)), ((65535,), (255,))],
)
def test_greys_of_16_bits_are_read_where_a_byte_can_hold_them(
    tmp_path: Path, values: tuple[int, ...], wanted: tuple[int, ...]
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.array([values], np.uint16))
    assert read_labels(tmp_path / "a.png").tolist() == [list(wanted)]


@pytest.mark.parametrize("values", [(0, 256), (0, 1, 65535)])
def test_greys_of_16_bits_with_larger_numbers_are_refused(
    tmp_path: Path, values: tuple[int, ...]
) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.array([values], np.uint16))
    with pytest.raises(FormatError, match="above 255"):
        read_labels(tmp_path / "a.png")


def test_masks_of_nothing_but_void_hold_no_object_and_it_is_said(tmp_path: Path) -> None:
    for number in range(2):
        cv2.imwrite(str(tmp_path / f"{number:05}.png"), IDS["void alone"])
    video = next(read_davis(tmp_path))
    assert not video.objects
    assert "hold no object" in " ".join(video.notes)


def _grey_png(rows: Labels, width: int, bits: int) -> bytes:
    import struct
    import zlib

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    head = struct.pack(">IIBBBBB", width, len(rows), bits, 0, 0, 0, 0)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(lines)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_palettes_of_few_bits_hold_their_indices(tmp_path: Path, bits: int) -> None:
    values = (np.arange(64).reshape(8, 8) % (1 << bits)).astype(np.uint8)
    image = Image.fromarray(values)
    image.putpalette([9, 9, 9] * 256)
    image.save(tmp_path / "a.png", bits=bits)
    assert np.array_equal(read_labels(tmp_path / "a.png"), values)


@pytest.mark.parametrize("name", ["two values", "smoothed", "stray"])
def test_propagate_takes_what_import_takes(tmp_path: Path, name: str) -> None:
    from app.cli.main import run

    video = write_video(tmp_path / "video", 2)
    (tmp_path / "masks").mkdir()
    cv2.imwrite(str(tmp_path / "masks" / "frame_0000000001.png"), WHITE[name])
    words = ["propagate", video, "--anchors", tmp_path / "masks", "--out", tmp_path / "out"]
    assert run([*map(str, words), "--model", "classic"]) == 0
    first = read_labels(tmp_path / "out" / "frame_0000000001.png")
    assert np.array_equal(first, (WHITE[name] >= 128).astype(np.uint8))
    assert encode_palette_png(first)


def counted(white: int, between: dict[int, int], black: int = 1000) -> NDArray[np.int64]:
    counts = np.zeros(256, np.int64)
    counts[0], counts[255] = black, white
    for value, count in between.items():
        counts[value] = count
    return counts


@pytest.mark.parametrize(
    ("white", "between", "is_white"),
    [
        (100, {}, True), (0, {}, False), (0, {128: 50}, False),
        (100, {1: 10}, True), (100, {254: 10}, True), (100, {1: 5, 254: 5}, True),
        (100, {1: 11}, False), (100, {254: 11}, False),
        (100, {64: 5, 80: 5, 150: 5, 191: 5}, True), (100, {64: 5, 80: 5, 191: 5}, False),
        (100, {63: 5, 80: 5, 150: 5, 191: 5}, False), (100, {64: 5, 80: 5, 150: 5, 192: 5}, False),
        (100, {64: 100, 80: 100, 150: 50, 191: 50}, True),
        (100, {64: 100, 80: 100, 150: 50, 191: 51}, False),
    ],
)  # fmt: skip
def test_a_few_other_values_or_a_smooth_edge_beside_white_are_no_ids(
    white: int, between: dict[int, int], is_white: bool
) -> None:
    assert is_white_on_black(counted(white, between)) is is_white
    assert not is_white_on_black(counted(white, between, black=0))


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([3], "3"),
        ([1, 2, 3, 4, 254], "1, 2, 3, 4, 254"),
        ([9, 8, 7, 6, 5, 4], "4, 5, 6, 7, 8, ..."),
    ],
)
def test_values_between_are_told_the_first_five_of_them(values: list[int], told: str) -> None:
    (note,) = note_of(counted(100, dict.fromkeys(values, 1)))
    assert f"with other values between ({told}): from 128 on" in note
    assert note_of(counted(100, {})) == ()


def test_white_is_what_is_rather_white_than_black_and_black_what_no_mask_has() -> None:
    labels = np.array([[0, 1, 127], [128, 254, 255]], np.uint8)
    assert white_as_one(labels).tolist() == [[0, 0, 0], [1, 1, 1]]
    masks = split_labels(labels)
    assert [number for number, _ in masks] == [1, 127, 128, 254, 255]
    ((number, mask),) = white_masks(masks)
    assert (number, mask.decode().tolist()) == (1, (labels >= 128).tolist())
    assert white_masks(masks[:2]) == ()
    frames = [masks, split_labels(np.zeros((2, 3), np.uint8))]
    np.testing.assert_array_equal(
        area_counts(frames, 6), counts_of([labels, np.zeros((2, 3), np.uint8)])
    )
