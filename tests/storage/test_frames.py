"""The memory of frames: bounded, read ahead, decoded once."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from app.errors import FrameReadError
from app.storage.video.frames import FrameCache
from app.storage.video.opening import open_video
from models.api import Image
from tests.storage.clips import number_in, write_clip
from tests.waiting import PATIENCE

FRAME_BYTES = 20 * 30 * 3


class CountedVideo:
    """A video that counts what is decoded; waits at the gate, fails on the frames told."""

    size = (20, 30)

    def __init__(self, count: int = 400) -> None:
        self._count = count
        self.decoded: Counter[int] = Counter()
        self.order: list[int] = []
        self.broken: set[int] = set()
        self.error: type[Exception] = FrameReadError
        self.gate = threading.Event()
        self.gate.set()
        self.held: set[int] | None = None  # which frames wait at the gate; None: all

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> Image:
        self.order.append(index)
        if self.held is None or index in self.held:
            self.gate.wait(PATIENCE)
        self.decoded[index] += 1
        if index in self.broken:
            raise self.error(f"Frame {index} cannot be read.")
        return np.full((20, 30, 3), index % 256, np.uint8)


@pytest.fixture
def video() -> CountedVideo:
    return CountedVideo()


@pytest.fixture
def cache(video: CountedVideo) -> Iterator[FrameCache]:
    cache = FrameCache(video, 100 * FRAME_BYTES)
    yield cache
    video.gate.set()
    cache.close()


def eventually(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_reading_through_a_video_keeps_memory_bounded(
    cache: FrameCache, video: CountedVideo
) -> None:
    most = 0
    for index in range(400):
        assert cache.get(index)[0, 0, 0] == index % 256
        most = max(most, cache.used_bytes)
    assert most <= 100 * FRAME_BYTES
    assert cache.used_bytes > 90 * FRAME_BYTES
    assert set(video.decoded.values()) == {1}


def test_a_frame_in_memory_is_not_decoded_again(cache: FrameCache, video: CountedVideo) -> None:
    first = cache.get(5)
    assert cache.get(5) is first
    assert cache.peek(5) is first
    assert video.decoded[5] == 1


def test_the_least_recently_used_frame_goes_first(video: CountedVideo) -> None:
    cache = FrameCache(video, 2 * FRAME_BYTES)
    cache.get(0)
    cache.get(100)
    cache.get(0)
    cache.get(200)
    assert cache.peek(0) is not None
    assert cache.peek(100) is None
    cache.close()


def test_peek_answers_at_once_while_decoding(cache: FrameCache, video: CountedVideo) -> None:
    video.gate.clear()
    cache.request(7, lambda index: None)
    eventually(lambda: bool(video.order))
    assert cache.peek(7) is None
    assert video.decoded[7] == 0  # it waits at the gate still


def test_a_request_calls_back_when_the_frame_is_there(cache: FrameCache) -> None:
    answers: list[tuple[int, bool]] = []
    for index in (7, 7, 60):
        cache.request(index, lambda i: answers.append((i, cache.peek(i) is not None)))
    eventually(lambda: len(answers) == 3)
    assert sorted(answers) == [(7, True), (7, True), (60, True)]


def test_a_request_for_a_frame_in_memory_calls_back_too(cache: FrameCache) -> None:
    cache.get(7)
    done = threading.Event()
    cache.request(7, lambda index: done.set())
    assert done.wait(PATIENCE)


@pytest.mark.parametrize("step", [1, -1, 2])
def test_frames_are_read_ahead_in_the_direction_of_travel(
    cache: FrameCache, video: CountedVideo, step: int
) -> None:
    for index in (200, 200 + step):
        cache.get(index)
    eventually(lambda: all(video.decoded[200 + step * n] for n in range(2, 10)))
    # Before the second step shows the direction, forward is the guess, for 16 frames.
    assert not set(range(217, 400) if step < 0 else range(200)) & set(video.decoded)


def test_playing_from_memory_reads_ahead(cache: FrameCache, video: CountedVideo) -> None:
    answered: list[int] = []
    for index in range(100, 160):
        if cache.peek(index) is None:
            cache.request(index, answered.append)
            eventually(lambda: answered[-1:] == [index])  # noqa: B023 - called at once
    eventually(lambda: video.decoded[165] == 1)


def test_one_frame_asked_for_from_many_sides_is_decoded_once(
    cache: FrameCache, video: CountedVideo
) -> None:
    video.gate.clear()
    threads = [threading.Thread(target=cache.get, args=(9,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    done = threading.Event()
    cache.request(9, lambda index: done.set())
    eventually(lambda: 9 in video.order)
    video.gate.set()
    for thread in threads:
        thread.join()
    assert done.wait(PATIENCE)
    assert video.decoded[9] == 1


def test_a_frame_that_both_sides_come_to_is_read_ahead_once(
    cache: FrameCache, video: CountedVideo
) -> None:
    video.held = {6}
    video.gate.clear()
    cache.get(4)
    eventually(lambda: 6 in video.order)
    cache.request(5, lambda index: None)  # its read-ahead comes to 6 while that is in work
    eventually(lambda: not cache._shown.ahead)
    video.gate.set()
    eventually(lambda: video.decoded[6] == 1)
    assert video.order.count(6) == 1


def test_requests_that_newer_ones_push_out_are_dropped(
    cache: FrameCache, video: CountedVideo
) -> None:
    video.gate.clear()
    answered: list[int] = []
    for index in range(0, 400, 10):  # a hand that scrubs faster than frames are decoded
        cache.request(index, answered.append)
    video.gate.set()
    eventually(lambda: 390 in answered and not cache._waiting)
    assert len(answered) <= 12
    assert video.order.index(390) <= 3  # the newest comes first, but for what was under way


@pytest.mark.parametrize("error", [FrameReadError, MemoryError])
def test_an_unreadable_frame_answers_too_and_says_why(
    cache: FrameCache, video: CountedVideo, error: type[Exception]
) -> None:
    video.broken.add(3)
    video.error = error
    done = threading.Event()
    cache.request(3, lambda index: done.set())
    assert done.wait(PATIENCE)
    assert cache.peek(3) is None
    assert "Frame 3" in str(cache.failure(3))
    with pytest.raises(FrameReadError, match="Frame 3"):
        cache.get(3)
    video.broken.clear()
    assert cache.get(3) is not None
    assert cache.failure(3) is None


def test_an_unreadable_frame_ahead_does_not_stop_reading_ahead(
    cache: FrameCache, video: CountedVideo
) -> None:
    video.broken.add(4)
    cache.get(1)
    cache.get(2)
    eventually(lambda: video.decoded[9] == 1)


def test_one_image_is_held_even_where_it_exceeds_the_limit(video: CountedVideo) -> None:
    cache = FrameCache(video, 10)
    cache.get(3)
    assert cache.peek(3) is not None
    cache.get(4)
    assert cache.peek(3) is None
    assert cache.used_bytes == FRAME_BYTES
    cache.close()


def test_a_closed_cache_holds_nothing_and_leaves_no_thread(video: CountedVideo) -> None:
    before = threading.active_count()
    cache = FrameCache(video, 100 * FRAME_BYTES)
    cache.get(0)
    cache.close()
    cache.close()
    assert threading.active_count() == before
    assert cache.used_bytes == 0


def test_a_real_file_read_from_two_sides_gives_the_right_frames(tmp_path: Path) -> None:
    video = open_video(write_clip(tmp_path / "a.mp4", 120))
    cache = FrameCache(video, 30 * 48 * 160 * 3)
    wrong: list[int] = []

    def walk(order: range) -> None:
        wrong.extend(i for i in order if number_in(cache[i]) != i)

    threads = [threading.Thread(target=walk, args=(o,)) for o in (range(120), range(119, -1, -1))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cache.close()
    assert wrong == []


def test_a_frame_that_could_not_be_read_is_tried_again_when_asked_for(
    cache: FrameCache, video: CountedVideo
) -> None:
    video.broken = {7}
    with pytest.raises(FrameReadError):
        cache.get(7)
    video.broken.clear()
    assert cache.get(7)[0, 0, 0] == 7
    assert cache.failure(7) is None


def test_the_nearest_frame_in_memory_is_told_and_keeps_nothing_there(video: CountedVideo) -> None:
    cache = FrameCache(video, 3 * FRAME_BYTES)  # too small to read ahead
    assert cache.nearest(5) is None
    for index in (10, 20, 30):
        cache.get(index)
    found = {index: cache.nearest(index) for index in (0, 14, 16, 29, 99)}
    assert {index: near and near[0] for index, near in found.items()} == {
        0: 10, 14: 10, 16: 20, 29: 30, 99: 30,
    }  # fmt: skip
    assert all(near is not None and near[1][0, 0, 0] == near[0] for near in found.values())
    cache.nearest(10)
    cache.get(40)
    assert cache.peek(10) is None  # what was used least lately goes first
    cache.close()


def test_a_frame_that_is_looked_at_in_memory_stays_there_longest(video: CountedVideo) -> None:
    cache = FrameCache(video, 3 * FRAME_BYTES)
    for index in (10, 20, 30):
        cache.get(index)
    assert cache.peek(10) is not None
    cache.get(40)
    assert [cache.peek(index) is not None for index in (10, 20, 30, 40)] == [
        True, False, True, True,
    ]  # fmt: skip
    assert cache.used_bytes == 3 * FRAME_BYTES
    cache.close()


def test_a_frame_outside_the_video_is_none_to_get_or_to_ask_for(
    cache: FrameCache, video: CountedVideo
) -> None:
    for index in (-1, len(video)):
        with pytest.raises(IndexError):
            cache.get(index)
        with pytest.raises(IndexError):
            cache.request(index, lambda _: None)
    assert cache.get(len(video) - 1)[0, 0, 0] == (len(video) - 1) % 256
    assert (cache.size, len(cache)) == (video.size, len(video))
