"""Single images: whole ones are read whatever surrounds them, others are named."""

import io
from contextlib import suppress
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from app.errors import FrameReadError
from app.storage.video import image
from app.storage.video.image import read_image
from app.storage.video.image_header import read_header
from models.api import Image
from tests.storage.clips import numbered

SIZE = (48, 160)


def encoded(form: str, **options: object) -> bytes:
    stream = io.BytesIO()
    Pillow.fromarray(numbered(77, SIZE)).save(stream, form, **options)
    return stream.getvalue()


def read(path: Path, content: bytes) -> Image:
    path.write_bytes(content)
    return read_image(path)


KINDS = {
    "png": encoded("PNG"),
    "jpg": encoded("JPEG", quality=95),
    "progressive jpg": encoded("JPEG", progressive=True),
    "optimised jpg": encoded("JPEG", optimize=True, subsampling=0),
    "webp": encoded("WEBP"),
    "lossless webp": encoded("WEBP", lossless=True),
    "bmp": encoded("BMP"),
    "tif": encoded("TIFF"),
    "deflated tif": encoded("TIFF", compression="tiff_deflate"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("behind", [b"\0", b"junk" * 5000, b"\xff\xd8\xff\xda", b"\x89PNG"])
def test_bytes_behind_the_end_do_no_harm(tmp_path: Path, kind: str, behind: bytes) -> None:
    path = tmp_path / "a.img"
    np.testing.assert_array_equal(read(path, KINDS[kind] + behind), read(path, KINDS[kind]))


@pytest.mark.parametrize("kind", ["jpg", "progressive jpg", "optimised jpg"])
@pytest.mark.parametrize("lost", [1, 2])
def test_a_jpeg_that_lacks_its_end_mark_is_whole(tmp_path: Path, kind: str, lost: int) -> None:
    path = tmp_path / "a.jpg"
    np.testing.assert_array_equal(read(path, KINDS[kind][:-lost]), read(path, KINDS[kind]))


@pytest.mark.parametrize("lost", [1, 4, 12])
def test_a_png_that_lacks_its_end_mark_is_whole(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "a.png"
    np.testing.assert_array_equal(read(path, KINDS["png"][:-lost]), read(path, KINDS["png"]))


@pytest.mark.parametrize(("kind", "place"), [("webp", 4), ("lossless webp", 4), ("bmp", 2)])
@pytest.mark.parametrize("size", [0, 100, 1 << 30])
def test_a_wrong_size_in_the_head_does_no_harm(
    tmp_path: Path, kind: str, place: int, size: int
) -> None:
    path, sound = tmp_path / "a.img", KINDS[kind]
    content = sound[:place] + size.to_bytes(4, "little") + sound[place + 4 :]
    np.testing.assert_array_equal(read(path, content), read(path, sound))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9, 0.97])
def test_an_image_whose_pixels_are_not_all_there_is_never_filled_up(
    tmp_path: Path, kind: str, part: float
) -> None:
    content = KINDS[kind][: int(len(KINDS[kind]) * part)]
    with pytest.raises(FrameReadError, match=r"a\.img is (cut off|damaged)"):
        read(tmp_path / "a.img", content)


def test_a_progressive_jpeg_that_ends_between_two_scans_is_cut_off(tmp_path: Path) -> None:
    content = KINDS["progressive jpg"]
    last = content.rfind(b"\xff\xc4")  # the tables of the last scan
    with pytest.raises(FrameReadError, match="cut off"):
        read(tmp_path / "a.jpg", content[:last])


def test_an_empty_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FrameReadError, match=r"a\.png is empty"):
        read(tmp_path / "a.png", b"")


@pytest.mark.parametrize("form", ["TIFF", "PNG", "WEBP"])
def test_several_pictures_in_one_file_are_refused(tmp_path: Path, form: str) -> None:
    pages = [Pillow.fromarray(numbered(n, SIZE)) for n in range(3)]
    stream = io.BytesIO()
    pages[0].save(stream, form, save_all=True, append_images=pages[1:])
    with pytest.raises(FrameReadError, match=r"a\.img holds 3 pictures"):
        read(tmp_path / "a.img", stream.getvalue())


def test_a_preview_in_a_tiff_is_no_further_picture(tmp_path: Path) -> None:
    pages = [Pillow.fromarray(numbered(7, SIZE)), Pillow.fromarray(numbered(7, (24, 80)))]
    pages[1].encoderinfo = {"tiffinfo": {254: 1}}
    stream = io.BytesIO()
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:])
    np.testing.assert_array_equal(read(tmp_path / "a.tif", stream.getvalue()), numbered(7, SIZE))


@pytest.mark.parametrize("kind", KINDS)
def test_the_size_is_known_before_an_image_is_decoded(kind: str) -> None:
    assert read_header(KINDS[kind]) == (SIZE[1], SIZE[0], 1)


@pytest.mark.parametrize("kind", KINDS)
def test_a_huge_image_is_refused_before_it_is_decoded(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(image.LIMIT_VARIABLE, "0.007")
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("decoded"))
    with pytest.raises(FrameReadError, match=r"160x48 pixels.*MASKWRIGHT_MAX_MEGAPIXELS"):
        read(tmp_path / "a.img", KINDS[kind])


def test_the_limit_can_be_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded("PNG")
    large = content[:16] + (20_000).to_bytes(4, "big") + (20_000).to_bytes(4, "big") + content[24:]
    with pytest.raises(FrameReadError, match="20000x20000 pixels, more than 256 million"):
        read(tmp_path / "a.png", large)
    monkeypatch.setenv(image.LIMIT_VARIABLE, "500")
    with pytest.raises(FrameReadError, match="damaged"):  # its head is a lie
        read(tmp_path / "a.png", large)


@pytest.mark.parametrize("kind", KINDS)
def test_any_bytes_are_an_image_or_a_sentence(tmp_path: Path, kind: str) -> None:
    random = np.random.default_rng(3)
    for _ in range(60):
        content = bytearray(KINDS[kind])
        for place in random.integers(0, min(len(content), 400), 4).tolist():
            content[place] = int(random.integers(0, 256))
        with suppress(FrameReadError):
            read(tmp_path / "a.img", bytes(content[: random.integers(8, len(content))]))
