"""What every tracker and every segmenter must do, whatever is inside.

A model's own test file takes it over with two lines:

    class TestClassicTracker(TrackerContract):
        load = staticmethod(lambda frames: load_tracker("classic", frames))
"""

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from models.api import (
    BoolMask,
    Box,
    Click,
    Frames,
    Image,
    Prediction,
    Prompt,
    PromptError,
    Segmenter,
    Tracker,
)

SIZE = (96, 128)
SIDE = 26
ODD_SIZES = ((1, 1), (1, 9), (9, 1), (3, 3), (11, 8), (8, 200), (200, 8))


class Clip:
    """Two textured squares that move over a textured ground; object 1 right, object 2 down."""

    def __init__(self, length: int = 8) -> None:
        rng = np.random.default_rng(7)
        self._ground = _texture(rng, SIZE, (60, 110, 70))
        self._patches = {
            1: _texture(rng, (SIDE, SIDE), (200, 60, 50)),
            2: _texture(rng, (SIDE, SIDE), (60, 80, 220)),
        }
        self._length = length

    @property
    def size(self) -> tuple[int, int]:
        """(height, width)."""
        return SIZE

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Image:
        if not 0 <= index < self._length:
            raise IndexError(index)
        image = self._ground.copy()
        for number, patch in self._patches.items():
            image[self._place(number, index)] = patch
        return image

    def mask(self, number: int, index: int) -> BoolMask:
        """Return where the object is."""
        mask = np.zeros(SIZE, np.bool_)
        mask[self._place(number, index)] = True
        return mask

    def _place(self, number: int, index: int) -> tuple[slice, slice]:
        top, left = (12, 10 + 3 * index) if number == 1 else (50 + index, 90)
        return slice(top, top + SIDE), slice(left, left + SIDE)


class OddClip:
    """Noise of a size that no network was made for, with an object in its first half."""

    def __init__(self, size: tuple[int, int], length: int = 3) -> None:
        self.size, self._length = size, length

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Image:
        rng = np.random.default_rng(index)
        return rng.integers(0, 256, (*self.size, 3), np.uint8)

    def mask(self) -> BoolMask:
        """Return where the object is, one pixel at least."""
        mask = np.zeros(self.size, np.bool_)
        mask[: max(self.size[0] // 2, 1), : max(self.size[1] // 2, 1)] = True
        return mask


def _texture(rng: np.random.Generator, size: tuple[int, int], color: Sequence[int]) -> Image:
    coarse = rng.integers(-35, 36, (size[0] // 6 + 1, size[1] // 6 + 1, 1))
    noise = np.kron(coarse, np.ones((6, 6, 1), np.int64))[: size[0], : size[1]]
    return np.asarray(np.clip(np.array(color) + noise, 0, 255), np.uint8)


def iou(one: BoolMask, other: BoolMask) -> float:
    """Intersection over union; 1 where both are empty."""
    union = np.count_nonzero(one | other)
    return float(np.count_nonzero(one & other) / union) if union else 1.0


def assert_prediction(prediction: Prediction) -> None:
    """Check the form of one prediction on the clip."""
    assert prediction.mask.shape == SIZE
    assert prediction.mask.dtype == np.bool_
    assert 0 <= prediction.score <= 1


class TrackerContract:
    """Behaviour of `models.api.Tracker`. `floor` is the IoU that easy motion must keep."""

    load: Callable[[Frames], Tracker]
    floor = 0.75

    @pytest.fixture
    def clip(self) -> Clip:
        return Clip()

    @pytest.fixture
    def tracker(self, clip: Clip) -> Tracker:
        return self.load(clip)

    def test_follows_two_moving_objects(self, clip: Clip, tracker: Tracker) -> None:
        anchors = {0: {1: clip.mask(1, 0), 2: clip.mask(2, 0)}}
        for frame, predictions in tracker.track(anchors, range(len(clip))):
            assert set(predictions) == {1, 2}
            for number, prediction in predictions.items():
                assert_prediction(prediction)
                assert iou(prediction.mask, clip.mask(number, frame)) >= self.floor

    @pytest.mark.parametrize("frames", [range(2, 7), range(6, 0, -1), [5], [1, 3, 6]])
    def test_visits_the_frames_in_the_order_asked(
        self, clip: Clip, tracker: Tracker, frames: Sequence[int]
    ) -> None:
        anchors = {frames[0]: {1: clip.mask(1, frames[0])}}
        visited = dict(tracker.track(anchors, frames))
        assert list(visited) == list(frames)
        last = frames[-1]
        assert iou(visited[last][1].mask, clip.mask(1, last)) >= self.floor

    def test_gives_an_anchor_back_exactly_and_predicts_the_others_there(
        self, clip: Clip, tracker: Tracker
    ) -> None:
        odd = clip.mask(1, 3)
        odd[80:83, 3:6] = True  # a speck that no model would make
        anchors = {0: {1: clip.mask(1, 0), 2: clip.mask(2, 0)}, 3: {1: odd}}
        there = dict(tracker.track(anchors, range(5)))[3]
        assert np.array_equal(there[1].mask, odd)
        assert there[1].score == 1
        assert iou(there[2].mask, clip.mask(2, 3)) >= self.floor

    def test_masks_do_not_overlap_where_the_given_ones_do_not(
        self, clip: Clip, tracker: Tracker
    ) -> None:
        anchors = {0: {1: clip.mask(1, 0), 2: clip.mask(2, 0)}, 4: {2: clip.mask(1, 4)}}
        for _, predictions in tracker.track(anchors, range(len(clip))):
            assert not (predictions[1].mask & predictions[2].mask).any()

    def test_an_object_with_an_anchor_outside_is_there_from_the_first_frame(
        self, clip: Clip, tracker: Tracker
    ) -> None:
        anchors = {1: {1: clip.mask(1, 1)}, 7: {2: clip.mask(2, 7)}}
        frame, predictions = next(tracker.track(anchors, [3, 4]))
        assert frame == 3
        assert set(predictions) == {1, 2}
        assert iou(predictions[1].mask, clip.mask(1, 3)) >= self.floor

    @pytest.mark.parametrize("frames", [range(7), range(6, -1, -1)])
    def test_an_object_appears_at_its_first_anchor_in_visiting_order(
        self, clip: Clip, tracker: Tracker, frames: range
    ) -> None:
        anchors = {frames[0]: {1: clip.mask(1, frames[0])}, 3: {2: clip.mask(2, 3)}}
        for frame, predictions in tracker.track(anchors, frames):
            reached = frames.index(frame) >= frames.index(3)
            assert set(predictions) == ({1, 2} if reached else {1})

    def test_an_absent_anchor_is_an_empty_mask(self, clip: Clip, tracker: Tracker) -> None:
        anchors = {0: {1: clip.mask(1, 0)}, 2: {1: np.zeros(SIZE, np.bool_)}}
        for frame, predictions in tracker.track(anchors, range(5)):
            assert_prediction(predictions[1])
            assert frame != 2 or not predictions[1].mask.any()

    def test_only_absent_anchors_give_empty_masks(self, clip: Clip, tracker: Tracker) -> None:
        anchors = {0: {1: np.zeros(SIZE, np.bool_)}}
        for _, predictions in tracker.track(anchors, range(3)):
            assert not predictions[1].mask.any()

    def test_the_same_question_has_the_same_answer(self, clip: Clip, tracker: Tracker) -> None:
        anchors = {0: {1: clip.mask(1, 0)}}
        first = dict(tracker.track(anchors, range(5)))
        list(tracker.track({4: {1: clip.mask(2, 4)}}, range(4, 0, -1)))
        again = dict(tracker.track(anchors, range(5)))
        for frame in range(5):
            assert np.array_equal(first[frame][1].mask, again[frame][1].mask)
            assert first[frame][1].score == again[frame][1].score

    def test_closing_half_way_leaves_the_tracker_usable(self, clip: Clip, tracker: Tracker) -> None:
        anchors = {0: {1: clip.mask(1, 0)}}
        running = tracker.track(anchors, range(8))
        next(running)
        next(running)
        running.close()
        assert len(list(tracker.track(anchors, range(3)))) == 3

    def test_probabilities_come_only_where_asked_for(self, clip: Clip, tracker: Tracker) -> None:
        anchors = {0: {1: clip.mask(1, 0)}}
        for _, predictions in tracker.track(anchors, range(3)):
            assert predictions[1].probability is None
        for _, predictions in tracker.track(anchors, range(3), probabilities=True):
            values = predictions[1].probability
            assert values is not None
            assert values.shape == SIZE
            assert values.dtype == np.float32
            assert values.min() >= 0
            assert values.max() <= 1
            assert iou(values > 0.5, predictions[1].mask) > 0.9

    def test_an_anchor_of_another_size_is_refused(self, tracker: Tracker) -> None:
        with pytest.raises(PromptError):
            list(tracker.track({0: {1: np.ones((5, 5), np.bool_)}}, range(2)))

    @pytest.mark.parametrize(
        ("anchor", "frames"), [(8, range(2)), (-1, range(2)), (0, range(9))], ids=str
    )
    def test_a_frame_outside_the_video_is_refused(
        self, clip: Clip, tracker: Tracker, anchor: int, frames: range
    ) -> None:
        with pytest.raises(PromptError, match="outside the video of 8"):
            list(tracker.track({anchor: {1: clip.mask(1, 0)}}, frames))

    def test_no_anchor_is_refused(self, tracker: Tracker) -> None:
        with pytest.raises(PromptError):
            list(tracker.track({}, range(2)))


class NarrowFramesContract:
    """What a tracker does on frames of a size that no network was made for."""

    load: Callable[[Frames], Tracker]

    @pytest.mark.parametrize("size", ODD_SIZES)
    def test_a_small_or_narrow_frame_gets_an_answer(self, size: tuple[int, int]) -> None:
        clip = OddClip(size)
        anchors = {0: {1: clip.mask(), 2: ~clip.mask()}}
        found = dict(self.load(clip).track(anchors, range(3), probabilities=True))
        for frame, predictions in found.items():
            assert set(predictions) == {1, 2}
            for number, prediction in predictions.items():
                assert prediction.mask.shape == size
                assert 0 <= prediction.score <= 1
                assert frame or np.array_equal(prediction.mask, anchors[0][number])
        assert list(found) == [0, 1, 2]


class SegmenterContract:
    """Behaviour of `models.api.Segmenter`. `floor` is the IoU that a plain square must reach."""

    load: Callable[[Frames], Segmenter]
    floor = 0.75

    @pytest.fixture
    def clip(self) -> Clip:
        return Clip(3)

    @pytest.fixture
    def segmenter(self, clip: Clip) -> Segmenter:
        return self.load(clip)

    def test_a_click_gives_candidates_best_first(self, segmenter: Segmenter) -> None:
        found = segmenter.segment(0, Prompt(clicks=(Click(23, 25),)))
        assert found
        for prediction in found:
            assert_prediction(prediction)
        scores = [prediction.score for prediction in found]
        assert all(one >= other for one, other in itertools.pairwise(scores))

    def test_some_candidate_of_a_click_is_the_thing_clicked(
        self, clip: Clip, segmenter: Segmenter
    ) -> None:
        found = segmenter.segment(0, Prompt(clicks=(Click(23, 25),)))
        assert max(iou(each.mask, clip.mask(1, 0)) for each in found) >= self.floor

    def test_a_box_gives_the_thing_in_it(self, clip: Clip, segmenter: Segmenter) -> None:
        best = segmenter.segment(1, Prompt(box=Box(8, 7, 44, 42)))[0]
        assert iou(best.mask, clip.mask(1, 1)) >= self.floor

    def test_a_mask_is_taken_further_by_a_click(self, clip: Clip, segmenter: Segmenter) -> None:
        rough = clip.mask(1, 0)
        rough[:, 28:] = False
        best = segmenter.segment(0, Prompt(clicks=(Click(33, 25),), mask=rough))[0]
        assert iou(best.mask, clip.mask(1, 0)) >= self.floor

    def test_frames_are_told_apart(self, clip: Clip, segmenter: Segmenter) -> None:
        prompt = Prompt(box=Box(88, 48, 118, 80))
        for frame in (2, 0, 2):
            best = segmenter.segment(frame, prompt)[0]
            assert iou(best.mask, clip.mask(2, frame)) >= self.floor

    def test_preparing_changes_no_answer(self, clip: Clip, segmenter: Segmenter) -> None:
        prompt = Prompt(clicks=(Click(23, 25), Click(70, 60, positive=False)))
        fresh = segmenter.segment(0, prompt)
        prepared = self.load(clip)
        prepared.prepare(0)
        for one, other in zip(fresh, prepared.segment(0, prompt), strict=True):
            assert np.array_equal(one.mask, other.mask)
            assert one.score == other.score

    @pytest.mark.parametrize("size", ODD_SIZES)
    def test_a_small_or_narrow_frame_gets_an_answer(self, size: tuple[int, int]) -> None:
        clip = OddClip(size)
        height, width = size
        segmenter = self.load(clip)
        segmenter.prepare(0)
        for prompt in (
            Prompt(clicks=(Click(width // 2, height // 2),)),
            Prompt(box=Box(0, 0, width, height)),
            Prompt(clicks=(Click(0, 0), Click(width - 1, height - 1, positive=False))),
            Prompt(clicks=(Click(0, 0),), mask=clip.mask()),
        ):
            for prediction in segmenter.segment(0, prompt):
                assert prediction.mask.shape == size
                assert 0 <= prediction.score <= 1

    @pytest.mark.parametrize(
        "prompt",
        [
            Prompt(),
            Prompt(clicks=(Click(500, 20),)),
            Prompt(clicks=(Click(-3, 20),)),
            Prompt(box=Box(40, 40, 40, 60)),
            Prompt(clicks=(Click(5, 5),), mask=np.ones((4, 4), np.bool_)),
        ],
        ids=["nothing", "beyond", "before", "flat box", "mask of another size"],
    )
    def test_a_prompt_that_does_not_fit_is_refused(
        self, segmenter: Segmenter, prompt: Prompt
    ) -> None:
        with pytest.raises(PromptError):
            segmenter.segment(0, prompt)
