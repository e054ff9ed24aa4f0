"""Frames for a model that goes through a video some of whose frames cannot be read."""

from app.batch.passes.readable import ReadableFrames
from tests.storage.test_frames import CountedVideo


def test_a_frame_that_cannot_be_read_is_seen_as_the_last_one_and_named() -> None:
    video = CountedVideo()
    video.broken = {0, 5, 6}
    frames = ReadableFrames(video)
    assert [int(frames[index][0, 0, 0]) for index in range(9)] == [0, 1, 2, 3, 4, 4, 4, 7, 8]
    assert sorted(frames.unreadable) == [0, 5, 6]
    assert "Frame 5" in str(frames.unreadable[5])
    assert (frames.size, len(frames)) == (video.size, len(video))


def test_a_frame_that_can_be_read_again_is_no_longer_unreadable() -> None:
    video = CountedVideo()
    video.broken = {3}
    frames = ReadableFrames(video)
    assert not frames[3].any()
    video.broken.clear()
    assert frames[3].all()
    assert not frames.unreadable
