"""A video file that another one takes the place of while it is open: no frame is the other's."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import FrameReadError
from app.storage.video.opening import open_video
from tests.storage.clips import number_in, write_clip

COUNT = 60


def copy_over(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def rename_onto(path: Path, content: bytes) -> None:
    beside = path.with_name("beside")
    beside.write_bytes(content)
    beside.replace(path)


REPLACED = pytest.mark.skipif(os.name == "nt", reason="there an open file cannot be replaced")


@REPLACED
@pytest.mark.parametrize("replace", [copy_over, rename_onto])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "avi", "ts"])
def test_frames_of_another_file_are_none_of_the_video(
    tmp_path: Path, suffix: str, replace: Callable[[Path, bytes], None]
) -> None:
    path = write_clip(tmp_path / f"a.{suffix}", COUNT)
    other = write_clip(tmp_path / f"b.{suffix}", COUNT, gop=15, options={"x264-params": "crf=30"})
    before = path.read_bytes()
    video = open_video(path)
    try:
        assert number_in(video[5]) == 5
        replace(path, other.read_bytes())
        for index in (40, 58):
            with pytest.raises(FrameReadError, match=f"Frame {index} .*replaced by another"):
                video[index]
        replace(path, before)  # put back
        assert [number_in(video[index]) for index in (40, 58, 7)] == [40, 58, 7]
    finally:
        video.close()


def test_a_video_that_is_touched_or_grows_is_the_same(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", COUNT)
    video = open_video(path)
    try:
        os.utime(path, (1, 1))
        assert number_in(video[20]) == 20
        with path.open("ab") as file:
            file.write(bytes(100))
        assert number_in(video[50]) == 50
    finally:
        video.close()
