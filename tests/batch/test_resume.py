"""Resumable work: what is kept, where it goes on, and when the output appears."""

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from app.batch.masks.anchors import anchors_of
from app.batch.resume import FillJob, RefineJob, ResumableFill, ResumableRefinement
from app.core.plan import Direction
from app.storage.formats.palette import read_labels
from app.storage.video.opening import Video, open_video
from models.api import Anchors, LoadOptions, Prediction, Tracked
from tests.cli.frames import SIZE, labels, write_video
from tests.fakes import FakeFrames, FakeSegmenter

PARTIAL = 3  # the frame whose anchor has object 1 only


class Still:
    """A tracker whose objects never move from their first anchors; it notes what it is asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, ...]] = []
        self.anchored: list[set[int]] = []

    def track(
        self, anchors: Anchors, frames: Sequence[int], *, probabilities: bool = False
    ) -> Generator[Tracked, None, None]:
        self.calls.append(tuple(frames))
        self.anchored.append(set(anchors))
        masks = {
            number: mask for frame in sorted(anchors) for number, mask in anchors[frame].items()
        }
        for frame in frames:
            yield frame, {number: Prediction(mask, 0.5) for number, mask in masks.items()}


@pytest.fixture
def video(tmp_path: Path) -> Iterator[Video]:
    video = open_video(write_video(tmp_path / "video"))
    yield video
    video.close()


def fill_job(out: Path, direction: Direction = Direction.FORWARD) -> FillJob:
    given = {0: labels(0, 1, 2), PARTIAL: labels(0, 1)}
    return FillJob(
        out=out,
        given=given,
        anchors=anchors_of(given, out),
        first=0,
        last=7,
        direction=direction,
        scores=False,
        options=LoadOptions(),
        model="still",
    )


def test_a_fill_goes_on_behind_the_last_frame_that_is_kept(video: Video, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = ResumableFill(fill_job(out), video, Still())
    steps = first.steps()
    assert [next(steps) for _ in range(3)] == [0, 1, 2]
    steps.close()
    assert not out.exists()
    assert "3 of 8 frames are kept" in first.stopped()
    tracker = Still()
    again = ResumableFill(fill_job(out), video, tracker)
    assert again.left == 5
    assert list(again.steps()) == [3, 4, 5, 6, 7]
    assert tracker.calls == [(2, 3, 4, 5, 6, 7)]
    assert tracker.anchored == [{0, 2, PARTIAL}]
    again.finish()
    assert len(list(out.glob("*.png"))) == 8
    assert np.array_equal(read_labels(out / f"{video.stem(7)}.png", SIZE), labels(0, 1, 2))


def test_other_work_does_not_go_on_from_what_is_kept(video: Video, tmp_path: Path) -> None:
    steps = ResumableFill(fill_job(tmp_path / "out"), video, Still()).steps()
    next(steps)
    steps.close()
    other = ResumableFill(fill_job(tmp_path / "out", Direction.BOTH), video, Still())
    assert other.left == 8


def test_an_anchor_is_written_as_it_was_given(video: Video, tmp_path: Path) -> None:
    filling = ResumableFill(fill_job(tmp_path / "out"), video, Still())
    list(filling.steps())
    filling.finish()
    written = read_labels(tmp_path / "out" / f"{video.stem(PARTIAL)}.png", SIZE)
    assert np.array_equal(written, labels(0, 1))


def test_a_refinement_goes_on_and_leaves_other_frames_as_they_are(
    video: Video, tmp_path: Path
) -> None:
    given = {frame: labels(frame, 1) for frame in range(3)}
    job = RefineJob(tmp_path / "out", given, [0, 1], 1.0, LoadOptions(), "fake")
    steps = ResumableRefinement(job, video, FakeSegmenter(FakeFrames())).steps()
    frame, verdicts = next(steps)
    assert (frame, verdicts[1].accepted) == (0, False)
    steps.close()
    again = ResumableRefinement(job, video, FakeSegmenter(FakeFrames()))
    assert [frame for frame, _ in again.steps()] == [1]
    again.finish()
    assert len(list((tmp_path / "out").glob("*.png"))) == 3
    assert np.array_equal(
        read_labels(tmp_path / "out" / f"{video.stem(2)}.png", SIZE), labels(2, 1)
    )
