"""Every frame of every kind of stream is the same read alone as read in order, bit for bit."""

import random
from pathlib import Path

import av
import numpy as np
import pytest

from app.errors import FrameReadError
from app.storage.video.opening import Video, open_video
from models.api import Image
from tests.storage.streams import STREAMS


def played(source: Path) -> list[Image]:
    """Return the frames in order as FFmpeg gives them to whoever only plays."""
    with av.open(str(source)) as container:
        return [
            np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
            for frame in container.decode(video=0)
        ]


def content(video: Video, index: int) -> bytes:
    """Return what is read of a frame; nothing where it cannot be read."""
    try:
        return video[index].tobytes()
    except FrameReadError:
        return b""


@pytest.mark.parametrize("name", STREAMS)
def test_a_frame_alone_equals_the_frame_in_order(tmp_path: Path, name: str) -> None:
    source = STREAMS[name].write(tmp_path)
    video = open_video(source)
    indices = range(len(video))
    in_order = [content(video, index) for index in indices]
    assert sum(map(bool, in_order)) > 20
    for index in random.Random(name).sample(indices, 6):
        other = open_video(source)
        assert content(other, index) == in_order[index], index
        other.close()
    mixed = open_video(source)
    shuffled = random.Random(name).sample(indices, len(video))
    assert [n for n in shuffled if content(mixed, n) != in_order[n]] == []


@pytest.mark.parametrize("name", [name for name in STREAMS if "gap" not in name])
def test_frames_in_order_are_those_that_are_played(tmp_path: Path, name: str) -> None:
    source = STREAMS[name].write(tmp_path)
    video = open_video(source)
    np.testing.assert_array_equal([video[index] for index in range(len(video))], played(source))
