"""SAM 2 through video: the package's own masks, without its memory."""

import itertools
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.api import BoolMask, Image, LoadOptions, ModelError, PromptError, WeightsInvalidError
from models.sam.compute import normalised
from models.sam.loader import load_tracker
from models.sam.video.tracker import Sam2Tracker, build_predictor
from tests.models.contract import NarrowFramesContract, TrackerContract

SIZE = (72, 96)
SIDE = 64


class Clip:
    """A made video: two squares that move over noise."""

    size = SIZE

    def __init__(self, length: int) -> None:
        self._length = length
        self.read: list[int] = []

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Image:
        self.read.append(index)
        noise = np.random.default_rng(index).integers(0, 80, (*SIZE, 3), np.uint8)
        noise[square(index, 0)] = (220, 60, 60)
        noise[square(index, 1)] = (60, 60, 220)
        return noise


def square(frame: int, number: int) -> BoolMask:
    mask = np.zeros(SIZE, np.bool_)
    x = 8 + 2 * (frame % 20) if number == 0 else 60 - (frame % 20)
    mask[12 + 30 * number : 36 + 30 * number, x : x + 24] = True
    return mask


@cache
def tiny() -> Any:  # noqa: ANN401
    """Return the tiny model with random weights that see their objects."""
    torch.manual_seed(3)
    made = build_predictor("tiny", side=SIDE)
    # Random weights say of most objects that they are gone: then every mask would be empty.
    torch.nn.init.constant_(made.sam_mask_decoder.pred_obj_score_head.layers[-1].bias, 5.0)
    # And what a memory says would be drowned: its layer scales start near zero.
    for name, parameter in made.named_parameters():
        if name.endswith("gamma"):
            torch.nn.init.constant_(parameter, 0.5)
    return made


@pytest.fixture(scope="module")
def predictor() -> Any:  # noqa: ANN401
    return tiny()


class TestSam2Tracker(TrackerContract, NarrowFramesContract):
    load = staticmethod(lambda frames: Sam2Tracker(tiny(), frames))
    floor = 0.0


def package_labels(
    predictor: Any,  # noqa: ANN401
    clip: Clip,
    anchors: dict[int, dict[int, BoolMask]],
    *,
    reverse: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> dict[int, dict[int, BoolMask]]:
    """Return the masks of the package's own predictor, which holds the whole video."""
    tensors = torch.cat(
        [
            normalised(frame, (SIDE, SIDE), torch.device("cpu"))
            for frame in map(clip.__getitem__, range(len(clip)))
        ]
    )
    monkeypatch.setattr("sam2.sam2_video_predictor.load_video_frames", lambda **_: (tensors, *SIZE))
    monkeypatch.setattr("sam2.sam2_video_predictor.tqdm", lambda frames, **_: frames)
    monkeypatch.setattr(predictor, "non_overlap_masks", True)
    state = predictor.init_state("")
    for frame, masks in anchors.items():
        for number, mask in masks.items():
            predictor.add_new_mask(state, frame, number, mask)
    start = len(clip) - 1 if reverse else 0
    return {
        frame: {number: mask[0].numpy() > 0 for number, mask in zip(numbers, logits, strict=True)}
        for frame, numbers, logits in predictor.propagate_in_video(state, start, reverse=reverse)
    }


@pytest.mark.parametrize("reverse", [False, True])
def test_the_masks_are_those_of_the_package(
    predictor: Any,  # noqa: ANN401
    reverse: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clip = Clip(19)  # longer than any memory reaches
    first = 18 if reverse else 0
    numbers = (1,) if reverse else (1, 2)
    anchors = {
        frame: {number: square(frame, number - 1) for number in numbers} for frame in (first, 9)
    }
    expected = package_labels(predictor, clip, anchors, reverse=reverse, monkeypatch=monkeypatch)
    order = sorted(range(len(clip)), reverse=reverse)
    seen = set()
    for frame, found in Sam2Tracker(predictor, clip).track(anchors, order):
        if frame not in anchors:
            for number in numbers:
                mask = found[number].mask
                # Sums are taken in another order on another machine, and with random weights some
                # pixels lie just at the threshold.
                assert np.mean(mask != expected[frame][number]) < 0.005, (frame, number)
                seen.add(mask.sum())
    assert len(seen) > 4, "the masks of this test say nothing: they hardly differ"


def test_anchors_come_back_as_given_and_nothing_lies_over_them(
    predictor: Any,  # noqa: ANN401
) -> None:
    clip = Clip(4)
    tracker = Sam2Tracker(predictor, clip)
    anchors = {0: {1: square(0, 0), 2: square(0, 1)}, 2: {1: square(2, 0)}}
    found = dict(tracker.track(anchors, range(4), probabilities=True))
    assert np.array_equal(found[2][1].mask, square(2, 0))
    assert found[2][1].score == 1
    assert not (found[2][2].mask & square(2, 0)).any()
    for masks in found.values():
        total = sum(prediction.mask.astype(int) for prediction in masks.values())
        assert np.max(total) <= 1
        chances = [prediction.probability for prediction in masks.values()]
        assert all(chance is not None and chance.dtype == np.float32 for chance in chances)
        assert np.max(sum(chance for chance in chances if chance is not None)) <= 1 + 1e-5
        assert all(0 <= prediction.score <= 1 for prediction in masks.values())


def test_an_object_is_followed_from_its_first_anchor_on(
    predictor: Any,  # noqa: ANN401
) -> None:
    tracker = Sam2Tracker(predictor, Clip(6))
    anchors = {0: {1: square(0, 0)}, 3: {2: square(3, 1)}}
    later = {frame: set(found) for frame, found in tracker.track(anchors, range(6))}
    assert later == {0: {1}, 1: {1}, 2: {1}, 3: {1, 2}, 4: {1, 2}, 5: {1, 2}}
    outside = {frame: set(found) for frame, found in tracker.track(anchors, [5, 4])}
    assert outside == {5: {1, 2}, 4: {1, 2}}


def test_the_same_question_gets_the_same_answer_also_after_a_cancelled_one(
    predictor: Any,  # noqa: ANN401
) -> None:
    tracker = Sam2Tracker(predictor, Clip(5))
    anchors = {0: {1: square(0, 0)}}
    first = [found[1].mask for _, found in tracker.track(anchors, range(5))]
    cancelled = tracker.track({2: {1: square(2, 1)}}, range(5))
    next(cancelled)
    cancelled.close()
    again = [found[1].mask for _, found in tracker.track(anchors, range(5))]
    assert all(itertools.starmap(np.array_equal, zip(first, again, strict=True)))


def test_memory_does_not_grow_and_frames_are_read_when_they_are_reached(
    predictor: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states: list[dict[str, Any]] = []
    original = predictor.propagate_in_video_preflight

    def watched(state: dict[str, Any]) -> None:
        states.append(state)
        original(state)

    monkeypatch.setattr(predictor, "propagate_in_video_preflight", watched)
    clip = Clip(40)
    anchors = {frame: {1: square(frame, 0)} for frame in range(0, 40, 2)}
    run = Sam2Tracker(predictor, clip).track(anchors, range(1, 40))
    held = []
    for frame, _ in run:
        outputs = states[0]["output_dict_per_obj"][0]
        held.append(sum(len(memory) for memory in outputs.values()))
        assert len(states[0]["cached_features"]) == 1
        assert max(clip.read) <= frame + 32
    assert max(held[20:]) <= max(held[:20])


def test_an_object_that_is_absent_everywhere_can_be_given(predictor: Any) -> None:  # noqa: ANN401
    tracker = Sam2Tracker(predictor, Clip(3))
    nothing = np.zeros(SIZE, np.bool_)
    found = dict(tracker.track({0: {1: nothing}}, range(3)))
    assert not found[0][1].mask.any()
    assert set(found[2]) == {1}


@pytest.mark.parametrize(
    "anchors", [{}, {0: {}}, {0: {1: np.ones((5, 5), np.bool_)}}], ids=["none", "empty", "size"]
)
def test_anchors_that_cannot_be_used_are_refused(
    predictor: Any,  # noqa: ANN401
    anchors: dict[int, dict[int, BoolMask]],
) -> None:
    with pytest.raises(PromptError):
        list(Sam2Tracker(predictor, Clip(2)).track(anchors, range(2)))


def test_the_tracker_is_loaded_from_an_official_file_and_no_other(
    predictor: Any,  # noqa: ANN401
    tmp_path: Path,
) -> None:
    state = predictor.state_dict()
    path = tmp_path / "sam2.pt"
    torch.save({"model": state}, path)
    clip = Clip(2)
    tracker = load_tracker("sam2.1-tiny", clip, LoadOptions("cpu", weights=path, size=SIDE))
    anchors = {0: {1: square(0, 0)}}
    expected = dict(Sam2Tracker(predictor, clip).track(anchors, range(2)))
    found = dict(tracker.track(anchors, range(2)))
    assert np.array_equal(found[1][1].mask, expected[1][1].mask)

    torch.save({name: tensor for name, tensor in state.items() if "memory" not in name}, path)
    with pytest.raises(WeightsInvalidError, match="memory_attention"):
        load_tracker("sam2.1-tiny", clip, LoadOptions("cpu", weights=path))


def test_fusion_of_scales_is_refused() -> None:
    with pytest.raises(ModelError, match="leave them out"):
        load_tracker("sam2.1-tiny", Clip(2), LoadOptions(flip=True))


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """Leave torch's settings as they were."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
