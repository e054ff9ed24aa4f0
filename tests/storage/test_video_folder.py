"""Folders of images as videos."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.errors import FrameReadError, VideoOpenError
from app.storage.video.opening import open_video
from tests.storage.clips import number_in, numbered


def write_image(path: Path, number: int, size: tuple[int, int] = (48, 160)) -> Path:
    _, content = cv2.imencode(path.suffix, cv2.cvtColor(numbered(number, size), cv2.COLOR_RGB2BGR))
    path.write_bytes(content.tobytes())
    return path


def test_images_come_in_natural_order(tmp_path: Path) -> None:
    for number in (10, 9, 1, 2, 100):
        write_image(tmp_path / f"Frame_{number}.jpg", number)
    video = open_video(tmp_path)
    assert [number_in(video[i]) for i in range(len(video))] == [1, 2, 9, 10, 100]
    assert video.stem(3) == "Frame_10"
    assert video.size == (48, 160)
    assert video.time(3) == pytest.approx(3 / video.fps)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".JPEG", ".webp", ".bmp", ".tif", ".tiff"])
def test_every_usual_kind_of_image_is_read(tmp_path: Path, suffix: str) -> None:
    write_image(tmp_path / f"a{suffix}", 77, (47, 161))
    assert number_in(open_video(tmp_path)[0]) == 77


def test_grey_and_transparent_and_deep_images_become_rgb(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.full((8, 9), 200, np.uint8))
    cv2.imwrite(str(tmp_path / "2.png"), np.full((8, 9, 4), 200, np.uint8))
    cv2.imwrite(str(tmp_path / "3.png"), np.full((8, 9, 3), 200 * 256, np.uint16))
    video = open_video(tmp_path)
    for index in range(3):
        np.testing.assert_array_equal(video[index], np.full((8, 9, 3), 200, np.uint8))


def test_what_is_no_image_is_passed_over(tmp_path: Path) -> None:
    write_image(tmp_path / "1.jpg", 1)
    (tmp_path / "notes.txt").write_text("not a frame")
    (tmp_path / "._1.jpg").write_bytes(b"left by another system")
    (tmp_path / "sub.jpg").mkdir()
    assert len(open_video(tmp_path)) == 1


def test_an_image_of_another_size_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "1.jpg", 1)
    write_image(tmp_path / "2.jpg", 2, (64, 160))
    video = open_video(tmp_path)
    with pytest.raises(FrameReadError, match=r"Frame 1 .*2\.jpg is 160x64, the first 160x48"):
        video[1]
    assert number_in(video[0]) == 1
    assert "Frame 1" in str(video.damaged)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tif"])
def test_an_image_that_is_cut_off_is_named_and_not_filled_up(tmp_path: Path, suffix: str) -> None:
    write_image(tmp_path / f"1{suffix}", 1)
    broken = write_image(tmp_path / f"2{suffix}", 2)
    broken.write_bytes(broken.read_bytes()[: broken.stat().st_size * 2 // 3])
    write_image(tmp_path / f"3{suffix}", 3)
    video = open_video(tmp_path)
    fact = "damaged" if suffix == ".tif" else "cut off"  # a TIFF can end anywhere
    with pytest.raises(FrameReadError, match=rf"Frame 1 .*2\{suffix} is {fact}"):
        video[1]
    assert number_in(video[2]) == 3


def test_bytes_behind_the_end_of_a_jpeg_do_no_harm(tmp_path: Path) -> None:
    image = write_image(tmp_path / "1.jpg", 5)
    image.write_bytes(image.read_bytes() + b"\xff\xda maker's notes \xff\xc4")
    assert number_in(open_video(tmp_path)[0]) == 5


def test_an_image_that_is_gone_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "1.jpg", 1)
    gone = write_image(tmp_path / "2.jpg", 2)
    video = open_video(tmp_path)
    gone.unlink()
    with pytest.raises(FrameReadError, match=r"Frame 1 .*2\.jpg"):
        video[1]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VideoOpenError, match="no images"):
        open_video(tmp_path)


def test_one_frame_in_two_kinds_of_image_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "1.jpg", 1)
    write_image(tmp_path / "1.png", 1)
    with pytest.raises(VideoOpenError, match="same frame twice"):
        open_video(tmp_path)


def test_a_first_image_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"\x89PNG nothing IEND")
    with pytest.raises(VideoOpenError, match=r"1\.png"):
        open_video(tmp_path)


@pytest.mark.parametrize("broken", [b"", b"\x89PNG nothing IEND", b"text"])
@pytest.mark.parametrize("first", [1, 2, 4])
def test_an_image_that_cannot_be_read_costs_no_other(
    tmp_path: Path, broken: bytes, first: int
) -> None:
    for number in (1, 2, 3, 4):
        write_image(tmp_path / f"{number}.png", number)
    (tmp_path / f"{first}.png").write_bytes(broken)
    video = open_video(tmp_path)
    assert video.size == (48, 160)
    for number in (1, 2, 3, 4):
        if number == first:
            for _ in range(2):
                with pytest.raises(FrameReadError, match=rf"Frame {first - 1} .*{first}\.png"):
                    video[first - 1]
        else:
            assert number_in(video[number - 1]) == number
    assert f"Frame {first - 1}" in str(video.damaged)


def test_an_image_that_is_mended_meanwhile_is_read(tmp_path: Path) -> None:
    write_image(tmp_path / "1.png", 1)
    (tmp_path / "2.png").write_bytes(b"")
    video = open_video(tmp_path)
    with pytest.raises(FrameReadError):
        video[1]
    write_image(tmp_path / "2.png", 2)
    assert number_in(video[1]) == 2


def test_a_link_to_nothing_keeps_its_place(tmp_path: Path) -> None:
    for number in (1, 3):
        write_image(tmp_path / f"{number}.png", number)
    (tmp_path / "2.png").symlink_to(tmp_path / "gone" / "2.png")
    video = open_video(tmp_path)
    assert len(video) == 3
    assert number_in(video[2]) == 3
    with pytest.raises(FrameReadError, match=r"Frame 1 .*2\.png"):
        video[1]


def test_a_link_in_a_circle_keeps_its_place(tmp_path: Path) -> None:
    write_image(tmp_path / "2.png", 2)
    (tmp_path / "1.png").symlink_to(tmp_path / "1.png")
    video = open_video(tmp_path)
    assert number_in(video[1]) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_image_that_may_not_be_read_keeps_its_place(tmp_path: Path) -> None:
    for number in (1, 2):
        write_image(tmp_path / f"{number}.png", number)
    (tmp_path / "1.png").chmod(0)
    video = open_video(tmp_path)
    assert number_in(video[1]) == 2


@pytest.mark.skipif(os.name != "posix", reason="names are text elsewhere")
def test_names_that_are_not_text_are_refused_by_name(tmp_path: Path) -> None:
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    strange.mkdir()
    write_image(strange / "1.png", 1)
    with pytest.raises(VideoOpenError, match=r"caf.udce9 .*UTF-8"):
        open_video(strange)
    (tmp_path / "ok").mkdir()
    write_image(Path(os.fsdecode(os.fsencode(tmp_path) + b"/ok/\xff1.png")), 1)
    with pytest.raises(VideoOpenError, match="UTF-8"):
        open_video(tmp_path / "ok")


@pytest.mark.parametrize(
    "names",
    [
        ["0.5", "1.05", "1.25", "1.5", "2", "10.125"],
        ["1305031102.175", "1305031102.2", "1305031103.05"],
        ["2026-11-29_12-30-05.25", "2026-11-29_12-30-05.5", "2026-11-29_12-30-10.0"],
        ["-1.5", "-0.25", "0.0", "3.5"],
        ["shot1.9", "shot1.10", "shot2.1"],
        ["a9", "a10", "b1"],
    ],
)
def test_times_in_names_sort_as_numbers(tmp_path: Path, names: list[str]) -> None:
    for number, name in enumerate(names):
        write_image(tmp_path / f"{name}.png", number)
    video = open_video(tmp_path)
    assert [video.stem(index) for index in range(len(video))] == names


def test_one_name_written_in_two_forms_is_one_frame(tmp_path: Path) -> None:
    write_image(tmp_path / "caf\u00e9.png", 1)
    write_image(tmp_path / "cafe\u0301.jpg", 1)
    with pytest.raises(VideoOpenError, match="same frame twice"):
        open_video(tmp_path)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("P01_01_frame_0000000001", 0.0),
        ("P01_01_frame_0000000091", 1.5),
        ("P01_101_frame_0000000076", 1.5),
        ("P01_1011_frame_0000000076", 1 / 24),
        ("frame_0000000076", 1 / 24),
    ],
)
def test_the_name_of_a_kitchen_s_frame_tells_its_time(
    tmp_path: Path, name: str, seconds: float
) -> None:
    write_image(tmp_path / "A.png", 0)
    write_image(tmp_path / f"{name}.png", 1)
    assert open_video(tmp_path).time(1) == pytest.approx(seconds)


def test_a_folder_has_no_frame_before_its_first_and_after_its_last(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", 5)
    write_image(tmp_path / "b.png", 6)
    video = open_video(tmp_path)
    assert [number_in(video[n]) for n in (0, 1)] == [5, 6]
    for index in (-1, 2):
        with pytest.raises(IndexError):
            video[index]
