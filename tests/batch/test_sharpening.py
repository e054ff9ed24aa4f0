"""A tracker followed by a segmenter: which answers count, and whose pixels are whose."""

import numpy as np

from app.batch.masks.sharpening import SharpenedTracker
from models.api import Anchors, BoolMask, Box, Prediction, Prompt
from tests.batch.corrections import RetracingTracker
from tests.fakes import SIZE, FakeFrames, FakeSegmenter, FakeTracker, square


class Widening:
    """A segmenter that fills the box it is given, and `by` pixels to its right."""

    def __init__(self, by: int) -> None:
        self.by, self.prompts = by, list[tuple[int, Prompt]]()

    def segment(self, frame: int, prompt: Prompt) -> tuple[Prediction, ...]:
        self.prompts.append((frame, prompt))
        assert prompt.box is not None
        x0, y0, x1, y1 = (round(each) for each in prompt.box)
        mask = np.zeros(SIZE, np.bool_)
        mask[y0:y1, x0 : x1 + self.by] = True
        return (Prediction(mask, 0.5),)

    def prepare(self, frame: int, *, wanted: object = None) -> None:
        raise AssertionError("Nothing is prepared.")


def masks_of(
    segmenter: Widening | FakeSegmenter, anchors: Anchors, frames: range, gate: float = 0.1
) -> dict[int, dict[int, Prediction]]:
    tracker = SharpenedTracker(FakeTracker(FakeFrames()), segmenter, gate=gate)
    return {frame: dict(found) for frame, found in tracker.track(anchors, frames)}


def test_each_frame_is_asked_for_with_the_box_alone() -> None:
    segmenter = Widening(3)
    found = masks_of(segmenter, {0: {1: square(10)}}, range(1, 4))
    assert [frame for frame, _ in segmenter.prompts] == [1, 2, 3]
    assert all(prompt.box == Box(10, 20, 20, 30) for _, prompt in segmenter.prompts)
    assert all(prompt.mask is None and not prompt.clicks for _, prompt in segmenter.prompts)
    for each in found.values():
        assert each[1].mask.sum() == 13 * 10
        assert each[1].score == 0.9  # the tracker's: suspects are found by it


def test_an_answer_below_the_gate_is_not_used() -> None:
    anchors = {0: {1: square(10)}}
    assert masks_of(Widening(10), anchors, range(1, 2), gate=0.5)[1][1].mask.sum() == 200
    assert masks_of(Widening(10), anchors, range(1, 2), gate=0.51)[1][1].mask.sum() == 100


def test_masks_that_were_given_and_empty_ones_are_not_sharpened() -> None:
    segmenter = Widening(3)
    anchors = {0: {1: square(10), 2: np.zeros(SIZE, np.bool_)}}
    found = masks_of(segmenter, anchors, range(2))
    assert [frame for frame, _ in segmenter.prompts] == [1]
    assert (found[0][1].mask == square(10)).all()
    assert not found[1][2].mask.any()


def test_sharpened_masks_do_not_overlap() -> None:
    # 1 grows by three pixels into 2, which had them before; 2 grows by three to the right.
    anchors = {0: {1: square(10), 2: square(20)}}
    found = masks_of(Widening(3), anchors, range(1, 2))[1]
    assert not (found[1].mask & found[2].mask).any()
    assert found[1].mask.sum() == 100
    assert found[2].mask.sum() == 130


def test_pixels_that_nobody_had_go_to_one_of_those_who_claim_them() -> None:
    anchors = {0: {1: square(10), 2: square(10, y=30)}}

    class Both(Widening):
        def segment(self, frame: int, prompt: Prompt) -> tuple[Prediction, ...]:
            return (Prediction(square(5, y=15, side=30), 0.5),)

    found = masks_of(Both(0), anchors, range(1, 2))[1]
    assert not (found[1].mask & found[2].mask).any()
    assert ((found[1].mask | found[2].mask) == square(5, y=15, side=30)).all()
    assert found[1].mask[20:30, 10:20].all()
    assert found[2].mask[30:40, 10:20].all()


def test_a_given_mask_keeps_what_a_sharpened_one_claims() -> None:
    anchors: dict[int, dict[int, BoolMask]] = {0: {1: square(10)}, 1: {2: square(20)}}
    found = masks_of(Widening(5), anchors, range(1, 2))[1]
    assert (found[2].mask == square(20)).all()
    assert not (found[1].mask & found[2].mask).any()


def test_the_tracker_is_closed_when_its_follower_is() -> None:
    tracker = FakeTracker(FakeFrames())
    walk = SharpenedTracker(tracker, Widening(0)).track({0: {1: square(10)}}, range(1, 9))
    next(walk)
    walk.close()
    assert tracker.closed == 1


def test_the_tracker_sees_frames_as_before_where_that_is_asked_and_it_can() -> None:
    anchors, frames = {0: {1: square(10)}}, range(1, 4)
    able = RetracingTracker(FakeFrames())
    for tracker in (able, FakeTracker(FakeFrames())):
        sharpened = SharpenedTracker(tracker, Widening(3))
        found = list(sharpened.track_as_before(anchors, frames))
        assert [frame for frame, _ in found] == list(frames)
        assert all(each[1].mask.sum() == 13 * 10 for _, each in found)
    assert able.again == 1
