"""Palette PNGs: ids in, ids out; everything else refused with its name."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from app.errors import FormatError
from app.storage.formats.palette import (
    davis_palette,
    read_palette_png,
    visor_palette,
    write_palette_png,
)


def test_all_ids_come_back_from_an_8_bit_palette_png(tmp_path: Path) -> None:
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    path = tmp_path / "m.png"
    write_palette_png(path, labels)
    assert np.array_equal(read_palette_png(path, (16, 16)), np.where(labels == 255, 0, labels))
    with Image.open(path) as image:
        assert image.mode == "P"
        assert image.getpalette()[3:6] == [128, 0, 0]  # type: ignore[index]


def test_few_ids_are_still_written_with_8_bits(tmp_path: Path) -> None:
    write_palette_png(tmp_path / "m.png", np.zeros((3, 5), np.uint8))
    assert (tmp_path / "m.png").read_bytes()[24:26] == bytes([8, 3])  # depth, palette


def test_the_palettes_are_those_of_davis_and_visor() -> None:
    assert davis_palette()[:4] == ((0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0))
    assert davis_palette()[9] == (192, 0, 0)
    assert davis_palette()[255] == (224, 224, 192)
    assert visor_palette()[9] == (191, 0, 0)
    assert visor_palette()[21:24] == ((128, 64, 128), (22, 22, 22), (23, 23, 23))


def test_the_palette_spreads_the_bits_of_an_id_over_the_colours() -> None:
    """As Pascal VOC defines it: of each three bits one a channel, the lowest weighing most."""
    davis_palette.cache_clear()
    for index, colour in enumerate(davis_palette()):
        bits = [index >> place & 1 for place in range(9)]
        wanted = [sum(bits[channel + 3 * k] << 7 - k for k in range(3)) for channel in range(3)]
        assert list(colour) == wanted


def test_grey_and_two_valued_pngs_are_read_too(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "grey.png"), np.array([[0, 3]], np.uint8))
    assert read_palette_png(tmp_path / "grey.png").tolist() == [[0, 3]]
    Image.fromarray(np.array([[False, True]])).save(tmp_path / "two.png")
    assert read_palette_png(tmp_path / "two.png").tolist() == [[0, 0]]


def test_files_that_are_no_masks_are_named_and_explained(tmp_path: Path) -> None:
    good = tmp_path / "good.png"
    write_palette_png(good, np.random.default_rng(0).integers(0, 9, (64, 64)).astype(np.uint8))
    cut, text, colour, jpeg = (tmp_path / name for name in ("cut.png", "t.png", "c.png", "j.png"))
    cut.write_bytes(good.read_bytes()[:-400])
    text.write_text("not a picture")
    cv2.imwrite(str(colour), np.zeros((4, 4, 3), np.uint8))
    Image.new("RGB", (4, 4)).save(jpeg, format="JPEG")
    for path, why in (
        (cut, "is damaged"), (text, "is not a PNG"), (colour, "mode RGB"), (jpeg, "is not a PNG"),
        (tmp_path / "none.png", "does not exist"),
    ):  # fmt: skip
        with pytest.raises(FormatError, match=f"{path.name} .*{why}"):
            read_palette_png(path)
    with pytest.raises(FormatError, match="64x64, but 20x10 is needed"):
        read_palette_png(good, (10, 20))
